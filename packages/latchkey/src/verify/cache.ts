import { genesis } from '../journal/chain.ts'
import { isOwner } from '../journal/subject.ts'
import type { Awaitable, Clock, JournalEntry, JournalHead, ChangesSince, Store } from '../ports.ts'
import type { CachedKey, CachedRefusal } from './cached-key.ts'
import { provisional } from './cached-key.ts'
import { recent } from './recent.ts'
import type { Usage } from './usage.ts'

/** Cached keys by the hash of the credential. The cache may answer only during a lease. */
export interface Cache<Scope extends string> {
  /** Whether a lease runs, so that the answer of `get` may be used. If not, `follow` first. */
  readonly current: () => boolean
  /** Looks at the journal, forgets what has changed, and takes a new lease. Throws or rejects when the store does. */
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
  readonly committed: (entries: readonly JournalEntry[]) => void
}

/**
 * Milliseconds during which a look that found only minted secrets stands. It is longer than most leases, because any
 * caller can cause the next look. The first import waits for it.
 */
export const formsLease = 100

/** Milliseconds after a failed look during which a text that is no secret does not cause another one. */
const afterFailure = 1000

/**
 * The cache of a keyring. Accepted and refused credentials are held apart, so that a flood of made-up keys cannot push
 * out the real ones, and so that unknown and revoked keys take the same path, in the same time.
 *
 * The lease is the whole of its licence to answer: a span of monotonic time that begins *before* a look at the journal,
 * so a change that was committed after the look outlives it by at most `store.lease`, which is what `store.settled` waits.
 */
export function openCache<Scope extends string>({
  store,
  clock,
  usage,
  limits,
}: {
  readonly store: Pick<Store, 'lease' | 'changesSince'>
  readonly clock: Clock
  readonly usage: Pick<Usage, 'tick'>
  /** The limits of each of the two memories: the number of entries and their bytes. */
  readonly limits: { readonly entries: number; readonly bytes: number }
}): Cache<Scope> {
  const accepted = recent<CachedKey<Scope>>(limits)
  const refused = recent<CachedRefusal>(limits)
  const memories = [accepted, refused]
  let seen: JournalHead | undefined
  let leaseEnd = -Infinity
  let version: object = {}
  let imported: ChangesSince['imported'] = []
  let formsKnownUntil = -Infinity
  let following: Promise<void> | undefined

  /**
   * Forgets what has changed: the secrets of a key, the keys of an owner. A new key changes nothing: nobody can have
   * presented its secret before it was made, so it is not among the refused ones. An import is of a secret that was made
   * elsewhere, and may have been presented before.
   */
  function changed(touched: ChangesSince['changed']): void {
    if (touched !== 'everything' && touched.every(({ action }) => action === 'issue')) return
    version = {}
    for (const memory of memories) {
      if (touched === 'everything') memory.clear()
      else {
        for (const { subject, action } of touched) {
          memory.forget(subject)
          if (action === 'import' || isOwner(subject)) memory.forget(provisional)
        }
      }
    }
  }

  function follow(): Awaitable<void> {
    if (following !== undefined) return following
    const began = clock.monotonic()
    usage.tick(clock.now())
    const finish = (look: ChangesSince): void => {
      changed(look.changed)
      imported = look.imported
      seen = look.head
      leaseEnd = began + store.lease
      formsKnownUntil = began + Math.max(formsLease, store.lease)
    }
    const failed = (error: unknown): never => {
      // Until then the last look stands: otherwise every text that is no secret would wait for a store that is gone.
      formsKnownUntil = clock.monotonic() + afterFailure
      throw error
    }
    try {
      const looked = store.changesSince(seen)
      if (!(looked instanceof Promise)) return finish(looked)
      following = looked.then(finish, failed).finally(() => {
        following = undefined
      })
      return following
    } catch (error) {
      return failed(error)
    }
  }

  function committed(entries: readonly JournalEntry[]): void {
    changed(entries)
    // From now on there may be secrets of another form, and only a look shows by which hash.
    if (entries.some(({ action }) => action === 'import')) leaseEnd = formsKnownUntil = -Infinity
    // If our entries directly follow what we have seen, skip them at the next look.
    const [first, last] = [entries[0], entries.at(-1)]
    if (last !== undefined && first?.previous === (seen?.hash ?? genesis)) seen = { seq: last.seq, hash: last.hash }
  }

  return {
    follow,
    committed,
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
  }
}
