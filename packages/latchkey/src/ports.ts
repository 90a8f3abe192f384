import type { Rights } from './policy/delegation.ts'
import type { Limit, Quota } from './policy/limits.ts'

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
export interface StoredKey extends Rights {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly limits: readonly Limit[]
  readonly quota: Quota | null
  /** The visible start of its newest secret, for people. */
  readonly start: string
  readonly createdAt: number
  /** Random, and told to nobody: with it, what the journal says of its rows cannot be guessed from the journal. */
  readonly salt: string
  readonly disabledAt: number | null
  /** The admin key that disabled it; `null` while it is not disabled, or where whoever holds the keyring itself did. */
  readonly disabledBy: string | null
  readonly revokedAt: number | null
  readonly revokedReason: RevocationReason | null
  readonly revokedNote: string | null
  /** The sequence number of the journal entry that changed it last. */
  readonly revision: number
}

/** How a secret came here: minted, or made elsewhere and imported by one of these hashes of it. */
export type SecretKind = 'minted' | 'sha256' | 'sha512'

/** A secret of a key, as far as it is kept. */
export interface StoredSecret {
  /** In lower-case hexadecimal. */
  readonly hash: string
  readonly kind: SecretKind
  /** What may be shown of it. */
  readonly start: string
  readonly createdAt: number
  /** When a newer one came to stand in for it; `null` for the newest. */
  readonly retiredAt: number | null
  /** The first millisecond in which it no longer works; `null` for the newest. */
  readonly endsAt: number | null
  /** It was ended: it works no more, whatever a clock says. */
  readonly ended: boolean
  /** As of the last time that usage was written. */
  readonly lastUsedAt: number | null
  /** The admin key that brought it about; `null` where whoever holds the keyring itself did. */
  readonly issuedBy: string | null
}

/** An owner of whom more is kept than its name. */
export interface StoredOwner {
  readonly owner: string
  readonly disabledAt: number | null
  /** Shared by all its keys. */
  readonly limits: readonly Limit[]
  /** The sequence number of the journal entry that changed it last; 0 before the first. */
  readonly revision: number
}

/** What is found by a secret: all that verify needs. */
export interface Found {
  readonly key: StoredKey
  /** `undefined` for a key that is not from a store. */
  readonly secret: StoredSecret | undefined
  /** `undefined` where nothing but the name is kept. */
  readonly owner: StoredOwner | undefined
}

/** What is found by an id: all that is kept of a key. */
export interface Kept {
  readonly key: StoredKey
  /** The newest first. */
  readonly secrets: readonly StoredSecret[]
  readonly owner: StoredOwner | undefined
  /** Of each period in which something was taken or filled up, in order; at least of the four nearest to the last one. */
  readonly quotas: readonly QuotaState[]
}

/** What is left of a quota, and of which period that is said. */
export interface QuotaState {
  readonly remaining: number
  /** As `periodStart` gives it. */
  readonly period: number
}

/** What a change was. */
export type Action = 'issue' | 'import' | 'change' | 'rotate' | 'retire' | 'disable' | 'enable' | 'revoke' | 'snapshot'

/** What a journal entry tells, before it has its place in the chain. */
export interface JournalDraft {
  /** Milliseconds since 1970 (UTC). */
  readonly at: number
  /** Who did it, as the application names its people; the id of the admin key where it came over HTTP. */
  readonly actor: string
  readonly action: Action
  /** The id of the key, or `owner:` and the name of an owner. */
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

/** One change: the rows and what the journal says of them. Either all are kept or nothing is. */
export type Change =
  | {
      readonly kind: 'insert'
      /** `revision` is given by the store. */
      readonly key: Omit<StoredKey, 'revision'>
      readonly secret: StoredSecret
      readonly quota: QuotaState | null
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'update'
      /** The key as it will be; its `revision` is the one that the caller has seen. */
      readonly key: StoredKey
      /** Its secrets that are new or change, as they will be. What was written of their use stays. */
      readonly secrets?: readonly StoredSecret[] | undefined
      /** Only while none of its secrets with these hashes was ever used. */
      readonly unused?: readonly string[] | undefined
      /**
       * What is left from now on, or how much more, of every period: never less than nothing, and counted in with what
       * is spent at the same time. `null` where there is no quota any more. Untouched if left out.
       */
      readonly quota?: QuotaState | { readonly more: number } | null | undefined
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'owner'
      /** The owner as it will be; its `revision` is the one that the caller has seen. */
      readonly owner: StoredOwner
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'snapshot'
      /** What the entry tells of, each at the revision that the caller has seen; no longer among `untold` afterwards. */
      readonly rows: readonly { readonly subject: string; readonly revision: number }[]
      readonly draft: JournalDraft
    }

/** What makes a call happen once, however often it is sent. */
export interface Once {
  /** Who sends it; tokens of others are others. */
  readonly actor: string
  readonly token: string
  /** Of all that was asked for. */
  readonly fingerprint: string
  /** Where the call is done again: the sequence number of what it brought about before, which must still be the last. */
  readonly after?: number | undefined
}

/** What a call that must happen once has brought about. */
export interface OnceDone {
  readonly fingerprint: string
  /** The subjects of its journal entries, in order: the ids of the keys that it issued or changed. */
  readonly ids: readonly string[]
  /** The sequence number of its first journal entry. */
  readonly seq: number
}

/** The admin key on whose behalf a change is made, as it was when its rights were read. */
export interface Witness {
  readonly id: string
  readonly revision: number
  /** Of its owner; 0 where nothing but the name is kept. */
  readonly ownerRevision: number
  /** The hash of the secret that it was verified with, where that is known: it must still work. */
  readonly secret?: string | undefined
  /** The first millisecond in which it may do nothing any more, by `now`. */
  readonly expiresAt: number | null
  readonly now: () => number
}

/** What must be so, in the transaction itself, for changes to be made. */
export interface Conditions {
  readonly once?: Once | undefined
  /** This admin key still is what it was: a change that waited for others is not made on a right that has gone meanwhile. */
  readonly authority?: Witness | undefined
  /** So is this one, which is what is left when the change takes a right away. */
  readonly left?: Witness | undefined
}

/** What a journal entry is about, and what it did to it. */
export type Touched = Pick<JournalEntry, 'subject' | 'action'>

/** What has changed since a look at the journal. */
export interface Look {
  /** How far the journal was seen by this look; `undefined` while it is empty. */
  readonly head: JournalHead | undefined
  /**
   * What changed, in order; `everything` when it is too much to name, or when the journal is another one: it does not
   * contain the head that was seen before.
   */
  readonly changed: readonly Touched[] | 'everything'
  /** By which hashes secrets were imported; without any, what was not minted here is refused unread. */
  readonly imported: readonly Exclude<SecretKind, 'minted'>[]
}

/** Which keys to list. What is `undefined` is not asked for. */
export interface ListFilter {
  readonly owner: string | undefined
  /** Any of these. */
  readonly environments: readonly string[] | undefined
  readonly state: KeyState | undefined
  /** Granted itself, or by its wildcard. */
  readonly scope: string | undefined
  /** Part of an id, a name, an owner or the start of a secret, in any case. */
  readonly text: string | undefined
  /** Only keys with a secret that works and that this admin key brought about. */
  readonly issuedBy?: string | undefined
  /** Milliseconds since 1970, at which the state is judged. */
  readonly now: number
  /** Only keys that were issued after the one with this place. */
  readonly after: number
  readonly limit: number
}

/** Where a key stands. The first that is true counts. */
export type KeyState = 'revoked' | 'disabled' | 'owner_disabled' | 'expired' | 'pending' | 'active'

/** A listed key and its place in the order of issue, from which the next page goes on. */
export interface Listed {
  readonly place: number
  readonly key: StoredKey
  readonly ownerDisabled: boolean
  readonly lastUsedAt: number | null
}

/** The rows of a key and the last journal entry on it, as they stood at one moment. */
export interface AuditedKey {
  /** In the order of issue. */
  readonly place: number
  readonly id: string
  /** `undefined` where a column holds what nobody has written there, and cannot be read. */
  readonly key: StoredKey | undefined
  readonly secrets: readonly StoredSecret[]
  /** `undefined` where no entry is on it. */
  readonly last: Pick<JournalEntry, 'seq' | 'change'> | undefined
}

/** The row of an owner and the last journal entry on it, as they stood at one moment. */
export interface AuditedOwner {
  readonly name: string
  /** `undefined` where a column cannot be read. */
  readonly owner: StoredOwner | undefined
  readonly last: Pick<JournalEntry, 'seq' | 'change'> | undefined
}

/** Which entries of the journal to read, in their order. What is `undefined` is not asked for. */
export interface JournalFilter {
  /** Only entries after this sequence number. */
  readonly after: number
  readonly limit: number
  readonly subject?: string | undefined
  readonly actor?: string | undefined
  /** Milliseconds since 1970: the first that counts, and the first that no longer does. */
  readonly from?: number | undefined
  readonly to?: number | undefined
}

/** What came of using a key in one hour: `accepted`, or the code of a refusal. */
export interface UsageCount {
  /** Milliseconds since 1970 at which the hour begins. */
  readonly hour: number
  /** The id of the key; empty where the credential belonged to none. */
  readonly key: string
  readonly owner: string
  readonly outcome: string
  readonly count: number
}

/** What has been counted since the last time that usage was written. */
export interface UsageBatch {
  /** Each hour, key and outcome at most once. */
  readonly counts: readonly UsageCount[]
  /** When each secret was used last, by its hash. */
  readonly lastUsed: ReadonlyMap<string, number>
}

/** Which usage to read. What is `undefined` is not asked for. */
export interface UsageFilter {
  readonly key: string | undefined
  readonly owner: string | undefined
  readonly outcome: string | undefined
  /** Only keys of any of these. */
  readonly environments?: readonly string[] | undefined
  /** Milliseconds since 1970: the first that counts, and the first that no longer does. */
  readonly from: number
  readonly to: number
  readonly limit: number
}

/** What an application declares of its keys. */
export interface Declared {
  /** Each with the sentence that the documentation shows. */
  readonly scopes: Readonly<Record<string, string>>
  /** What every secret begins with. */
  readonly prefix: string
  /** Those that keys are issued for, the usual one first. */
  readonly environments: readonly string[]
}

/** An attempt to spend from a quota. */
export interface Spending {
  readonly cost: number
  /** The quota as the caller knows it: if it is another by now, nothing is taken. */
  readonly quota: Quota
  /** The period that it is now, as `periodStart` gives it. */
  readonly period: number
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
  /** The key that has a secret with this hash. */
  bySecret(hash: string): Awaitable<Found | undefined>
  byId(id: string): Awaitable<Kept | undefined>
  owner(owner: string): Awaitable<StoredOwner | undefined>
  /** In the order of issue. */
  list(filter: ListFilter): Awaitable<readonly Listed[]>
  /**
   * All changes and their journal entries in one transaction, durable when it answers. `seal` gives a draft its place
   * after the head. Answers `undefined`, and does nothing, when what is to be updated is no longer at the revision
   * given, when a secret is there already (of another key, where a key is changed), or when a condition does not hold.
   */
  commit(
    changes: readonly Change[],
    seal: (draft: JournalDraft, head: JournalHead | undefined) => JournalEntry,
    conditions?: Conditions,
  ): Awaitable<readonly JournalEntry[] | undefined>
  /** What was done for a token; kept for a day at least. */
  done(once: Pick<Once, 'actor' | 'token'>): Awaitable<OnceDone | undefined>
  /**
   * What changed after the head that an earlier look has seen, `undefined` for all there is. Cheap when nothing did.
   *
   * A journal without that head, because it is shorter or has another hash at its number, is not the one that was seen:
   * a backup was restored, or an instance that was behind has taken over. What was read before says nothing of it, not
   * even where the numbers go on: `everything` has changed. Throws or rejects where it cannot be told what has changed.
   */
  look(after: JournalHead | undefined): Awaitable<Look>
  /** Resolves when no other holder of a lease can still be serving what was before the commit that has just answered. */
  settled(): Promise<void>
  journal(filter: JournalFilter): Awaitable<readonly JournalEntry[]>
  /** All keys, in the order of issue, after the one with this place; `undefined` for the first, wherever it lies. */
  auditKeys(after: number | undefined, limit: number): Awaitable<readonly AuditedKey[]>
  /** All owners of whom something is kept, in the order of their names, after this one; `undefined` for the first. */
  auditOwners(after: string | undefined, limit: number): Awaitable<readonly AuditedOwner[]>
  /** Subjects that the journal tells of, in the order of the entries that tell of them, and that are not there. */
  auditMissing(after: number, limit: number): Awaitable<readonly Pick<JournalEntry, 'seq' | 'subject'>[]>
  /**
   * Some of the subjects whose rows are of a version that did not tell the journal how they stood, and of which no
   * snapshot tells either. None for a store that may not write.
   */
  untold(limit: number): Awaitable<readonly string[]>
  /** The highest revision that anything has; 0 if there is nothing. A journal that ends before it has been cut. */
  newestRevision(): Awaitable<number>
  /**
   * Takes the cost from what is left of a key's quota in a period, which is all of it before anything is taken, if so
   * much is left. Exact under any concurrency. Every period has its own: a clock that jumps to the next month and back
   * leaves this one what it had. Answers what is left, or `undefined`, having taken nothing: too little is left, or the
   * key has another quota.
   */
  spend(id: string, spending: Spending): Awaitable<number | undefined>
  /**
   * Keeps when a secret was used first, where no use of it is known, durable when it answers. Answers `false`, having done
   * nothing, rather than wait for another writer: the call that is being accepted does not wait either.
   */
  noteFirstUse(hash: string, at: number): Awaitable<boolean>
  /** Adds to the counts and moves each last use forward; never back. */
  recordUsage(batch: UsageBatch): Awaitable<void>
  /** By hour, then key, then outcome. */
  usage(filter: UsageFilter): Awaitable<readonly UsageCount[]>
  /** What was declared last; `undefined` where nothing ever was, which is not the same as nothing. */
  declared(): Awaitable<Declared | undefined>
  /** Keeps what is declared, for those who do not know. A store that may not be written to leaves it as it is. */
  declare(declared: Declared): Awaitable<void>
  /** The scopes of keys of these environments that are not revoked, as granted, each once. */
  grants(environments: readonly string[]): Awaitable<readonly string[]>
  /** Throws or rejects where it cannot be read, or not be changed, at the moment. Writes nothing. */
  ready(): Awaitable<void>
  close(): Awaitable<void>
}

/**
 * Another place where keys may come from, such as the settings: found by the hash of the secret like those of a store,
 * but never written. `bySecret` must answer at once, and its keys must not change while the keyring is open.
 */
export interface KeySource {
  /** All keys that it may answer with, checked when the keyring is opened. */
  readonly keys: readonly StoredKey[]
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
