import type { KeyState, StoredKey } from './records.ts'

/** The filter of keys to list. A member that is `undefined` does not filter. */
export interface ListFilter {
  readonly owner: string | undefined
  /** Keys of any of these. */
  readonly environments: readonly string[] | undefined
  readonly state: KeyState | undefined
  /** Keys that were granted any of these: a scope and its wildcard, as they were granted. */
  readonly grants: readonly string[] | undefined
  /** Part of an id, a name, an owner or the start of a secret; capital letters do not matter. */
  readonly text: string | undefined
  /** Keys with a secret that works and that this admin key issued, imported or rotated. */
  readonly issuedBy?: string | undefined
  /** Milliseconds since 1970: the state is that of this time. */
  readonly now: number
  /** Keys that were issued after the one with this place. */
  readonly after: number
  /** How many keys at most. */
  readonly limit: number
  /** A change waits for the answer: where one read waits for another, it goes before what is only looked at. */
  readonly urgent?: boolean
}

/** A key in a list, and its place in the order of issue. */
export interface KeyListItem {
  /** The next page begins after it. */
  readonly place: number
  readonly key: StoredKey
  readonly ownerDisabled: boolean
  readonly lastUsedAt: number | null
}
