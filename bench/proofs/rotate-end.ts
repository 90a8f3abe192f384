import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock, Keyring, Verdict } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { TestClock } from 'latchkey/testing'
import { testClock } from 'latchkey/testing'
import type { Random } from './random.ts'

/** The outcome of sending old secrets around their end. */
export interface EndFindings {
  /** Old secrets that were refused although they had a millisecond left, or accepted without the note that they end. */
  refusedEarly: number
  /** Old secrets that were accepted although they had ended. */
  acceptedLate: number
  /** New secrets that were not accepted. */
  newRefused: number
  /** Calls in all. */
  calls: number
  /** Ends of which both sides were seen: a call in the last millisecond, and one in the first that no longer counts. */
  sharp: number
}

/** A key that is being rotated. */
interface Rotated {
  readonly old: string
  readonly current: string
  readonly endsAt: number
}

/** Where and how long an end is looked at. */
interface Place {
  readonly n: number
  readonly folder: string
  readonly progress: (line: string) => void
}

/** The longest grace time, in seconds: 400 days. */
const longestGrace = 34_560_000

/** On a clock that stands at each end in turn, a millisecond before it and a millisecond after it. */
export async function checkTurnedEnds({
  n,
  random,
  folder,
  progress,
}: Place & { random: Random }): Promise<EndFindings> {
  const clock = testClock()
  const keyrings = await openTwo(join(folder, 'turned.db'), clock)
  const found = nothingYet()
  try {
    for (let seen = 0; seen < n;) {
      const keys = await rotateMany({ keyring: keyrings[0], count: Math.min(together, n - seen), clock, random })
      for (const { old, current } of keys) for (const keyring of keyrings) await see(keyring, [old, current])
      // In the order of their ends: a clock goes forward.
      for (const key of keys.toSorted((one, other) => one.endsAt - other.endsAt)) {
        for (const offset of [-1, 0, 1]) {
          clock.set(key.endsAt + offset)
          for (const keyring of keyrings) {
            judge(found, key, { verdict: await keyring.verify(key.old), before: clock.now(), after: clock.now() })
            if (!(await keyring.verify(key.current)).ok) found.newRefused++
          }
        }
        found.sharp++
      }
      seen += keys.length
      if (seen % 1000 === 0) progress(`${seen} of ${n} ends on a turned clock`)
    }
  } finally {
    for (const keyring of keyrings) await keyring.close()
  }
  return found
}

/** Keys that are rotated before the clock is turned. */
const together = 100

/** Grace times of all lengths. */
async function rotateMany({
  keyring,
  count,
  clock,
  random,
}: {
  keyring: Keyring
  count: number
  clock: TestClock
  random: Random
}): Promise<readonly Rotated[]> {
  clock.advance(random.below(10_000))
  const rotating = Array.from({ length: count }, async () => {
    const { key, secret } = await keyring.issue({ name: 'Key', owner: 'acme', scopes: [] })
    const grace = 1 + random.below(random.pick([1, 60, 86_400, longestGrace]))
    const rotated = await keyring.rotate(key.id, { grace })
    return { old: secret, current: rotated.secret, endsAt: rotated.oldEndsAt }
  })
  return Promise.all(rotating)
}

/** Keys rotated one after the other with the shortest grace time there is, so that their ends do not coincide. */
const batch = 40
const shortestGrace = 1
const between = 10

/** Milliseconds before and after an end in which the old secret is sent without a pause. */
const around = { before: 6, after: 2 }

/** On the machine's own clock: calls without a pause while the millisecond of the end goes by. */
export async function checkRealEnds({ n, folder, progress }: Place): Promise<EndFindings> {
  const keyrings = await openTwo(join(folder, 'real.db'))
  const found = nothingYet()
  try {
    for (let seen = 0; seen < n;) {
      const keys: Rotated[] = []
      for (let count = Math.min(batch, n - seen); count > 0; count--) {
        const { key, secret } = await keyrings[0].issue({ name: 'Key', owner: 'acme', scopes: [] })
        const rotated = await keyrings[0].rotate(key.id, { grace: shortestGrace })
        keys.push({ old: secret, current: rotated.secret, endsAt: rotated.oldEndsAt })
        await sleep(between)
      }
      for (const key of keys) {
        await sleep(Math.max(0, key.endsAt - around.before - Date.now()))
        if (watch(keyrings, key, found)) found.sharp++
        for (const keyring of keyrings) if (!(await keyring.verify(key.current)).ok) found.newRefused++
      }
      seen += keys.length
      progress(`${seen} of ${n} ends on the machine's clock, ${found.sharp} seen from both sides`)
    }
  } finally {
    for (const keyring of keyrings) await keyring.close()
  }
  return found
}

/** Whether there was a call in the last millisecond and one in the first that no longer counts. */
function watch(keyrings: readonly Keyring[], key: Rotated, found: EndFindings): boolean {
  const seen = new Set<number>()
  while (Date.now() < key.endsAt + around.after) {
    for (const keyring of keyrings) {
      const before = Date.now()
      const verdict = keyring.verify(key.old)
      const after = Date.now()
      if (verdict instanceof Promise) throw new Error('A key was not judged at once.')
      judge(found, key, { verdict, before, after })
      if (before === after) seen.add(after - key.endsAt)
    }
  }
  return seen.has(-1) && seen.has(0)
}

/** Judges a call with an old secret that took place at some moment from `before` to `after`. */
function judge(
  found: EndFindings,
  { endsAt }: Rotated,
  { verdict, before, after }: { verdict: Verdict; before: number; after: number },
): void {
  found.calls++
  const noted = verdict.ok && verdict.retiring?.until === endsAt
  if (after < endsAt && !noted) found.refusedEarly++
  if (before >= endsAt && (verdict.ok || verdict.refusal.code !== 'secret_ended')) found.acceptedLate++
}

function nothingYet(): EndFindings {
  return { refusedEarly: 0, acceptedLate: 0, newRefused: 0, calls: 0, sharp: 0 }
}

/** One that holds what it has seen, and one that holds next to nothing. */
async function openTwo(file: string, clock?: Clock): Promise<readonly [Keyring, Keyring]> {
  const time = clock === undefined ? {} : { clock }
  return [
    await openKeyring({ store: sqliteStore({ file }), scopes: {}, ...time }),
    await openKeyring({ store: sqliteStore({ file }), scopes: {}, cacheSize: 2, ...time }),
  ]
}

async function see(keyring: Keyring, secrets: readonly string[]): Promise<void> {
  for (const secret of secrets) await keyring.verify(secret)
}
