import type { StoredKey } from './records.ts'

/**
 * Another place where keys may come from, such as the settings: found by the hash of the secret like those of a store,
 * but never written. `bySecret` must answer at once, and its keys must not change while the keyring is open.
 */
export interface KeySource {
  /** All keys that it may answer with, checked when the keyring is opened. */
  readonly keys: readonly StoredKey[]
  /** The key that has a secret with this hash (SHA-256, hexadecimal); `undefined` where none of its keys has. */
  bySecret(hash: string): StoredKey | undefined
}
