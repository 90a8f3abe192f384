import type { ImportedKind, StoredKey, StoredOwner, StoredSecret } from './records.ts'

/** The kind of a change. */
export type Action =
  | 'issue'
  | 'import'
  | 'change'
  | 'rotate'
  | 'retire'
  | 'disable'
  | 'enable'
  | 'revoke'
  | 'snapshot'
  | 'erase'
  | 'purge'

/** A journal entry before it has its place in the chain. */
export interface JournalDraft {
  /** Milliseconds since 1970 (UTC). */
  readonly at: number
  /**
   * The actor who made the change, by the name that the application uses; the id of the admin key if the change came
   * over HTTP.
   */
  readonly actor: string
  readonly action: Action
  /** The id of the key, or `owner:` and the name of an owner. */
  readonly subject: string
  /** The change, as JSON text: the hash is over exactly these characters. Never a secret, nor its hash. */
  readonly change: string
}

/** A journal entry in its place: numbered without a gap, and chained to the one before by its hash. */
export interface JournalEntry extends JournalDraft {
  /** The sequence number, from 1 on. */
  readonly seq: number
  /** The hash of the entry before; 64 zeros in the first entry. */
  readonly previous: string
  /** SHA-256 of this entry, `previous` included; hexadecimal. Of an emptied entry, that of what it said. */
  readonly hash: string
  /**
   * The sequence number of the later entry that has emptied this one, because what it was about was erased: nothing is
   * left of its change, and `erased` stands where a name was.
   */
  readonly emptiedBy?: number | undefined
}

/** An entry that is emptied: as it was read, and what is left of it. */
export interface Emptied {
  readonly before: JournalEntry
  readonly after: Pick<JournalEntry, 'actor' | 'subject' | 'change'>
}

/** Entries whose change may name an owner, of a stretch of the journal. */
export interface NamingEntries {
  readonly entries: readonly JournalEntry[]
  /** The last entry of the stretch, whether it names the owner or not. */
  readonly upTo: number
  /** Whether the journal goes on after that. */
  readonly more: boolean
}

/** The last entry of a journal, by its number and its hash. Kept elsewhere, it is a checkpoint. */
export type JournalHead = Pick<JournalEntry, 'seq' | 'hash'>

/** The filter of journal entries to read. A member that is `undefined` does not filter. */
export interface JournalFilter {
  /** Only entries after this sequence number. */
  readonly after: number
  /** How many entries at most. */
  readonly limit: number
  /** The id of a key, or `owner:` and the name of an owner. */
  readonly subject?: string | undefined
  readonly actor?: string | undefined
  /** Only entries from this time on, in milliseconds since 1970. */
  readonly from?: number | undefined
  /** Only entries before this time, in milliseconds since 1970. */
  readonly to?: number | undefined
  /** A change waits for the answer: where one read waits for another, it goes before what is only looked at. */
  readonly urgent?: boolean
}

/** The filter of a page of entries. A member that is `undefined` does not filter. */
export interface EntryFilter {
  /** By number; by time where a time is asked for, and by number within a millisecond. */
  readonly order: 'newest' | 'oldest'
  /** The last entry of the page before; `undefined` for the first page. */
  readonly position: Pick<JournalEntry, 'at' | 'seq'> | undefined
  /** How many entries at most. */
  readonly limit: number
  /** Only entries after this sequence number. */
  readonly after?: number | undefined
  readonly subject?: string | undefined
  readonly owner?: string | undefined
  /**
   * With `owner`: only entries on the owner itself, and on keys of these environments while they were its own. The entry by
   * which a key changed hands tells of another owner, and is left out.
   */
  readonly held?: readonly string[] | undefined
  readonly actor?: string | undefined
  readonly action?: Action | undefined
  /** Only entries from this time on, in milliseconds since 1970. */
  readonly from?: number | undefined
  /** Only entries before this time, in milliseconds since 1970. */
  readonly to?: number | undefined
}

/** An entry on a page, and what is known of the keys that it names. */
export interface EntryListItem {
  readonly entry: JournalEntry
  /** `undefined` if it is on an owner, or the key is no longer there. */
  readonly subjectKey: NamedKey | undefined
  /** `undefined` if the actor is not a key. */
  readonly actorKey: NamedKey | undefined
}

/** A key as it is now: its name, and what says who may know it. */
export type NamedKey = Pick<StoredKey, 'name' | 'owner' | 'environment'>

/** What a cache needs of an entry: its subject, the action on it, and its place in the chain. */
export type Touched = Pick<JournalEntry, 'seq' | 'action' | 'subject' | 'previous' | 'hash'>

/** The changes since an earlier look at the journal. */
export interface ChangesSince {
  /** The last entry that this look has seen; `undefined` while the journal is empty. */
  readonly head: JournalHead | undefined
  /**
   * The changes in order. `everything` when there are too many to name, or when the journal is another one: it does not
   * contain the head that was seen before.
   */
  readonly changed: readonly Touched[] | 'everything'
  /**
   * The hashes by which secrets were imported. If the list is empty, a text that was not minted here is refused without
   * a read.
   */
  readonly imported: readonly ImportedKind[]
}

/** The rows of a key, and the last journal entry about it, read in one transaction. */
export interface AuditedKey {
  /** Its place in the order of issue. */
  readonly place: number
  readonly id: string
  /** `undefined` if a column cannot be read: something else than Latchkey has written there. */
  readonly key: StoredKey | undefined
  readonly secrets: readonly StoredSecret[]
  /** `undefined` if no entry is about it. Its change is `{}` if it was emptied. */
  readonly last: Pick<JournalEntry, 'seq' | 'action' | 'change'> | undefined
}

/** An entry, and whether it is in the journals of the owners that it is about, and in no others. */
export interface AuditedFiling extends Pick<JournalEntry, 'seq' | 'subject'> {
  readonly sound: boolean
}

/** The row of an owner, and the last journal entry about it, read in one transaction. */
export interface AuditedOwner {
  readonly name: string
  /** `undefined` if a column cannot be read. */
  readonly owner: StoredOwner | undefined
  /** `undefined` if no entry is about it. */
  readonly last: Pick<JournalEntry, 'seq' | 'action' | 'change'> | undefined
}
