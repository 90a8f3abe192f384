import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Store } from '../../src/ports.ts'

/** The same store behind promises, as one across a network would be. */
export function lateStore(store: Store): Store {
  const late =
    <Arguments extends readonly unknown[], Value>(method: (...values: Arguments) => Value) =>
    async (...values: Arguments): Promise<Awaited<Value>> => {
      await nextTurn()
      const value = await method(...values)
      await nextTurn()
      return value
    }
  return {
    lease: store.lease,
    bySecret: late(store.bySecret),
    byId: late(store.byId),
    list: late(store.list),
    commit: late(store.commit),
    look: late(store.look),
    settled: store.settled,
    journal: late(store.journal),
    newestRevision: late(store.newestRevision),
    close: late(store.close),
  }
}
