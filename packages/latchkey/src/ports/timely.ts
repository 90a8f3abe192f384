import { LatchkeyError } from '../error.ts'
import type { Awaitable, KeySource, Limiter, Store } from '../ports.ts'

/** How many times as long as a check a change or a list may take. */
const patience = 10

/**
 * The one place where a store is called. Whatever can be waited for becomes a promise of ours (a thenable taken for a
 * value would be a quota without end), and nothing is waited for longer than it may take. An answer that is there at
 * once costs nothing more.
 *
 * @param timeout - milliseconds that a check may wait; changes and lists ten times as long.
 */
export function timelyStore(store: Store, timeout: number): Store {
  const check = within(timeout, 'The store has not answered')
  const work = within(timeout * patience, 'The store has not answered')
  const change = within(timeout * patience, 'The change may be done all the same: the store has not answered')
  const settle = within(store.lease + timeout * patience, 'The change is done, but the store has not answered')
  return {
    lease: store.lease,
    bySecret: (hash) => check(store.bySecret(hash)),
    byId: (id) => check(store.byId(id)),
    owner: (owner) => check(store.owner(owner)),
    changesSince: (after) => check(store.changesSince(after)),
    spend: (id, spending) => check(store.spend(id, spending)),
    noteFirstUse: (hash, at) => check(store.noteFirstUse(hash, at)),
    commit: (changes, chain, conditions) => change(store.commit(changes, chain, conditions)),
    // Always a promise, even if the store returns none: a store that only one process can open may do so.
    settled: async () => settle(store.settled()),
    list: (filter) => work(store.list(filter)),
    idempotentResult: (once) => work(store.idempotentResult(once)),
    journal: (filter) => work(store.journal(filter)),
    auditKeys: (after, limit) => work(store.auditKeys(after, limit)),
    auditOwners: (after, limit) => work(store.auditOwners(after, limit)),
    auditMissing: (after, limit) => work(store.auditMissing(after, limit)),
    withoutSnapshot: (limit) => work(store.withoutSnapshot(limit)),
    newestRevision: () => work(store.newestRevision()),
    recordUsage: (batch) => work(store.recordUsage(batch)),
    usage: (filter) => work(store.usage(filter)),
    declared: () => work(store.declared()),
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
export function timelyLimiter(limiter: Limiter, timeout: number): Limiter {
  const check = within(timeout, 'The limiter has not answered')
  const work = within(timeout * patience, 'The limiter has not answered')
  return {
    take: (windows, cost) =>
      check(limiter.take(windows, cost), (answer) => {
        if (answer.admitted) return limiter.giveBack(windows, cost, answer)
      }),
    peek: (windows, cost) => check(limiter.peek(windows, cost)),
    giveBack: (windows, cost, answer) => check(limiter.giveBack(windows, cost, answer)),
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

/** Waits for an answer; `late` is called with an answer that arrives after the wait has been given up. */
type Wait = <Value>(answer: Awaitable<Value>, late?: (value: Value) => Awaitable<void>) => Awaitable<Value>

/** @returns a function that answers what it is given, if it comes in so many milliseconds. */
function within(milliseconds: number, what: string): Wait {
  return <Value>(answer: Awaitable<Value>, late?: (value: Value) => Awaitable<void>) => {
    if (!isThenable(answer)) return answer
    // Once: a thenable may repeat its work for each `then`.
    const promised = Promise.resolve(answer)
    return new Promise<Value>((resolve, reject) => {
      const giveUp = (): void => {
        reject(new LatchkeyError('unavailable', `${what} for ${milliseconds / 1000} s.`))
        // An error of `late` is dropped: no caller waits for it any more.
        if (late !== undefined) promised.then(late).catch(() => {})
      }
      const timer = setTimeout(giveUp, milliseconds)
      promised.finally(() => clearTimeout(timer)).then(resolve, reject)
    })
  }
}

function isThenable(answer: unknown): answer is PromiseLike<unknown> {
  if ((typeof answer !== 'object' || answer === null) && typeof answer !== 'function') return false
  return typeof (answer as Partial<PromiseLike<unknown>>).then === 'function'
}
