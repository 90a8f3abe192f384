import { genesis } from '../journal/chain.ts'
import { isOwner } from '../journal/subject.ts'
import type { Awaitable, ChangesSince, Clock, JournalHead, Store, Timer, Touched } from '../ports.ts'
import type { CachedKey, CachedRefusal } from './cached-key.ts'
import { within } from '../within.ts'
import { provisional } from './cached-key.ts'
import { recent } from './recent.ts'
import type { Refusals } from './refusals.ts'
import type { Usage } from './usage.ts'

/** Cached keys by the hash of the credential. The cache may answer only during a lease. */
export interface Cache<Scope extends string> {
  /** Whether a lease runs, so that the answer of `get` may be used. If not, `follow` first. */
  readonly current: () => boolean
  /**
   * Looks at the journal, forgets what has changed, and takes a new lease. Throws or rejects when the store does, or when
   * the look takes longer than a caller may wait; it may still give a lease then.
   */
  readonly follow: () => Awaitable<void>
  readonly get: (hash: string) => CachedKey<Scope> | CachedRefusal | undefined
  /** Keeps a finding, unless something has changed since `version` was taken. */
  readonly keep: (cached: CachedKey<Scope> | CachedRefusal, version: object) => void
  /**
   * Another object after every change that is seen, and in every cache: equal only while nothing has changed. Take it
   * before you read from the store.
   */
  readonly version: () => object
  /**
   * Whether a recent look has read `imported`. Without imports, a text that is no minted secret is then refused without
   * a look of its own; otherwise any caller could make a process look as often as they like.
   */
  readonly knowsForms: () => boolean
  /** The kinds of hashes by which secrets were imported, as of the last look. */
  readonly imported: () => ChangesSince['imported']
  /** Forgets what this keyring itself has changed. */
  readonly committed: (entries: readonly Touched[]) => void
  /** Gives up the lease for good. */
  readonly close: () => Promise<void>
}

/**
 * Milliseconds during which a look that found only minted secrets stands. It is longer than most leases, because any
 * caller can cause the next look. The first import waits for it.
 */
export const formsLease = 100

/** Milliseconds after a failed look during which a text that is no secret does not cause another one. */
const afterFailure = 1000

/** Milliseconds that a verification waits for a look. */
const patience = 250

/**
 * The cache of a keyring. Accepted and refused credentials are held apart, so that a flood of made-up keys cannot push
 * out the real ones, and so that unknown and revoked keys take the same path, in the same time.
 *
 * The lease is the whole of its licence to answer: a span of monotonic time that begins *before* a look at the journal is
 * asked for. So a change that was committed after the look outlives it by at most `store.lease`, and `store.settled` waits
 * for that, or until the cache has said that it has applied the change.
 *
 * What is applied always continues what was applied before: by its number and by the hash of the entry before it. After a
 * failover the same number may belong to another entry.
 */
export function openCache<Scope extends string>({
  store,
  clock,
  after,
  usage,
  refusals,
  limits,
}: {
  readonly store: Pick<Store, 'lease' | 'follow'>
  readonly clock: Clock
  readonly after: Timer
  readonly usage: Pick<Usage, 'tick'>
  readonly refusals: Pick<Refusals, 'erased'>
  /** The limits of each of the two memories: the number of entries and their bytes. */
  readonly limits: { readonly entries: number; readonly bytes: number }
}): Cache<Scope> {
  const accepted = recent<CachedKey<Scope>>(limits)
  const refused = recent<CachedRefusal>(limits)
  const memories = [accepted, refused]
  const inTime = within(patience, { what: 'The store has not said what has changed', after })
  let { lease } = store
  let seen: JournalHead | undefined
  let leaseEnd = -Infinity
  let version: object = {}
  let imported: ChangesSince['imported'] = []
  let formsKnownUntil = -Infinity
  /** How many imports were applied that no look has brought. */
  let imports = 0
  let looking: Promise<void> | undefined
  /** What was applied since the look that is under way was asked for. */
  const meanwhile: Touched[] = []
  const follower = store.follow(wake)

  function forgetEverything(): void {
    version = {}
    for (const memory of memories) memory.clear()
    refusals.erased()
  }

  /**
   * Forgets what has changed: the secrets of a key, the keys of an owner. A new key changes nothing: nobody can have
   * presented its secret before it was made, so it is not among the refused ones. An import is of a secret that was made
   * elsewhere, and may have been presented before.
   */
  function forget(touched: readonly Touched[]): void {
    if (touched.every(({ action }) => action === 'issue')) return
    version = {}
    if (touched.some(({ action }) => action === 'erase')) refusals.erased()
    for (const memory of memories) {
      for (const { subject, action } of touched) {
        memory.forget(subject)
        if (action === 'import' || isOwner(subject)) memory.forget(provisional)
      }
    }
  }

  /** Applies entries that no look has brought. They are applied once: the next look begins after them. */
  function apply(entries: readonly Touched[]): void {
    forget(entries)
    if (entries.some(({ action }) => action === 'import')) awaitForms()
    if (!continues(entries)) return
    seen = headOf(entries) ?? seen
    if (looking !== undefined) meanwhile.push(...entries)
    confirm()
  }

  /** From now on there may be secrets of any form. Only a look shows by which hash, and only one that begins later. */
  function awaitForms(): void {
    imports++
    if (imported.length === 0) imported = ['sha256']
    leaseEnd = formsKnownUntil = -Infinity
  }

  function continues([first]: readonly Touched[]): boolean {
    return first?.previous === (seen?.hash ?? genesis)
  }

  /** Only when all of it is forgotten: a change is answered on this word. */
  function confirm(): void {
    if (seen !== undefined) follower.applied(seen)
  }

  function wake(entries: readonly Touched[] = []): void {
    const last = headOf(entries)
    if (last !== undefined && last.seq === seen?.seq && last.hash === seen.hash) return
    if (continues(entries)) return apply(entries)
    const ignore = (): void => {}
    // One that is under way may have begun too early. A failure is left to the look of the next verification.
    const before = looking?.catch(ignore) ?? Promise.resolve()
    void before.then(look).catch(ignore)
  }

  function look(): Awaitable<void> {
    if (looking !== undefined) return looking
    const began = clock.monotonic()
    const before = imports
    usage.tick(clock.now())
    meanwhile.length = 0
    const finish = ({ changed, head, imported: kinds }: ChangesSince): void => {
      if (changed === 'everything') {
        forgetEverything()
        seen = head
      } else if (isOneHistory(changed, meanwhile)) {
        // What was applied meanwhile may go further than the look.
        const rest = changed.slice(meanwhile.length)
        forget(rest)
        if (rest.length > 0) seen = head
      } else {
        forgetEverything()
        seen = undefined
        leaseEnd = -Infinity
        throw new Error('The journal is another one than before.')
      }
      if (imports === before) {
        imported = kinds
        leaseEnd = began + lease
        formsKnownUntil = began + Math.max(formsLease, lease)
      }
      confirm()
    }
    const failed = (error: unknown): never => {
      // Until then the last look stands: otherwise every text that is no secret would wait for a store that is gone.
      formsKnownUntil = clock.monotonic() + afterFailure
      throw error
    }
    try {
      const looked = follower.changesSince(seen)
      if (!(looked instanceof Promise)) return finish(looked)
      const finished = looked.then(finish, failed).finally(() => {
        looking = undefined
      })
      looking = finished.then(() => (imports === before ? undefined : look()))
      return looking
    } catch (error) {
      return failed(error)
    }
  }

  return {
    follow: () => inTime(look()),
    committed: apply,
    current: () => clock.monotonic() < leaseEnd,
    version: () => version,
    knowsForms: () => clock.monotonic() < formsKnownUntil,
    imported: () => imported,
    get: (hash) => accepted.get(hash) ?? refused.get(hash),
    keep(cached, since) {
      if (since !== version) return
      if (cached.refused === undefined) accepted.set(cached)
      else refused.set(cached)
    },
    async close() {
      // Also that of a look that is under way.
      lease = leaseEnd = -Infinity
      await follower.close()
    },
  }
}

/** The last of these entries. */
function headOf(entries: readonly Touched[]): JournalHead | undefined {
  const last = entries.at(-1)
  return last && { seq: last.seq, hash: last.hash }
}

/**
 * Whether two lists of entries that begin after the same one are of one journal: the shorter is the beginning of the
 * longer. As each entry holds the hash of the one before, one comparison is enough.
 */
function isOneHistory(some: readonly Touched[], others: readonly Touched[]): boolean {
  const common = Math.min(some.length, others.length)
  return common === 0 || some[common - 1]?.hash === others[common - 1]?.hash
}
