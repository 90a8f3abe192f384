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
    owner: late(store.owner),
    owners: late(store.owners),
    counts: late(store.counts),
    list: late(store.list),
    commit: late(store.commit),
    idempotentResult: late(store.idempotentResult),
    follow(wake) {
      const follower = store.follow(wake)
      return { ...follower, changesSince: late(follower.changesSince) }
    },
    settled: store.settled,
    journal: late(store.journal),
    entries: late(store.entries),
    auditFiling: late(store.auditFiling),
    auditKeys: late(store.auditKeys),
    auditOwners: late(store.auditOwners),
    auditMissing: late(store.auditMissing),
    withoutSnapshot: late(store.withoutSnapshot),
    newestRevision: late(store.newestRevision),
    spend: late(store.spend),
    noteFirstUse: late(store.noteFirstUse),
    recordUsage: late(store.recordUsage),
    forgetUse: late(store.forgetUse),
    entriesNaming: late(store.entriesNaming),
    purgeable: late(store.purgeable),
    countPurgeable: late(store.countPurgeable),
    purgeRows: late(store.purgeRows),
    claimPurge: late(store.claimPurge),
    isErased: late(store.isErased),
    isErasedUse: late(store.isErasedUse),
    scrub: late(store.scrub),
    usage: late(store.usage),
    usageSums: late(store.usageSums),
    recordRefusals: late(store.recordRefusals),
    refusals: late(store.refusals),
    declared: late(store.declared),
    cursorKey: late(store.cursorKey),
    declare: late(store.declare),
    grants: late(store.grants),
    ready: late(store.ready),
    close: late(store.close),
  }
}
