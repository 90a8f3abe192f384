import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { startChild } from './child.ts'
import type { Race, Result } from './rotate-racer.ts'

/** The outcome of races, each with many concurrent rotations of one key. */
export interface RaceFindings {
  /** Races that did not end with one successor and a conflict for all others. */
  racesNotWon: number
  successors: number
  conflicts: number
  /** Rotations with another outcome. */
  failures: number
  /** Secrets in a wrong state: refused although they should work, or shown wrong. */
  secretsWrong: number
  /** Rotations in the journal besides the one. */
  entriesWrong: number
  /** Races won by each process. */
  readonly wonBy: number[]
}

/** Processes that race. */
const racers = 4

/** How the rotations of a race are done. */
export interface RaceKind {
  /** Seconds for which the old secret goes on working: long enough for every check, or 0. */
  readonly grace: number
  /** Milliseconds over which the starts of one race are spread. */
  readonly spread: number
}

/** All at once, with an old secret that is seen to work until later. */
export const graceful: RaceKind = { grace: 3600, spread: 0 }

/**
 * With nothing left of the old secret to tell that there was a rotation, and calls that come a little later than the
 * first, as those of a caller that tries again do.
 */
export const immediate: RaceKind = { grace: 0, spread: 160 }

/** Milliseconds from the call to the start: all must have heard it. */
const lead = 15

interface Racer {
  readonly race: (race: Race) => Promise<Result>
  readonly stop: () => Promise<void>
}

/** Lets several processes, with two keyrings each, rotate one key at the same time, so many times in all. */
export async function raceRotations({
  kind: { grace, spread },
  rounds,
  rotations,
  folder,
  progress,
}: {
  kind: RaceKind
  rounds: number
  rotations: number
  folder: string
  progress: (line: string) => void
}): Promise<RaceFindings> {
  const file = join(folder, `race-${grace}.db`)
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes: {} })
  const processes: Racer[] = []
  for (let index = 0; index < racers; index++) processes.push(await startRacer({ folder, file }))
  const found: RaceFindings = {
    racesNotWon: 0,
    successors: 0,
    conflicts: 0,
    failures: 0,
    secretsWrong: 0,
    entriesWrong: 0,
    wonBy: processes.map(() => 0),
  }
  try {
    for (let round = 1; round <= rounds; round++) {
      const { key, secret: old } = await keyring.issue({ name: `Key ${round}`, owner: 'acme', scopes: [] })
      // Seen, and so held, before it is rotated: what is held must be forgotten.
      if (!(await keyring.verify(old)).ok) found.secretsWrong++
      const at = Date.now() + lead
      const results = await Promise.all(
        processes.map(({ race }, index) => race({ id: key.id, rotations: share(rotations, index), grace, at, spread })),
      )
      const successors = results.flatMap((result) => result.successors)
      const conflicts = results.reduce((sum, result) => sum + result.conflicts, 0)
      const failures = results.flatMap((result) => result.failures)
      found.successors += successors.length
      found.conflicts += conflicts
      found.failures += failures.length
      if (successors.length !== 1 || conflicts !== rotations - 1) {
        found.racesNotWon++
        progress(
          `race ${round}, grace ${grace} s: ${successors.length} successors, ${conflicts} conflicts. ${failures[0] ?? ''}`,
        )
      }
      for (const [index, result] of results.entries()) if (result.successors.length > 0) found.wonBy[index]!++

      const kept = await keyring.find(key.id)
      const ends = kept?.secrets.map(({ endsAt }) => endsAt)
      const [successor] = successors
      // An ended secret is not shown.
      const shown = grace === 0 ? [null] : [null, successor?.oldEndsAt]
      if (!isDeepStrictEqual(ends, shown)) found.secretsWrong++
      const oldVerdict = await keyring.verify(old)
      const oldIsRight = grace === 0 ? !oldVerdict.ok && oldVerdict.refusal.code === 'secret_ended' : oldVerdict.ok
      if (!oldIsRight) found.secretsWrong++
      // Check each: a later caller must not have ended a secret that was returned to an earlier one.
      for (const { secret } of successors) {
        const verdict = await keyring.verify(secret)
        if (!verdict.ok || verdict.key.id !== key.id) found.secretsWrong++
      }
      const { entries } = await keyring.journal({ key: key.id })
      found.entriesWrong += Math.abs(entries.filter(({ action }) => action === 'rotate').length - 1)
      if (round % 20 === 0)
        progress(`${round} of ${rounds} races with a grace of ${grace} s, won by ${found.wonBy.join(', ')}`)
    }
  } finally {
    await Promise.all(processes.map(({ stop }) => stop()))
    await keyring.close()
  }
  return found
}

/** So many of all as fall to one racer. */
function share(rotations: number, index: number): number {
  return Math.floor(rotations / racers) + Number(index < rotations % racers)
}

async function startRacer({ folder, file }: { folder: string; file: string }): Promise<Racer> {
  let next = Promise.withResolvers<string>()
  const child = startChild({
    file: new URL('rotate-racer.ts', import.meta.url),
    args: [file],
    folder,
    onLine: (line) => next.resolve(line),
  })
  // On a normal end nothing may wait for the next line.
  const ended = child.ended.finally(() => next.reject(new Error(`A racer ended. ${child.complaints()}`)))
  await next.promise
  return {
    async race(race) {
      next = Promise.withResolvers()
      child.tell(JSON.stringify(race))
      return JSON.parse(await next.promise) as Result
    },
    async stop() {
      next.promise.catch(() => {})
      child.close()
      await ended
    },
  }
}
