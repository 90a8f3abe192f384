import { LatchkeyError } from '../error.ts'
import type { KeySource, Limiter, Store, Timer } from '../ports.ts'
import { isThenable, within } from '../within.ts'

/** How many times as long as a check a change or a list may take. */
const patience = 10

/** How long a port is waited for, and the timer by which it is. */
export interface Waits {
  readonly timeout: number
  readonly after: Timer
}

/**
 * The one place where a store is called. Whatever can be waited for becomes a promise of ours (a thenable taken for a
 * value would be a quota without end), and nothing is waited for longer than it may take. An answer that is there at
 * once costs nothing more.
 *
 * @param waits - `timeout`, the milliseconds that a check may wait; changes and lists ten times as long.
 */
export function timelyStore(store: Store, { timeout, after }: Waits): Store {
  const what = 'The store has not answered'
  const check = within(timeout, { what, after })
  const work = within(timeout * patience, { what, after })
  const change = within(timeout * patience, {
    what: 'The change may be done all the same: the store has not answered',
    after,
  })
  const settle = within(store.lease + timeout * patience, {
    what: 'The change is done, but the store has not answered',
    after,
  })
  return {
    lease: store.lease,
    bySecret: (hash) => check(store.bySecret(hash)),
    byId: (id) => check(store.byId(id)),
    owner: (owner) => check(store.owner(owner)),
    follow(wake) {
      const follower = store.follow(wake)
      return {
        changesSince: (head) => check(follower.changesSince(head)),
        applied: (head) => follower.applied(head),
        close: () => work(follower.close()),
      }
    },
    spend: (id, spending) => check(store.spend(id, spending)),
    noteFirstUse: (hash, at) => check(store.noteFirstUse(hash, at)),
    commit: (changes, chain, conditions) => change(store.commit(changes, chain, conditions)),
    // Always a promise, even if the store returns none: a store that only one process can open may do so.
    settled: async (seq, hash) => settle(store.settled(seq, hash)),
    list: (filter) => work(store.list(filter)),
    owners: (filter) => work(store.owners(filter)),
    counts: (filter) => work(store.counts(filter)),
    idempotentResult: (once) => work(store.idempotentResult(once)),
    journal: (filter) => work(store.journal(filter)),
    entries: (filter) => work(store.entries(filter)),
    auditFiling: (seq, limit) => work(store.auditFiling(seq, limit)),
    auditKeys: (place, limit) => work(store.auditKeys(place, limit)),
    auditOwners: (owner, limit) => work(store.auditOwners(owner, limit)),
    auditMissing: (seq, limit) => work(store.auditMissing(seq, limit)),
    withoutSnapshot: (limit) => work(store.withoutSnapshot(limit)),
    newestRevision: () => work(store.newestRevision()),
    recordUsage: (batch) => work(store.recordUsage(batch)),
    forgetUse: (of, limit) => work(store.forgetUse(of, limit)),
    entriesNaming: (owner, last) => work(store.entriesNaming(owner, last)),
    purgeable: (filter) => work(store.purgeable(filter)),
    countPurgeable: (before) => work(store.countPurgeable(before)),
    purgeRows: (before) => work(store.purgeRows(before)),
    claimPurge: (claim) => work(store.claimPurge(claim)),
    isErased: (hash) => check(store.isErased(hash)),
    isErasedUse: (use) => work(store.isErasedUse(use)),
    scrub: () => work(store.scrub()),
    usage: (filter) => work(store.usage(filter)),
    usageSums: (filter) => work(store.usageSums(filter)),
    recordRefusals: (refusals, bounds) => work(store.recordRefusals(refusals, bounds)),
    refusals: (filter) => work(store.refusals(filter)),
    declared: () => work(store.declared()),
    cursorKey: () => work(store.cursorKey()),
    declare: (declared) => work(store.declare(declared)),
    grants: (environments) => work(store.grants(environments)),
    ready: () => check(store.ready()),
    close: () => work(store.close()),
  }
}

/**
 * The same for a limiter. If its answer arrives after the call was given up, the counted cost is given back: the caller
 * was answered `unavailable`, and a refused call spends nothing.
 */
export function timelyLimiter(limiter: Limiter, { timeout, after }: Waits): Limiter {
  const what = 'The limiter has not answered'
  const check = within(timeout, { what, after })
  const work = within(timeout * patience, { what, after })
  return {
    take: (windows, cost) =>
      check(limiter.take(windows, cost), (answer) => {
        if (answer.admitted) return limiter.giveBack(windows, cost, answer)
      }),
    peek: (windows, cost) => check(limiter.peek(windows, cost)),
    giveBack: (windows, cost, answer) => check(limiter.giveBack(windows, cost, answer)),
    ...(limiter.state === undefined ? {} : { state: () => limiter.state!() }),
    close: () => work(limiter.close()),
  }
}

/** The same of a source, which is not waited for at all. */
export function promptSource(source: KeySource): KeySource {
  return {
    keys: source.keys,
    bySecret(hash) {
      const key = source.bySecret(hash)
      if (isThenable(key)) throw new LatchkeyError('unavailable', 'A source of keys must answer at once.')
      return key
    },
  }
}
