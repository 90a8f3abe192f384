import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Entry, OpenKeyring } from 'latchkey'
import { adminScopes, LatchkeyError, openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Report, Round } from './authority-changer.ts'
import { scopes } from './authority-changer.ts'
import { faults } from './authority-faults.ts'
import type { Said } from './authority-lock.ts'
import { startChild } from './child.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { inScratchFolder } from './scratch-folder.ts'

/** The ways to end an admin key, in turn. `expire` is set when it is issued. */
const endings = ['revoke', 'disable', 'disableOwner', 'expire', 'narrow', 'takeScope'] as const

type Ending = (typeof endings)[number]

/** Processes that make the changes, each with its share. */
const changers = 2

/** Another program holds the lock on the file once in this many rounds. */
const betweenLocks = 3

/** Milliseconds: the span in which changes begin, the latest end of the admin key, the time a lock is held. */
const times = { spread: 12, end: 14, lock: 40 }

/** Milliseconds to prepare a round whose admin key expires; doubled when they were too few. */
const preparing = 150

/** What was found. */
interface Found {
  /** Entries by an admin key after its end. */
  after: number
  /** Entries by it before its end. */
  before: number
  refused: number
  failures: number
  /** Rounds in which some changes were made and some were refused. */
  cut: number
  cutUnderLock: number
  readonly afterBy: Record<string, number>
}

interface Process<Line> {
  readonly tell: (line: string) => void
  readonly next: () => Promise<Line>
  readonly stop: () => Promise<void>
}

/** The proof at work. */
interface Bench {
  readonly keyring: OpenKeyring<keyof typeof scopes>
  readonly changing: readonly Process<Report>[]
  readonly lock: Process<Said>
  readonly random: Random
  readonly changes: number
  readonly found: Found
}

export const proof = defineProof({
  promise: 'From the moment at which the end of an admin key is committed, no change is made on its behalf',
  takes: '3 to 5 minutes',
  sizes: { n: 1000, changes: 64 },
  faults,
  faultSizes: { n: 36 },

  async prove({ sizes: { n, changes }, seed, progress }) {
    return inScratchFolder('authority', async (folder) => {
      const file = join(folder, 'keys.db')
      const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
      const changing: Process<Report>[] = []
      for (let index = 0; index < changers; index++) {
        changing.push(await startProcess<Report>({ file, folder, program: 'authority-changer.ts' }))
      }
      const lock = await startProcess<Said>({ file, folder, program: 'authority-lock.ts' })
      const found: Found = { after: 0, before: 0, refused: 0, failures: 0, cut: 0, cutUnderLock: 0, afterBy: {} }
      const bench: Bench = { keyring, changing, lock, random: seeded(seed), changes, found }
      try {
        for (let round = 0; round < n; round++) {
          const ending = endings[round % endings.length] ?? 'revoke'
          // All endings come with and without a lock.
          const locked = Math.floor(round / endings.length) % betweenLocks === betweenLocks - 1
          for (const line of await playRound(bench, { round, ending, locked })) progress(`round ${round + 1}: ${line}`)
          if ((round + 1) % 50 === 0) {
            progress(`${round + 1} of ${n} rounds, ${found.before} changes before and ${found.after} after the end`)
          }
        }
      } finally {
        await Promise.all([...changing, lock].map(({ stop }) => stop()))
        await keyring.close()
      }
      return {
        figures: {
          entriesAfterTheEnd: found.after,
          entriesBefore: found.before,
          refused: found.refused,
          failures: found.failures,
          roundsCut: found.cut,
          roundsCutUnderLock: found.cutUnderLock,
        },
        required: {
          entriesAfterTheEnd: { is: 0 },
          failures: { is: 0 },
          // Otherwise the end came before or after all changes.
          roundsCut: { atLeast: Math.floor(n / 3) },
          roundsCutUnderLock: { atLeast: Math.floor(n / 20) },
        },
        details: { afterBy: found.afterBy },
      }
    })
  },
})

/** Makes many changes on behalf of one admin key, which ends meanwhile. Returns the faults, a line for each. */
async function playRound(
  { keyring, changing, lock, random, changes, found }: Bench,
  { round, ending, locked }: { round: number; ending: Ending; locked: boolean },
): Promise<readonly string[]> {
  const { admin, keys, owner, team, expiresAt } = await prepare(keyring, { round, ending, changes })
  if (expiresAt !== null) await sleep(expiresAt - times.end - Date.now())
  const held = locked ? lock.next() : undefined
  if (locked) lock.tell(String(Math.max(Date.now() + random.below(times.lock), (expiresAt ?? 0) + 1)))
  const said = await held
  for (const { tell } of changing) {
    const given: Round = {
      admin,
      changes: Math.ceil(changes / changers),
      spread: times.spread,
      seed: random.below(2 ** 32),
      keys,
      owner,
      expiresAt,
    }
    tell(JSON.stringify(given))
  }
  const reports = Promise.all(changing.map(({ next }) => next()))
  await sleep(random.below(times.end))
  const marker = await end(keyring, { ending, id: admin, team, expiresAt })
  const freed = locked ? await lock.next() : undefined
  const told = await reports

  const entries = await entriesBy(keyring, admin)
  // Nothing is committed while the lock is held: entries behind the end of the journal came after the release.
  const wasHeldOver =
    said?.is === 'held' && freed?.is === 'free' && expiresAt !== null && freed.at >= expiresAt ? said.journal : Infinity
  const last = Math.min(marker, wasHeldOver)
  const late = entries.filter(({ seq, at }) => seq > last || (expiresAt !== null && at >= expiresAt))
  const refused = told.reduce((sum, report) => sum + report.refused, 0)
  const failures = told.flatMap((report) => report.failures)
  found.after += late.length
  found.before += entries.length - late.length
  found.refused += refused
  found.failures += failures.length
  if (entries.length > late.length && refused > 0) {
    found.cut++
    if (locked) found.cutUnderLock++
  }
  if (late.length > 0) found.afterBy[ending] = (found.afterBy[ending] ?? 0) + late.length
  const actions = late.map(({ action }) => action).join(', ')
  return [
    ...(late.length === 0 ? [] : [`${ending}${locked ? ' under a lock' : ''}: ${actions} after the end`]),
    ...failures.slice(0, 3),
  ]
}

/** An admin key, and keys that it may change. If it is to expire, it has time left. */
async function prepare(
  keyring: Bench['keyring'],
  { round, ending, changes }: { round: number; ending: Ending; changes: number },
): Promise<{
  readonly admin: string
  readonly keys: readonly string[]
  readonly owner: string
  readonly team: string
  readonly expiresAt: number | null
}> {
  const [owner, team] = [`owner-${round}`, `team-${round}`]
  for (let time = preparing; ; time *= 2) {
    const expiresAt = ending === 'expire' ? Date.now() + time : null
    try {
      // A key that an admin key changes may not outlive it.
      const key = { name: 'Key', owner, scopes: ['orders:read'], expiresAt } as const
      const made = await keyring.issueMany(Array.from({ length: Math.ceil(changes / 2) }, () => key))
      const { key: admin } = await keyring.issue({
        name: 'Admin',
        owner: team,
        environment: 'admin',
        scopes: Object.keys(adminScopes) as (keyof typeof adminScopes)[],
        delegation: { owner: null, environments: ['live', 'test', 'admin'], scopes: ['orders:read'] },
        expiresAt,
      })
      const keys = made.repeated ? [] : made.created.map(({ key: { id } }) => id)
      if (expiresAt === null || Date.now() < expiresAt - times.end) {
        return { admin: admin.id, keys, owner, team, expiresAt }
      }
    } catch (error) {
      // Its end had passed before it was issued.
      if (!(error instanceof LatchkeyError && error.code === 'invalid_input')) throw error
    }
  }
}

/** Ends an admin key. Returns the place in the journal behind which it may have no entry. */
async function end(
  keyring: Bench['keyring'],
  { ending, id, team, expiresAt }: { ending: Ending; id: string; team: string; expiresAt: number | null },
): Promise<number> {
  if (ending === 'disableOwner') return (await keyring.changeOwner(team, { disabled: true })).owner.revision
  if (ending === 'expire') {
    while (Date.now() < (expiresAt ?? 0)) await sleep((expiresAt ?? 0) - Date.now())
    // Any change that begins now has its entry after this place.
    return (await keyring.change(id, { name: 'Expired' })).key.revision
  }
  const delegation = { owner: 'nobody', environments: ['live'], scopes: [] } as const
  const { key } = await (ending === 'revoke'
    ? keyring.revoke(id, { reason: 'compromised' })
    : ending === 'disable'
      ? keyring.disable(id)
      : keyring.change(id, ending === 'narrow' ? { delegation } : { scopes: ['keys:read'] }))
  return key.revision
}

async function entriesBy(keyring: Bench['keyring'], actor: string): Promise<readonly Entry[]> {
  return (await keyring.journal({ actor, order: 'oldest', limit: 1000 })).entries
}

async function startProcess<Line>({
  program,
  file,
  folder,
}: {
  program: string
  file: string
  folder: string
}): Promise<Process<Line>> {
  const lines: string[] = []
  let waiting: PromiseWithResolvers<string> | undefined
  const child = startChild({
    file: new URL(program, import.meta.url),
    args: [file],
    folder,
    onLine(line) {
      if (waiting === undefined) lines.push(line)
      else waiting.resolve(line)
      waiting = undefined
    },
  })
  const line = async (): Promise<string> => {
    const first = lines.shift()
    if (first !== undefined) return first
    waiting = Promise.withResolvers()
    return waiting.promise
  }
  const over = async (): Promise<void> => {
    await child.ended
    waiting?.reject(new Error(`A process of the proof ended. ${child.complaints()}`))
  }
  const ended = over()
  await line()
  return {
    tell: child.tell,
    next: async () => JSON.parse(await line()) as Line,
    async stop() {
      child.close()
      await ended
    },
  }
}
