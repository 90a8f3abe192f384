import type { Store } from 'latchkey/ports'
import { propagationOf } from '../../packages/latchkey/src/propagation/propagation.ts'
import type { SimulatedDatabase } from './sim-database.ts'
import type { SimulatedProcess } from './sim-process.ts'

/** Milliseconds of a lease, as long as across a real network. */
export const lease = 1000

/**
 * The store of a process, on a simulated database: only the network and the tables are simulated. What a run does not need
 * fails.
 *
 * @param on - `losesMessage` says whether a message about a commit gets lost.
 */
export function simulatedStore(
  process: SimulatedProcess,
  {
    database,
    losesMessage,
    lateness,
    looked,
    later,
  }: {
    readonly database: SimulatedDatabase
    readonly losesMessage: () => boolean
    /** Milliseconds by which the next message is late, besides the delay of the link. */
    readonly lateness: () => number
    /** Called when the database has read for a look, and when the process has its answer. */
    readonly looked: (when: 'read' | 'answered') => void
    readonly later: (milliseconds: number, call: () => void) => void
  },
): Store {
  const { clock } = process
  const ask = process.ask.bind(process)
  const propagation = propagationOf({
    lease,
    instance: process.name,
    clock,
    after: clock.after,
    table: {
      register: async (member) => ask((on) => on.register(member)),
      async look(id, seen) {
        const view = await ask((on) => {
          looked('read')
          return on.look(id, seen)
        })
        looked('answered')
        return view
      },
      confirm: async (id, head) => ask((on) => on.confirm(id, head)),
      progress: async (changes) => ask((on) => on.progress(changes)),
      doom: async (ids, seq) => ask((on) => on.doom(ids, seq)),
      removeDoomed: async (ids) => ask((on) => on.removeDoomed(ids)),
      leave: async (id) => ask((on) => on.leave(id)),
      trust: async (incarnation) => ask((on) => on.trust(incarnation)),
    },
  })
  database.listen((entries) => {
    if (process.isDead || losesMessage()) return
    later(process.delay() + lateness(), () => {
      if (process.link === 'up') process.do(() => propagation.notified(entries))
    })
  })
  const simulated: Partial<Store> = {
    lease,
    follow: propagation.follow,
    settled: propagation.settled,
    bySecret: async (hash) => ask((on) => on.bySecret(hash)),
    byId: async (id) => ask((on) => on.byId(id)),
    commit: async (changes, chain) => ask((on) => on.commit(changes, chain)),
    spend: async (id, { cost, quota }) => ask((on) => on.spend(id, cost, quota.amount)),
    withoutSnapshot: () => [],
    owner: () => undefined,
    declared: () => undefined,
    declare() {},
    cursorKey: () => 'simulated',
    recordUsage: (batch) => ({ ...batch, counts: [], lastUsed: new Map() }),
    close: propagation.close,
  }
  // What a run does not need fails, whatever the port will have.
  return new Proxy(simulated, {
    get: (store, name) => (name in store ? (Reflect.get(store, name) as unknown) : notSimulated),
  }) as Store
}

async function notSimulated(): Promise<never> {
  throw new Error('This is not simulated.')
}
