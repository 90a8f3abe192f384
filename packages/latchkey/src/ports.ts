import type { Lifetime } from './policy/lifetime.ts'
import type { Limit } from './policy/limits.ts'

/** A value now, or the promise of one: embedded stores answer at once, and the warm path must not wait for a promise. */
export type Awaitable<Value> = Value | Promise<Value>

/** Where time comes from. Tests bring their own. */
export interface Clock {
  /** Milliseconds since 1970 (UTC); may jump when the machine's clock is set. */
  now(): number
  /** Milliseconds from some fixed moment; never goes back. Leases are measured with it. */
  monotonic(): number
}

/** Why a key was revoked. */
export type RevocationReason = 'compromised' | 'superseded' | 'unused' | 'requested' | 'other'

/** A key as it is kept. Times are milliseconds since 1970 (UTC). */
export interface StoredKey extends Lifetime {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly environment: string
  readonly scopes: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  /** The visible start of its secret, for people. */
  readonly start: string
  readonly createdAt: number
  readonly revokedAt: number | null
  readonly revokedReason: RevocationReason | null
  readonly revokedNote: string | null
  /** The sequence number of the journal entry that changed it last. */
  readonly revision: number
}

/** What a journal entry tells, before it has its place in the chain. */
export interface JournalDraft {
  /** Milliseconds since 1970 (UTC). */
  readonly at: number
  /** Who did it, as the application names its people. */
  readonly actor: string
  readonly action: 'issue' | 'revoke'
  /** The id of the key. */
  readonly subject: string
  /** What changed, as JSON text; kept as text so that the hash is over exactly these characters. Never a secret, nor its hash. */
  readonly change: string
}

/** An entry in its place: numbered from 1 without a gap, and chained to the one before. */
export interface JournalEntry extends JournalDraft {
  readonly seq: number
  /** The hash of the entry before; 64 zeros for the first. */
  readonly previous: string
  /** SHA-256 over this entry, `previous` included. */
  readonly hash: string
}

/** The end of the journal. */
export type JournalHead = Pick<JournalEntry, 'seq' | 'hash'>

/** One change of one key: the row and what the journal says of it. Either both are kept or neither. */
export type Change =
  | {
      readonly kind: 'insert'
      /** `revision` is given by the store. */
      readonly key: Omit<StoredKey, 'revision'>
      readonly secretHash: string
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'update'
      /** The key as it will be; its `revision` is the one that the caller has seen. */
      readonly key: StoredKey
      readonly draft: JournalDraft
    }

/** What has changed since a look at the journal. */
export interface Look {
  /** The end of the journal at this look; 0 while it is empty. */
  readonly seq: number
  /** The ids of the keys that changed, or `many` when there are too many to name. */
  readonly changed: readonly string[] | 'many'
}

/** Which keys to list. */
export interface ListFilter {
  readonly owner: string | undefined
  readonly state: KeyState | undefined
  /** Milliseconds since 1970, at which the state is judged. */
  readonly now: number
  /** Only keys that were issued after the one with this place. */
  readonly after: number
  readonly limit: number
}

/** Where a key stands. */
export type KeyState = 'active' | 'pending' | 'expired' | 'revoked'

/** A listed key and its place in the order of issue, from which the next page goes on. */
export interface Listed {
  readonly place: number
  readonly key: StoredKey
}

/**
 * Where keys and the journal are kept. Every method may throw or reject; a keyring then answers `unavailable` to those
 * who ask for verification, and passes the error on to those who asked for a change.
 */
export interface Store {
  /**
   * For how many milliseconds after a look at the journal a cached key may still be accepted. `settled` waits that
   * long, so what is gained in speed by a longer one is paid by changes.
   */
  readonly lease: number
  /** The key whose secret has this hash. */
  bySecret(hash: string): Awaitable<StoredKey | undefined>
  byId(id: string): Awaitable<StoredKey | undefined>
  /** In the order of issue. */
  list(filter: ListFilter): Awaitable<readonly Listed[]>
  /**
   * All changes and their journal entries in one transaction, durable when it answers. `seal` gives a draft its place
   * after the head. Answers `undefined`, and does nothing, when a key to update is no longer at the revision given.
   */
  commit(
    changes: readonly Change[],
    seal: (draft: JournalDraft, head: JournalHead | undefined) => JournalEntry,
  ): Awaitable<readonly JournalEntry[] | undefined>
  /** What changed after this sequence number. Cheap when nothing did. */
  look(after: number): Awaitable<Look>
  /** Resolves when no other holder of a lease can still be serving what was before the commit that has just answered. */
  settled(): Promise<void>
  /** Entries after this sequence number, in order, at most `limit`. */
  journal(after: number, limit: number): Awaitable<readonly JournalEntry[]>
  /** The highest revision that any key has; 0 without keys. A journal that ends before it has been cut. */
  newestRevision(): Awaitable<number>
  close(): Awaitable<void>
}

/**
 * Another place where keys may come from, such as the settings: found by the hash of the secret like those of a store,
 * but never written. `bySecret` must answer at once, and its keys must not change while the keyring is open.
 */
export interface KeySource {
  bySecret(hash: string): StoredKey | undefined
}

/** A window in which a call is to be counted. */
export interface Window extends Limit {
  /** What the count belongs to: the same text on every instance. Two windows of one call never share one. */
  readonly bucket: string
}

/** How a window stands after a call. */
export interface WindowState {
  /** What is left, with this call counted if it was admitted. Never negative. */
  readonly remaining: number
  /** Milliseconds until there is more than `remaining`; 0 while nothing is counted. */
  readonly resetMs: number
  /** 0 if this window had room for the call; otherwise milliseconds until it has, `Infinity` if the cost is more than the limit. */
  readonly waitMs: number
}

/** What a limiter says of one call. */
export interface LimiterAnswer {
  /** Whether every window that is not `reportOnly` had room. */
  readonly admitted: boolean
  /** One for each window, in their order. */
  readonly states: readonly WindowState[]
  /** When the call was counted, by the limiter's own clock; for `giveBack`. */
  readonly at: number
}

/**
 * Where calls are counted. No interval of a window's length ever admits more than its limit. Every method may throw or
 * reject; a keyring then answers `unavailable`.
 */
export interface Limiter {
  /**
   * Counts a call in all windows or, if one that is not `reportOnly` has no room for its cost, in none. A `reportOnly`
   * window without room is not counted in and hinders nobody.
   */
  take(windows: readonly Window[], cost: number): Awaitable<LimiterAnswer>
  /** What `take` would say. Counts nothing. */
  peek(windows: readonly Window[], cost: number): Awaitable<LimiterAnswer>
  /** Takes back what an admitted `take` counted: the call was refused after all. */
  giveBack(windows: readonly Window[], cost: number, answer: LimiterAnswer): Awaitable<void>
  close(): Awaitable<void>
}
