import { genesis } from '../journal/chain.ts'
import type { Quota } from '../policy/limits.ts'
import type { Awaitable, Clock, JournalEntry, JournalHead, ChangesSince, Store, Window } from '../ports.ts'
import { recent } from './recent.ts'
import type { UsageCounter, Usage } from './usage.ts'
import type { Accepted, Refused } from './verdict.ts'

/**
 * The finding for a credential, as far as it does not depend on time and requirement: a refusal, or the data of a key that
 * may be accepted.
 */
export type Finding<Scope extends string> =
  | { readonly refused: Refused; readonly active: undefined }
  | { readonly refused: undefined; readonly active: Active<Scope> }

/** A finding that stands until the journal says otherwise. */
export type CachedKey<Scope extends string> = Finding<Scope> & {
  /** The hash by which the credential was looked up. */
  readonly hash: string
  /** The subjects whose entries in the journal end this: the key and its owner. `undefined` for a refused credential. */
  readonly keyId: string | undefined
  readonly ownerSubject: string | undefined
  /** Found by its second hash or in a source: an import may yet give the secret to a key that is found before this one. */
  readonly lastResort: boolean
  /** Bytes that it takes, roughly. */
  readonly weight: number
}

/** The data of a key that may be accepted, in the order of the steps of verify. */
export interface Active<Scope extends string> {
  readonly accepted: Accepted<Scope>
  readonly held: ReadonlySet<string>
  /** False if nothing about the key ever begins or ends, so that verify does not read the clock. */
  readonly timed: boolean
  readonly notBefore: number | null
  readonly expiresAt: number | null
  /** The end of the secret that was presented. */
  readonly endsAt: number | null
  /** `undefined` if the key may be used from everywhere. */
  readonly allows: ((address: string) => boolean) | undefined
  /** False if the key has neither limits nor a quota, so that every call has the same verdict. */
  readonly metered: boolean
  /** The windows of the key, then those that its owner's keys share. */
  readonly windows: readonly Window[]
  readonly quota: Quota | null
  readonly counter: UsageCounter
}

/** Cached keys by the hash of the credential. The cache may answer only during a lease. */
export interface Cache<Scope extends string> {
  /** Whether a lease runs, so that the answer of `get` may be used. If not, `follow` first. */
  readonly current: () => boolean
  /** Looks at the journal, forgets what has changed, and takes a new lease. Throws or rejects when the store does. */
  readonly follow: () => Awaitable<void>
  readonly get: (hash: string) => CachedKey<Scope> | undefined
  /** Keeps a finding, unless something has changed since `version` was taken. */
  readonly keep: (cached: CachedKey<Scope>, version: number) => void
  /** Grows with every change that is seen. Take it before you read from the store. */
  readonly version: () => number
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
    // An unknown secret may be known now, and the journal does not have its hash.
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
