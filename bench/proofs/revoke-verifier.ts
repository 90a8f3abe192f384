// Started by revoke.ts: an application on a database that it shares with others. Five workers verify some secrets
// without a pause, three in the process and two over HTTP, and note when each verification began and what came of it. It
// also changes keys on order.

import { createInterface } from 'node:readline'
import { setImmediate as turn } from 'node:timers/promises'
import Fastify from 'fastify'
import type { Keyring, OpenKeyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { keepConnections, openConnection } from './http-connection.ts'
import { machineNow } from './machine-clock.ts'

/** The scopes of the keyring, and what every verification asks for. */
export const scopes = { 'orders:read': 'Read orders' }

/** A change after which a secret is no longer accepted. */
export type Ending = 'revoke' | 'disable' | 'disableOwner' | 'retire' | 'rotate' | 'narrow'

/** A key that is to be changed. */
export interface Target {
  readonly id: string
  readonly owner: string
}

/** A secret, and whether it must be accepted or refused. */
export interface Watched {
  readonly secret: string
  readonly accepted: boolean
}

/** The orders to such a process. It answers each order with a line, as soon as it is done. */
export type Order =
  /** Verify these from now on, and answer when every worker has found each as it should be. */
  | { readonly do: 'watch'; readonly secrets: readonly Watched[] }
  /** Answer when the change has been answered: with that moment. */
  | { readonly do: 'end'; readonly ending: Ending; readonly key: Target }
  /** Answer when every worker has gone on for so many milliseconds after these moments, one for each secret. */
  | { readonly do: 'tell'; readonly after: readonly number[]; readonly go: number }
  /** Verify nothing until `watch`. */
  | { readonly do: 'pause' }
  /** Make this many changes of unrelated keys. */
  | { readonly do: 'grow'; readonly key: Target; readonly entries: number }
  | { readonly do: 'clock' }

/** The outcome of the verifications of one secret that began after a time. */
export interface Told {
  readonly begun: number
  readonly accepted: number
  /** How long after the moment the last of the accepted ones began, in milliseconds. */
  readonly latest: number
  /** Neither a yes nor a no. */
  readonly undecided: number
}

/** An answer to an order. */
export type Answer = { readonly at: number; readonly told: readonly Told[] }

/** One verification. */
interface Noted {
  readonly began: number
  readonly outcome: 'accepted' | 'refused' | 'undecided'
}

/** Judges one secret. */
type Judge = (secret: string) => Promise<Noted['outcome']> | Noted['outcome']

/** The secrets that a worker verifies, and its results for each so far. */
interface Worker {
  watching: readonly { readonly secret: string; readonly notes: Noted[] }[]
}

/** Milliseconds after which a secret that is not found as it should be never will be. */
const patience = 60_000

if (import.meta.main) {
  const [file = ''] = process.argv.slice(2)
  await main(file)
}

async function main(file: string): Promise<void> {
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  // A second instance beside the first, as an application may have.
  const other = await openKeyring({ store: sqliteStore({ file }), scopes })
  const port = await listen(keyring)
  // And one that is only asked as a guard asks for a caller who keeps the connection.
  const guarding = await openKeyring({ store: sqliteStore({ file }), scopes })
  const judges = [
    inProcess(keyring),
    inProcess(other),
    onKeptConnections(guarding),
    await overHttp(port),
    await overHttp(port),
  ]
  const workers = judges.map(work)
  const watch = (secrets: readonly Watched[]): void => {
    for (const worker of workers) worker.watching = secrets.map(({ secret }) => ({ secret, notes: [] }))
  }

  async function follow(order: Order): Promise<Answer> {
    let told: readonly Told[] = []
    let at = 0
    if (order.do === 'watch') {
      watch(order.secrets)
      await until(() =>
        order.secrets.every(({ accepted }, index) =>
          workers.every(({ watching }) => {
            return watching[index]?.notes.at(-1)?.outcome === (accepted ? 'accepted' : 'refused')
          }),
        ),
      )
    } else if (order.do === 'pause') watch([])
    else if (order.do === 'end') at = await end(keyring, order.ending, order.key)
    else if (order.do === 'grow') {
      for (let entry = 0; entry < order.entries; entry++) {
        await keyring.change(order.key.id, { name: `Grown ${entry}` })
      }
    } else if (order.do === 'tell') {
      const { after, go } = order
      await until(() =>
        workers.every(({ watching }) => {
          return after.every((moment, index) => (watching[index]?.notes.at(-1)?.began ?? 0) > moment + go)
        }),
      )
      told = after.map((moment, index) => tell(workers, index, moment))
    }
    return { at: at === 0 ? machineNow() : at, told }
  }

  console.log('open')
  for await (const line of createInterface({ input: process.stdin })) {
    const { number, ...order } = JSON.parse(line) as Order & { readonly number: number }
    follow(order as Order).then(
      (answer) => console.log(JSON.stringify({ number, ...answer })),
      (error: unknown) => console.log(JSON.stringify({ number, error: String(error) })),
    )
  }
  process.exit()
}

/** The moment at which the change had been answered. */
async function end(keyring: Keyring<keyof typeof scopes>, ending: Ending, { id, owner }: Target): Promise<number> {
  const endings: Readonly<Record<Ending, () => Promise<unknown>>> = {
    revoke: () => keyring.revoke(id, { reason: 'compromised' }),
    disable: () => keyring.disable(id),
    disableOwner: () => keyring.changeOwner(owner, { disabled: true }),
    retire: () => keyring.retire(id),
    rotate: () => keyring.rotate(id, { grace: 0 }),
    narrow: () => keyring.change(id, { scopes: [] }),
  }
  await endings[ending]()
  return machineNow()
}

function inProcess(keyring: OpenKeyring<keyof typeof scopes>): Judge {
  return (secret) => {
    const verdict = keyring.verify(secret, { allOf: ['orders:read'] })
    return verdict instanceof Promise ? verdict.then(outcomeOf) : outcomeOf(verdict)
  }
}

/** Keeps a credential for each secret, as a guard does for a connection. */
function onKeptConnections(keyring: OpenKeyring<keyof typeof scopes>): Judge {
  const credentials = new Map<string, ReturnType<NonNullable<typeof keyring.credential>>>()
  const requirement = Object.freeze({ allOf: Object.freeze(['orders:read'] as const) })
  return (secret) => {
    const credential = credentials.get(secret) ?? keyring.credential?.(secret)
    if (credential !== undefined) credentials.set(secret, credential)
    const verdict = keyring.verify(credential, requirement)
    return verdict instanceof Promise ? verdict.then(outcomeOf) : outcomeOf(verdict)
  }
}

function outcomeOf(verdict: Awaited<ReturnType<Keyring['verify']>>): Noted['outcome'] {
  if (verdict.ok) return 'accepted'
  return verdict.refusal.code === 'unavailable' ? 'undecided' : 'refused'
}

async function listen(keyring: OpenKeyring<keyof typeof scopes>): Promise<number> {
  const app = Fastify()
  keepConnections(app.server)
  const guard = fastifyGuard(keyring)
  await app.register(guard.plugin)
  app.get('/orders', { onRequest: guard.requires('orders:read') }, () => [])
  return Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port)
}

async function overHttp(port: number): Promise<Judge> {
  const connection = await openConnection(port)
  return async (secret) => {
    const request = `GET /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: ${secret}\r\n\r\n`
    const exchange = await connection.ask(Buffer.from(request))
    const status = exchange.intact ? exchange.answer.status : 0
    return status === 200 ? 'accepted' : status === 401 || status === 403 ? 'refused' : 'undecided'
  }
}

/** Judges what is watched, over and over. */
function work(judge: Judge): Worker {
  const worker: Worker = { watching: [] }
  const go = async (): Promise<never> => {
    for (;;) {
      for (const { secret, notes } of worker.watching) {
        const began = machineNow()
        const judged = judge(secret)
        notes.push({ began, outcome: judged instanceof Promise ? await judged : judged })
      }
      await turn()
    }
  }
  // One that fails ends the process, and with it the proof.
  void go()
  return worker
}

function tell(workers: readonly Worker[], index: number, moment: number): Told {
  const after = workers.flatMap(({ watching }) => watching[index]?.notes ?? []).filter(({ began }) => began > moment)
  const accepted = after.filter(({ outcome }) => outcome === 'accepted')
  return {
    begun: after.length,
    accepted: accepted.length,
    latest: accepted.reduce((latest, { began }) => Math.max(latest, began - moment), 0),
    undecided: after.filter(({ outcome }) => outcome === 'undecided').length,
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = machineNow() + patience
  while (!holds()) {
    if (machineNow() > deadline) throw new Error('The secrets are not judged as they should be.')
    await turn()
  }
}
