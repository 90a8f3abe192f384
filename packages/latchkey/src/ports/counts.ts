import type { KeyState, StoredOwner } from './records.ts'

/** How many keys there are in one environment, of one owner or of all. */
export interface CountedKeys {
  readonly environment: string
  /** How many are in each state. */
  readonly states: Readonly<Record<KeyState, number>>
  /** How many of the active and the pending ones end before a given time. */
  readonly expiring: number
}

/** The filter of keys to count. A member that is `undefined` does not filter. */
export interface CountFilter {
  readonly owner: string | undefined
  /** Keys of any of these. */
  readonly environments: readonly string[] | undefined
  /** Milliseconds since 1970: the states are those of this time. */
  readonly now: number
  /** Milliseconds since 1970: keys that end before are counted as `expiring`. */
  readonly expiresBefore: number
}

/** The filter of owners to list. A member that is `undefined` does not filter. */
export interface OwnerFilter {
  /** This one alone. */
  readonly owner: string | undefined
  /** Owners with keys of any of these, and only these keys are counted. */
  readonly environments: readonly string[] | undefined
  /** Whether owners with a record are listed too that have no such key. */
  readonly withoutKeys: boolean
  /** The beginning of the name; capital letters do not matter. */
  readonly text: string | undefined
  /** Milliseconds since 1970: the states of keys are those of this time. */
  readonly now: number
  /** Owners whose name comes after this one; `undefined` for the first. */
  readonly after: string | undefined
  /** How many owners at most. */
  readonly limit: number
}

/** An owner in a list, and its keys by environment. */
export interface OwnerListItem {
  readonly owner: StoredOwner
  readonly keys: readonly Omit<CountedKeys, 'expiring'>[]
}
