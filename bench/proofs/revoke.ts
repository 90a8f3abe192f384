import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import type { SqliteStore } from 'latchkey/store/sqlite'
import { sqliteStore } from 'latchkey/store/sqlite'
import { startChild } from './child.ts'
import { machineNow } from './machine-clock.ts'
import { defineProof } from './proof.ts'
import type { Random } from './random.ts'
import { seeded } from './random.ts'
import { restores } from './restore.ts'
import { faults } from './revoke-faults.ts'
import type { Answer, Ending, Order, Target, Told, Watched } from './revoke-verifier.ts'
import { scopes } from './revoke-verifier.ts'
import { inScratchFolder } from './scratch-folder.ts'

/** The ways to end a secret, in turn. */
const endings = ['revoke', 'disable', 'disableOwner', 'retire', 'rotate', 'narrow'] as const satisfies readonly Ending[]

/** Keys that are changed at once, by both processes. */
const together = 4

/** Rounds after which a backup is restored once. */
const betweenRestores = 5

/** Milliseconds for which verifying goes on after an answer: two leases, and some. */
const after = 14

/** Milliseconds within which changes begin once all is as it should be before: the lease may be anywhere in its course. */
const spread = 8

/** Unrelated changes after a restore: enough to make the journal longer than it ever was. */
const overtaking = 12

/** One of the two processes. */
interface Verifier {
  readonly ask: (order: Order) => Promise<Answer>
  readonly stop: () => Promise<void>
}

/** A key whose secret is watched. */
interface Watchable extends Target {
  readonly secret: string
}

/** The proof at work. */
interface Bench {
  readonly keyring: OpenKeyring<keyof typeof scopes>
  readonly store: SqliteStore
  readonly file: string
  readonly copy: string
  readonly verifiers: readonly [Verifier, Verifier]
  readonly random: Random
  readonly found: Found
  readonly progress: (line: string) => void
}

/** What was found. */
interface Found {
  accepted: number
  /** The longest time after an answer at which a verification began that accepted, in milliseconds. */
  latest: number
  begun: number
  acceptedAfterRestore: number
  begunAfterRestore: number
  /** Refusals of keys that were not changed, or that a backup has restored. */
  rightRefused: number
  readonly acceptedBy: Record<string, number>
}

export const proof = defineProof({
  promise:
    'What was revoked is accepted in no verification that begins after the answer, in any process, after a restore too',
  takes: '2 to 3 minutes',
  sizes: { n: 2000 },
  faults,
  faultSizes: { n: 48 },

  async prove({ sizes: { n }, seed, progress }) {
    return inScratchFolder('revoke', async (folder) => {
      const file = join(folder, 'keys.db')
      const store = sqliteStore({ file })
      const keyring = await openKeyring({ store, scopes })
      const verifiers = [await startVerifier(folder, file), await startVerifier(folder, file)] as const
      const found: Found = {
        accepted: 0,
        latest: 0,
        begun: 0,
        acceptedAfterRestore: 0,
        begunAfterRestore: 0,
        rightRefused: 0,
        acceptedBy: {},
      }
      const copy = join(folder, 'copy.db')
      const bench: Bench = { keyring, store, file, copy, verifiers, random: seeded(seed), found, progress }
      let [ended, restored, clocksDisagree] = [0, 0, 0]
      try {
        for (let round = 0; ended < n; round++) {
          clocksDisagree += await disagreements(verifiers)
          const count = Math.min(together, n - ended)
          const chosen = Array.from(
            { length: count },
            (_, index) => endings[(round + index) % endings.length] ?? 'revoke',
          )
          await endSome(bench, chosen)
          ended += count
          if (round % betweenRestores === betweenRestores - 1) {
            await restoreOnce(bench, { kind: restored % 2 === 0 ? 'rows' : 'pages', unseen: restored % 3 === 1 })
            restored++
          }
          if (round % 50 === 49)
            progress(`${ended} of ${n} ended, ${restored} restores, ${found.begun} verifications after`)
        }
      } finally {
        await Promise.all(verifiers.map(({ stop }) => stop()))
        await keyring.close()
      }
      return {
        figures: {
          acceptedAfterAnswer: found.accepted,
          acceptedAfterRestore: found.acceptedAfterRestore,
          latestMs: Math.round(found.latest * 10) / 10,
          rightRefused: found.rightRefused,
          clocksDisagree,
          ended,
          restored,
          begunAfterAnswer: found.begun,
          begunAfterRestore: found.begunAfterRestore,
        },
        required: {
          acceptedAfterAnswer: { is: 0 },
          acceptedAfterRestore: { is: 0 },
          // Otherwise the verifiers might simply accept nothing.
          rightRefused: { is: 0 },
          // Otherwise times of different processes could not be compared.
          clocksDisagree: { is: 0 },
          ended: { is: n },
          restored: { atLeast: Math.floor(n / together / betweenRestores) },
          // Otherwise too few verifications were made.
          begunAfterAnswer: { atLeast: n * 8 },
        },
        details: { acceptedBy: found.acceptedBy },
      }
    })
  },
})

/** Changes some keys at once that both processes have accepted. From each answer on no process may accept them. */
async function endSome(
  { keyring, verifiers, random, found, progress }: Bench,
  chosen: readonly Ending[],
): Promise<void> {
  const keys = await Promise.all(chosen.map((ending) => issueFor(keyring, ending)))
  const still = await issueOne(keyring)
  const watched = [...keys, still].map(({ secret }) => ({ secret, accepted: true }))
  await Promise.all(verifiers.map(({ ask }) => ask({ do: 'watch', secrets: watched })))
  const answers = await Promise.all(
    keys.map(async (key, index) => {
      await sleep(random.below(spread))
      const { at } = await verifiers[random.below(2)]!.ask({ do: 'end', ending: chosen[index]!, key })
      return at
    }),
  )
  // The last one is for the unchanged key: from the beginning on.
  const told = await tellOf(verifiers, [...answers, 0])
  for (const [index, ending] of chosen.entries()) {
    const { begun, accepted, latest } = told[index]!
    found.begun += begun
    found.accepted += accepted
    found.latest = Math.max(found.latest, latest)
    if (accepted === 0) continue
    found.acceptedBy[ending] = (found.acceptedBy[ending] ?? 0) + accepted
    progress(`${ending}: accepted ${accepted} times, up to ${latest.toFixed(1)} ms after the answer`)
  }
  const { begun, accepted } = told.at(-1)!
  found.rightRefused += begun - accepted
}

/**
 * Makes a backup, revives keys that have ended in it, and restores it into the live file, in one transaction of this
 * process. So the journal ends before the entries that the others have seen.
 *
 * @param unseen - one process verifies nothing until the journal is longer than it was before.
 */
async function restoreOnce(
  { keyring, store, file, copy, verifiers, found, progress }: Bench,
  { kind, unseen }: { kind: keyof typeof restores; unseen: boolean },
): Promise<void> {
  const [disabled, ofDisabledOwner, active, unchanged] = await Promise.all(
    Array.from({ length: 4 }, () => issueOne(keyring)),
  )
  if (disabled === undefined || ofDisabledOwner === undefined || active === undefined || unchanged === undefined) return
  await Promise.all([keyring.disable(disabled.id), keyring.changeOwner(ofDisabledOwner.owner, { disabled: true })])
  await store.backup(copy)
  await Promise.all([keyring.enable(disabled.id), keyring.changeOwner(ofDisabledOwner.owner, { disabled: false })])
  await keyring.revoke(active.id, { reason: 'other' })
  const issuedLater = await issueOne(keyring)

  const ended = [disabled, ofDisabledOwner, issuedLater]
  const watched = (backThen: boolean): readonly Watched[] => [
    ...ended.map(({ secret }) => ({ secret, accepted: !backThen })),
    { secret: active.secret, accepted: backThen },
    { secret: unchanged.secret, accepted: true },
  ]
  await Promise.all(verifiers.map(({ ask }) => ask({ do: 'watch', secrets: watched(false) })))
  const [one, other] = verifiers
  if (unseen) await other.ask({ do: 'pause' })
  await restores[kind](copy, file)
  // Wait like a verb before it answers.
  await store.settled(0)
  let restored = machineNow()
  if (unseen) {
    await one.ask({ do: 'grow', key: unchanged, entries: overtaking })
    restored = machineNow()
    // This checks that the verdicts change at all; the check below, that they are right from the first call on.
    await other.ask({ do: 'watch', secrets: watched(true) }).catch(() => {})
  }
  const told = await tellOf(
    verifiers,
    Array.from({ length: ended.length + 2 }, () => restored),
  )
  const what = `a restore of ${kind}${unseen ? ', unseen by one' : ''}`
  for (const { begun, accepted, latest } of told.slice(0, ended.length)) {
    found.begunAfterRestore += begun
    found.acceptedAfterRestore += accepted
    if (accepted > 0) progress(`after ${what}: accepted ${accepted} times, up to ${latest.toFixed(1)} ms after`)
  }
  for (const { begun, accepted } of told.slice(ended.length)) {
    found.rightRefused += begun - accepted
    if (begun > accepted) progress(`after ${what}: a key that is active was refused ${begun - accepted} times`)
  }
  for (const end of ['', '-wal', '-shm']) rmSync(copy + end, { force: true })
}

/** The results of both processes for each secret. */
async function tellOf(verifiers: readonly Verifier[], moments: readonly number[]): Promise<readonly Told[]> {
  const answers = await Promise.all(verifiers.map(({ ask }) => ask({ do: 'tell', after: moments, go: after })))
  return moments.map((_, index) => {
    const both = answers.map(({ told }) => told[index]!)
    const sum = (of: (told: Told) => number): number => both.reduce((total, told) => total + of(told), 0)
    return {
      begun: sum(({ begun }) => begun),
      accepted: sum(({ accepted }) => accepted),
      undecided: sum(({ undecided }) => undecided),
      latest: Math.max(...both.map(({ latest }) => latest)),
    }
  })
}

/** How often the clock of another process is not between two readings of ours. */
async function disagreements(verifiers: readonly Verifier[]): Promise<number> {
  const compared = verifiers.map(async ({ ask }) => {
    const before = machineNow()
    const { at } = await ask({ do: 'clock' })
    return Number(!(before <= at && at <= machineNow()))
  })
  return (await Promise.all(compared)).reduce((sum, one) => sum + one, 0)
}

/** A key of an owner of its own. */
async function issueOne(keyring: Bench['keyring']): Promise<Watchable> {
  const owner = `owner-${issued++}`
  const { key, secret } = await keyring.issue({ name: 'Key', owner, scopes: ['orders:read'] })
  return { id: key.id, owner, secret }
}

let issued = 0

/** A key and the secret that will end; to retire an old secret, the key is being rotated. */
async function issueFor(keyring: Bench['keyring'], ending: Ending): Promise<Watchable> {
  const key = await issueOne(keyring)
  if (ending === 'retire') await keyring.rotate(key.id, { grace: 3600 })
  return key
}

async function startVerifier(folder: string, file: string): Promise<Verifier> {
  const open = Promise.withResolvers<void>()
  const asked = new Map<number, PromiseWithResolvers<Answer>>()
  let number = 0
  const child = startChild({
    file: new URL('revoke-verifier.ts', import.meta.url),
    args: [file],
    folder,
    onLine(line) {
      if (line === 'open') return open.resolve()
      const answer = JSON.parse(line) as Answer & { readonly number: number; readonly error?: string }
      const waiting = asked.get(answer.number)
      asked.delete(answer.number)
      if (answer.error === undefined) waiting?.resolve(answer)
      else waiting?.reject(new Error(answer.error))
    },
  })
  const over = async (): Promise<void> => {
    await child.ended
    const error = new Error(`A verifying process ended. ${child.complaints()}`)
    for (const { reject } of [open, ...asked.values()]) reject(error)
  }
  const ended = over()
  await open.promise
  return {
    ask(order) {
      const answer = Promise.withResolvers<Answer>()
      asked.set(++number, answer)
      child.tell(JSON.stringify({ number, ...order }))
      return answer.promise
    },
    async stop() {
      child.close()
      await ended
    },
  }
}
