import type { Awaitable } from './awaitable.ts'
import type {
  Change,
  Conditions,
  IdempotentCall,
  IdempotentResult,
  PurgeBefore,
  PurgeCounts,
  PurgedRows,
  RowsBefore,
} from './change.ts'
import type { Follower, Propagation } from './follower.ts'
import type {
  AuditedFiling,
  AuditedKey,
  AuditedOwner,
  EntryFilter,
  EntryListItem,
  JournalDraft,
  JournalEntry,
  JournalFilter,
  JournalHead,
  NamingEntries,
  Touched,
} from './journal.ts'
import type { CountedKeys, CountFilter, OwnerFilter, OwnerListItem } from './counts.ts'
import type { ListFilter, KeyListPage } from './list.ts'
import type { Declared, SecretMatch, KeyRecord, StoredOwner } from './records.ts'
import type { RefusalBounds, RefusalDraft, RefusalFilter, StoredRefusal } from './refusals.ts'
import type { Spending, UsageBatch, UsageCount, UsageFilter, UsageSums, UsageSumsFilter } from './usage.ts'

/** Which keys have something to purge. */
export interface PurgeableFilter {
  /** `revoked`: the key was revoked before. `secrets`: a secret of it ended before. */
  readonly of: 'revoked' | 'secrets'
  /** In milliseconds since 1970. */
  readonly before: number
  readonly limit: number
}

/** Who purges until when, in milliseconds since 1970. */
export interface PurgeClaim {
  /** A name that nobody else has. */
  readonly holder: string
  readonly now: number
  readonly until: number
}

/** The key of a call, and the owner that it had then. */
export interface ErasedUse {
  readonly key: string
  readonly owner: string
}

/**
 * Keeps keys and the journal. Every method may throw or reject; a keyring then answers `unavailable` to a verification,
 * and passes the error on to the caller of a change.
 */
export interface Store {
  /**
   * For how many milliseconds after a look at the journal a cached key may still be accepted. `settled` waits that
   * long for every cache that does not confirm a change, so what is gained in speed by a longer one is paid by changes.
   */
  readonly lease: number
  /** The key that has a secret with this hash. */
  bySecret(hash: string): Awaitable<SecretMatch | undefined>
  /** The key with this id, with its secrets, its owner and its quota. */
  byId(id: string): Awaitable<KeyRecord | undefined>
  /** The record of an owner; `undefined` if there is none. */
  owner(owner: string): Awaitable<StoredOwner | undefined>
  /** A page of keys in the order that the filter names. */
  list(filter: ListFilter): Awaitable<KeyListPage>
  /** Owners that have a key or a record, in the order of their names; capital letters count only between equal ones. */
  owners(filter: OwnerFilter): Awaitable<readonly OwnerListItem[]>
  /** The number of keys by state, all read at once; an entry for each environment that has keys. */
  counts(filter: CountFilter): Awaitable<readonly CountedKeys[]>
  /**
   * All changes and their journal entries in one transaction, durable when it answers. `chain` gives a draft its place
   * after the head. Answers `undefined`, and does nothing, when what is to be updated is no longer at the revision
   * given, when a secret is there already (of another key, where a key is changed), or when a condition does not hold.
   */
  commit(
    changes: readonly Change[],
    chain: (draft: JournalDraft, head: JournalHead | undefined) => JournalEntry,
    conditions?: Conditions,
  ): Awaitable<readonly JournalEntry[] | undefined>
  /** The result of the call with this token; kept for at least a day. */
  idempotentResult(once: Pick<IdempotentCall, 'actor' | 'idempotencyKey'>): Awaitable<IdempotentResult | undefined>
  /**
   * Begins to follow the journal for one cache. It may call `wake` at any time after it has answered: without anything
   * where a look at the journal is due, or with entries of the journal, in their order, that the cache can apply at once
   * if they continue what it has seen. A call that is lost, late or repeated only costs time.
   */
  follow(wake: (entries?: readonly Touched[]) => void): Follower
  /**
   * Resolves when no cache can still be serving what was before the change with this sequence number: each has confirmed
   * that it has applied it, or its lease has run out. It begins to count only now: the change may be one that another
   * caller has just made.
   *
   * @param hash - the hash of its entry, where it is known. Rejects if the journal no longer has that entry.
   */
  settled(seq: number, hash?: string): Promise<Propagation>
  /** Entries of the journal, in the order of their numbers. */
  journal(filter: JournalFilter): Awaitable<readonly JournalEntry[]>
  /**
   * A page of entries, and the names in them. An owner has the entries on itself, and those on each key that it had when
   * they were made; the entry by which a key changed hands belongs to both owners. `commit` notes this, so that a page
   * is found without reading the others.
   */
  entries(filter: EntryFilter): Awaitable<readonly EntryListItem[]>
  /** Entries in the order of their numbers after this one, each with whether `entries` finds it where it belongs. */
  auditFiling(after: number, limit: number): Awaitable<readonly AuditedFiling[]>
  /** All keys, in the order of issue, after the one with this place; `undefined` for the first, wherever it lies. */
  auditKeys(after: number | undefined, limit: number): Awaitable<readonly AuditedKey[]>
  /** All owners with a record, in the order of their names, after this one; `undefined` for the first. */
  auditOwners(after: string | undefined, limit: number): Awaitable<readonly AuditedOwner[]>
  /** Subjects that have journal entries but no row, in the order of these entries. */
  auditMissing(after: number, limit: number): Awaitable<readonly Pick<JournalEntry, 'seq' | 'subject'>[]>
  /**
   * Some of the subjects whose rows were stored by a version that did not note their digest in the journal, and that
   * are in no snapshot either. Empty for a store that may not write.
   */
  withoutSnapshot(limit: number): Awaitable<readonly string[]>
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
  /**
   * Adds to the counts and moves each last use forward; never back. In one transaction, which may end before the batch does,
   * so that nothing else has to wait long: answers the rest of the batch. At least one row of it is written.
   */
  recordUsage(batch: UsageBatch): Awaitable<UsageBatch>
  /**
   * Deletes counts and refusals of a key or of an owner, as many as the limit at most, and answers how many; 0 if none was
   * left. Those that come later of a key that was erased are not kept.
   */
  forgetUse(of: { readonly key: string } | { readonly owner: string }, limit: number): Awaitable<number>
  /**
   * The entries after a number that have the name of an owner in their change, as that of a key or of a snapshot: of a
   * stretch of the journal that is read in less than a second.
   */
  entriesNaming(owner: string, after: number): Awaitable<NamingEntries>
  /** The ids of some keys that have something to purge, those that have waited longest first. */
  purgeable(filter: PurgeableFilter): Awaitable<readonly string[]>
  /** Counts what is older than these times, and changes nothing. */
  countPurgeable(before: PurgeBefore): Awaitable<PurgeCounts>
  /**
   * Deletes rows that are older than these times, for some milliseconds, and answers how many of each kind: none once
   * nothing is left.
   */
  purgeRows(before: RowsBefore): Awaitable<PurgedRows>
  /**
   * Lets one caller purge at a time. Answers whether this one may, until the time that it names: at most a minute from
   * now, so that one that has died keeps nobody waiting. The same caller may claim again, to go on or, until now, to end.
   */
  claimPurge(claim: PurgeClaim): Awaitable<boolean>
  /** Whether a secret with this hash was erased or purged: it must not be imported again. */
  isErased(hash: string): Awaitable<boolean>
  /**
   * Whether the use of a key under an owner is of something that was erased since, or is of a purged key: `recordUsage` and
   * `recordRefusals` keep none of it. `false` for a key that the store never had.
   */
  isErasedUse(use: ErasedUse): Awaitable<boolean>
  /**
   * Overwrites what was deleted, where the store keeps it: answers `false` if some may still be there, because somebody
   * reads it at present. Ask again later then.
   */
  scrub(): Awaitable<boolean>
  /** A page of the rows, each place once. */
  usage(filter: UsageFilter): Awaitable<readonly UsageCount[]>
  /** Sums of the same rows, in any order. */
  usageSums(filter: UsageSumsFilter): Awaitable<UsageSums>
  /**
   * Keeps refusals, and forgets the oldest of a key, of all keys and of strangers beyond their bounds. The bound for all
   * keys may be exceeded by some hundred rows for a while. In one transaction, which may end before the list does, as with
   * usage: answers the rest of the list. The work is bounded by the number of refusals that are given.
   */
  recordRefusals(refusals: readonly RefusalDraft[], bounds: RefusalBounds): Awaitable<readonly RefusalDraft[]>
  /** Refusals that are kept, in the order that is asked for. */
  refusals(filter: RefusalFilter): Awaitable<readonly StoredRefusal[]>
  /** The last declaration; `undefined` if there never was one, which differs from an empty declaration. */
  declared(): Awaitable<Declared | undefined>
  /** A random text of 256 bits, made with the tables and the same for ever. Cursors are encrypted with it. */
  cursorKey(): Awaitable<string>
  /** Keeps what is declared, for those who do not know. A store that may not be written to leaves it as it is. */
  declare(declared: Declared): Awaitable<void>
  /** The scopes of keys of these environments that are not revoked, as granted, each once. */
  grants(environments: readonly string[]): Awaitable<readonly string[]>
  /** Throws or rejects where it cannot be read, or not be changed, at present. Writes nothing. */
  ready(): Awaitable<void>
  /** Closes the database. No method is called afterwards. */
  close(): Awaitable<void>
}
