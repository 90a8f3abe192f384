import type { KeyState, StoredKey } from './records.ts'

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

/** A listed key and its place in the order of issue, from which the next page goes on. */
export interface KeyListItem {
  readonly place: number
  readonly key: StoredKey
  readonly ownerDisabled: boolean
  readonly lastUsedAt: number | null
}
