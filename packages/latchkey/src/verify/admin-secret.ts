import type { VerifiedKey } from './verdict.ts'

// Not a member of the key: only the transaction of a change needs it, and no application.
const hashes = new WeakMap<VerifiedKey, string>()

/** Remembers the hash of the secret with which an admin key was verified. */
export function noteSecret(key: VerifiedKey, hash: string): void {
  hashes.set(key, hash)
}

/** The hash of the secret with which this key was verified; `undefined` for an object that `verify` has not made. */
export function secretOf(key: VerifiedKey): string | undefined {
  return hashes.get(key)
}
