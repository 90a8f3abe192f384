import type { Credential, OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import type { JournalHead } from 'latchkey/ports'
import { seeded } from './random.ts'
import type { Rows } from './sim-database.ts'
import { simulatedDatabase } from './sim-database.ts'
import type { Mix } from './sim-disturbances.ts'
import { disturb } from './sim-disturbances.ts'
import type { SimulatedProcess } from './sim-process.ts'
import { simulatedProcess } from './sim-process.ts'
import { simulatedStore } from './sim-store.ts'
import type { VirtualTime } from './sim-time.ts'
import { virtualTime } from './sim-time.ts'

const scopes = { 'orders:read': 'Read orders' }

/** Virtual milliseconds of a run, and of its end in which nothing is revoked any more. */
const [length, quietEnd] = [9000, 1500]

/** How many keys are revoked at most, and how many have a quota. */
const [revocable, metered] = [400, 3]

/** Calls that each quota has. */
const amount = 60

/** The instances at the beginning, those that only verify and those that revoke too; and how many may join. */
const [verifiers, changers, joiners] = [3, 2, 8]

/** Keys and their secrets, made once: each run begins with them. */
export interface Prepared {
  readonly rows: Rows
  /** The first of them are to be revoked in their order; those with a quota are the last. */
  readonly keys: readonly { readonly id: string; readonly secret: string }[]
}

/** What a run has found. */
export interface Ran {
  readonly answers: number
  readonly accepts: number
  readonly unavailable: number
  /** Accepts of calls that began after the answered revocation of their key, which the database still has. */
  readonly wrongAccepts: number
  /** Accepts above a quota. */
  readonly overspent: number
  /** The first wrong accept, for people. */
  readonly first: string | undefined
}

/** Makes the keys. */
export async function prepare(): Promise<Prepared> {
  const time = virtualTime()
  const database = simulatedDatabase(time)
  const process = simulatedProcess('maker', { time, random: seeded(1), database })
  const keys: { readonly id: string; readonly secret: string }[] = []
  const making = (async () => {
    const keyring = await keyringOf(process, {
      database,
      time,
      losesMessage: () => true,
      lateness: () => 0,
      looked() {},
    })
    const one = { name: 'Key', owner: 'acme', scopes: ['orders:read'] } as const
    for (let count = 0; count < revocable + metered; count++) {
      const quota = count < revocable ? {} : { quota: { amount } }
      const { key, secret } = await keyring.issue({ ...one, ...quota })
      keys.push({ id: key.id, secret })
    }
  })()
  await Promise.all([making, time.run(600_000)])
  return { rows: database.rows(), keys }
}

async function keyringOf(
  process: SimulatedProcess,
  { time, ...network }: { readonly time: VirtualTime } & Omit<Parameters<typeof simulatedStore>[1], 'later'>,
): Promise<OpenKeyring<keyof typeof scopes>> {
  const later = (milliseconds: number, call: () => void): void => void time.at(time.now() + milliseconds, call)
  const store = simulatedStore(process, { ...network, later })
  return openKeyring({ store, scopes, clock: process.clock })
}

/** One run: instances verify and revoke, while the machines and the network fail. */
export async function run({ rows, keys }: Prepared, seed: number, mix: Mix): Promise<Ran> {
  const random = seeded(seed)
  const between = (least: number, most: number): number => least + (most - least) * random.next()
  const time = virtualTime()
  const database = simulatedDatabase(time, rows)
  const processes: SimulatedProcess[] = []
  const answered = new Map<number, { readonly at: number; readonly entry: JournalHead }>()
  const spent = new Map<number, number>()
  const ran = { answers: 0, accepts: 0, unavailable: 0, wrongAccepts: 0, overspent: 0 }
  /** What starts the next revocation of each changer that waits with it. */
  const idle = new Map<SimulatedProcess, () => void>()
  const goingSilent = new Set<SimulatedProcess>()
  let first: string | undefined
  let next = 0

  function start(
    name: string,
    work: (process: SimulatedProcess, keyring: OpenKeyring<keyof typeof scopes>) => void,
  ): void {
    const process = simulatedProcess(name, { time, random, database })
    processes.push(process)
    const losesMessage = (): boolean => !mix.messages || random.chance(0.03)
    const lateness = (): number => (random.chance(0.1) ? between(0, 800) : 0)
    const open = (): void => {
      keyringOf(process, { database, time, losesMessage, lateness, looked: (when) => looked(process, when) }).then(
        (keyring) => work(process, keyring),
        // A start that fails is repeated, as whoever supervises a process does.
        () => void process.at(time.now() + 100, open),
      )
    }
    open()
  }

  /**
   * The worst times: a key is revoked just after a look, whose answer comes late, and the one that has looked hears nothing
   * after it.
   */
  function looked(process: SimulatedProcess, when: 'read' | 'answered'): void {
    if (when === 'read' && random.chance(0.03)) {
      for (const revokeNow of idle.values()) revokeNow()
      if (random.chance(0.7)) goingSilent.add(process)
      if (random.chance(0.3)) process.slowness = between(20, 150)
    }
    if (when === 'answered' && goingSilent.delete(process)) {
      process.link = 'silent'
      process.slowness = 1
      time.at(time.now() + between(500, 2500), () => {
        process.link = 'up'
      })
    }
  }

  function wasAnswered(index: number, { id, revision }: { readonly id: string; readonly revision: number }): void {
    const entry = database.entryAt(revision)
    ran.answers++
    // A failover may have lost it in the meantime.
    if (entry?.subject === id && entry.action === 'revoke') answered.set(index, { at: time.now(), entry })
  }

  function judge(index: number, began: number, { name, accepted, code }: Judged): void {
    if (code === 'unavailable') ran.unavailable++
    if (!accepted) return
    ran.accepts++
    if (index >= revocable) spent.set(index, (spent.get(index) ?? 0) + 1)
    const answer = answered.get(index)
    if (answer === undefined || answer.at >= began || !database.has(answer.entry)) return
    ran.wrongAccepts++
    first ??= `${name} accepts key ${index} at ${time.now().toFixed(1)}, ${(began - answer.at).toFixed(1)} ms after the answer`
  }

  /** Calls with keys near those that are being revoked, each as a text or on a connection that is kept. */
  function verifying(process: SimulatedProcess, keyring: OpenKeyring<keyof typeof scopes>): void {
    const connections = new Map<number, Credential | string>()
    const call = (): void => {
      if (time.now() > length) return
      process.at(time.now() + between(1, 12), call)
      const isMetered = random.chance(0.05)
      // Most of all the keys that are being revoked, and those that are about to be.
      const near = random.chance(0.5) ? next - 2 + random.below(4) : next - 6 + random.below(9)
      const index = isMetered ? revocable + random.below(metered) : Math.max(0, near)
      const { secret } = keys[Math.min(index, keys.length - 1)]!
      let credential: Credential | string = secret
      if (random.chance(0.5)) {
        const connection = connections.get(index) ?? keyring.credential?.(secret) ?? secret
        connections.set(index, connection)
        credential = connection
      }
      const began = time.now()
      const told = (verdict: Awaited<ReturnType<typeof keyring.verify>>): void => {
        const code = verdict.ok ? '' : verdict.refusal.code
        judge(index, began, { name: process.name, accepted: verdict.ok, code })
      }
      const verdict = keyring.verify(credential)
      if ('then' in verdict) void verdict.then(told)
      else told(verdict)
    }
    call()
  }

  function revoking(process: SimulatedProcess, keyring: OpenKeyring<keyof typeof scopes>): void {
    verifying(process, keyring)
    const change = (): void => {
      idle.delete(process)
      const index = next
      if (time.now() > length - quietEnd || index >= revocable) return
      next++
      const { id } = keys[index]!
      const goOn = (): void => {
        const prevent = process.at(time.now() + between(1, 60), change)
        idle.set(process, () => {
          prevent()
          process.do(change)
        })
      }
      void keyring
        .revoke(id, { reason: 'unused' })
        .then(({ key }) => wasAnswered(index, key))
        .catch(() => {})
        .then(goOn)
    }
    process.at(time.now() + between(5, 50), change)
  }

  for (let index = 0; index < verifiers; index++) start(`instance ${index}`, verifying)
  for (let index = 0; index < changers; index++) start(`changer ${index}`, revoking)
  let joined = 0
  disturb({
    time,
    random,
    database,
    mix,
    processes,
    until: length,
    join() {
      if (joined < joiners) start(`joiner ${joined++}`, verifying)
    },
  })
  await time.run(length + 500)
  for (const [index, accepts] of spent) {
    ran.overspent += Math.max(0, accepts - amount - database.spent(keys[index]!.id).lost)
  }
  return { ...ran, first }
}

interface Judged {
  readonly name: string
  readonly accepted: boolean
  readonly code: string
}
