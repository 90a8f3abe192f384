import type { KeyState, StoredKey } from './records.ts'

/**
 * The orders of a list. Keys that are alike stand in the order of issue, or the reverse of it where the newest comes
 * first. Text is compared by its bytes in UTF-8, not by any language.
 *
 * - `oldest`: the first issued first.
 * - `newest`: the last issued first.
 * - `last_used`: the last used first; after them those never used, the last created first. Those of one time come by their
 *   owners, in the reverse order, before they come by their place.
 * - `expires`: the first to expire first; those that never expire at the end.
 * - `name`: `Z` before `a`, `a` before `ä`.
 */
export type ListOrder = 'oldest' | 'newest' | 'last_used' | 'expires' | 'name'

/**
 * Where a page ends: what the store orders by, if that is not the place, and the place. A name is a text, everything
 * else a whole number. In the order of the last use, the owner is between them.
 */
export type ListPosition =
  | readonly [place: number]
  | readonly [at: string | number, place: number]
  | readonly [at: string | number, owner: string, place: number]

/** A member of metadata, and its value. */
export type MetadataMember = readonly [name: string, value: string | number | boolean | null]

/** The filter of keys to list. A member that is `undefined` does not filter. */
export interface ListFilter {
  readonly owner: string | undefined
  /** Keys of any of these. */
  readonly environments: readonly string[] | undefined
  /** Keys in any of these states. */
  readonly states: readonly KeyState[] | undefined
  /** Keys that were granted any of these: a scope and its wildcard, as they were granted. */
  readonly grants: readonly string[] | undefined
  /**
   * Part of an id, a name, an owner or the start of a secret, character by character. Of one or two code points: the
   * beginning of a name, an owner or the start of a secret. The capital letters of ASCII do not matter, all others do.
   * Nothing in it has a meaning of its own.
   */
  readonly text: string | undefined
  /** Keys with a secret that works and that this admin key issued, imported or rotated. */
  readonly issuedBy?: string | undefined
  /** Keys that expire before this time. */
  readonly expiresBefore?: number | undefined
  /** Keys that never expire, or for `false` all others. */
  readonly neverExpires?: boolean | undefined
  /** Keys that were last used before this time; those never used, that were created before it. */
  readonly unusedSince?: number | undefined
  /**
   * Keys whose metadata has each of these members, with this value and of its type; for `null`, keys whose metadata has no
   * such member. No name is empty or has a quotation mark, a backslash or a control character.
   */
  readonly metadata?: readonly MetadataMember[] | undefined
  /** Keys with an old secret that still works, or for `false` all others. */
  readonly rotating?: boolean | undefined
  /** Milliseconds since 1970: the state is that of this time. */
  readonly now: number
  readonly order: ListOrder
  /** `next` of the page before, in the same order; the first page if it is `undefined`. */
  readonly after: ListPosition | undefined
  /** How many keys at most. */
  readonly limit: number
  /** Whether keys are counted too. */
  readonly count?: boolean | undefined
  /**
   * Whoever asks may know of no other keys, not even by how long the answer takes: what has the keys of others too, such
   * as an index of texts, is not used.
   */
  readonly bound?: boolean | undefined
  /** A change waits for the answer: where one read waits for another, it goes before what is only looked at. */
  readonly urgent?: boolean
}

/** How many keys a filter asks for. */
export interface KeyCount {
  readonly count: number
  /** There may be more than `count`. */
  readonly more: boolean
}

/** A page of a list. */
export interface KeyListPage {
  /** Fewer than the limit, or even none, do not mean that it is the last page. */
  readonly items: readonly KeyListItem[]
  /**
   * Where the next page begins; `undefined` on the last. It is a position of a key with the owner and of the
   * environments that were asked for, whatever else was: a store that has looked at very many keys may end a page early, and
   * it looks at no others.
   */
  readonly next: ListPosition | undefined
  /** How many keys all pages have together, as far as the store counts; `undefined` if it was not asked. */
  readonly total: KeyCount | undefined
}

/** A key in a list, and its place in the order of issue. */
export interface KeyListItem {
  readonly place: number
  readonly key: StoredKey
  readonly ownerDisabled: boolean
  readonly lastUsedAt: number | null
  /** That of its old secret; `null` if none works at the `now` of the filter. */
  readonly rotation: KeyRotation | null
}

/** A rotation in progress: the old secret of the key still works. */
export interface KeyRotation {
  /** The first millisecond in which the old secret no longer works. */
  readonly oldEndsAt: number
  /** When the old secret was used last; `null` if never. As of the last time that usage was written. */
  readonly oldLastUsedAt: number | null
}
