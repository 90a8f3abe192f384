import { genesis } from '../journal/chain.ts'
import type { Quota } from '../policy/limits.ts'
import type { Awaitable, Clock, JournalEntry, JournalHead, ChangesSince, Store, Window } from '../ports.ts'
import { recent } from './recent.ts'
import type { UsageCounter, Usage } from './usage.ts'
import type { Accepted, Refused } from './verdict.ts'

/** A verdict that stands until the journal says otherwise, as far as it does not depend on time and requirement. */
export interface CachedKey<Scope extends string> {
  /** Of the secret. */
  readonly hash: string
  /** Set where the credential is refused whatever the time and the requirement. */
  readonly refused: Refused | undefined
  /** Set where it is not. */
  readonly active: Active<Scope> | undefined
  /** What the journal says when this is no longer so: the id of the key, and its owner. `undefined` where it is refused. */
  readonly keyId: string | undefined
  readonly ownerSubject: string | undefined
  /** Found by another hash of the secret or in another source: its secret may yet come to a key that is looked for before. */
  readonly lastResort: boolean
  /** Bytes that it takes, roughly. */
  readonly weight: number
}

/** What is known of a key that may be accepted, put in the way that verify goes. */
export interface Active<Scope extends string> {
  readonly accepted: Accepted<Scope>
  readonly held: ReadonlySet<string>
  /** False where nothing about it ever begins or ends, so that nobody needs to look at the clock. */
  readonly timed: boolean
  readonly notBefore: number | null
  readonly expiresAt: number | null
  /** Of this secret. */
  readonly endsAt: number | null
  /** `undefined` where it may be used from anywhere. */
  readonly allows: ((address: string) => boolean) | undefined
  /** False where it has neither limits nor a quota, so that a verdict is the same each time. */
  readonly metered: boolean
  /** Its own, then those that its owner's keys share. */
  readonly windows: readonly Window[]
  readonly quota: Quota | null
  readonly counter: UsageCounter
}

/** Cached keys by the hash of the secret, allowed to answer only while the journal has been seen to its end. */
export interface Cache<Scope extends string> {
  /** Whether what `get` answers may be used. If not, `follow` first. */
  readonly current: () => boolean
  /** Looks at the journal, forgets what changed and takes a new lease. Throws or rejects when the store does. */
  readonly follow: () => Awaitable<void>
  readonly get: (hash: string) => CachedKey<Scope> | undefined
  /** Keeps what was read, unless something has changed since `version` was taken. */
  readonly keep: (cached: CachedKey<Scope>, version: number) => void
  /** Grows with everything that is forgotten. Take it before reading from the store. */
  readonly version: () => number
  /**
   * Whether `imported` was looked at lately. What has not the form of a minted secret is refused by it for so long without
   * a look of its own, or anybody could have the store asked as often as they like.
   */
  readonly knowsForms: () => boolean
  /** By which hashes secrets were imported, as of the last look. */
  readonly imported: () => ChangesSince['imported']
  /** Forgets what this keyring has changed itself. */
  readonly committed: (entries: readonly JournalEntry[]) => void
}

/**
 * Milliseconds for which it is known that no secrets but minted ones are there. Longer than most leases, since anybody
 * can have it asked anew; the first import waits for it.
 */
export const formsLease = 100

/** Milliseconds after a look that failed in which nobody who sends nonsense waits for another one. */
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
  /** Of each of the two memories: how many are held at most, and how many bytes they take. */
  readonly limits: { readonly entries: number; readonly bytes: number }
}): Cache<Scope> {
  const accepted = recent<CachedKey<Scope>>(limits)
  const refused = recent<CachedKey<Scope>>(limits)
  let seen: JournalHead | undefined
  let leaseEnd = -Infinity
  let version = 0
  let imported: ChangesSince['imported'] = []
  let formsKnownUntil = -Infinity
  let following: Promise<void> | undefined

  function changed(touched: ChangesSince['changed']): void {
    if (touched.length === 0) return
    version++
    // A secret that was unknown may be known by now, and its hash is not in the journal.
    refused.clear()
    if (touched === 'everything') {
      accepted.clear()
      return
    }
    const outdated = new Set<string | undefined>(touched.map(({ subject }) => subject))
    const anyImport = touched.some(({ action }) => action === 'import')
    accepted.forget(({ keyId, ownerSubject, lastResort }) => {
      return outdated.has(keyId) || outdated.has(ownerSubject) || (anyImport && lastResort)
    })
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
      // While nobody can look it is what it was, or all who send nonsense would wait for a store that is gone.
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
    // From now on there may be secrets of another form, and only a look tells by which hash.
    if (entries.some(({ action }) => action === 'import')) leaseEnd = formsKnownUntil = -Infinity
    // Where nobody else's entries lie between, the next look need not tell us of our own.
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
