import type { SecretKind, StoredKey, StoredOwner, StoredSecret } from './records.ts'

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

/** What a journal entry is about, and what it did to it. */
export type Touched = Pick<JournalEntry, 'subject' | 'action'>

/** What has changed since a look at the journal. */
export interface ChangesSince {
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

/** The rows of a key and the last journal entry on it, as they were at one point in time. */
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

/** The row of an owner and the last journal entry on it, as they were at one point in time. */
export interface AuditedOwner {
  readonly name: string
  /** `undefined` where a column cannot be read. */
  readonly owner: StoredOwner | undefined
  readonly last: Pick<JournalEntry, 'seq' | 'change'> | undefined
}
