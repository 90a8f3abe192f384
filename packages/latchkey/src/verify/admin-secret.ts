import type { VerifiedKey } from './verdict.ts'

// Beside the key and not in it: it is for the transaction of a change, and for no application.
const hashes = new WeakMap<VerifiedKey, string>()

/** Remembers which secret an admin key was verified with, by its hash. */
export function noteSecret(key: VerifiedKey, hash: string): void {
  hashes.set(key, hash)
}

/** The hash of the secret that this very key was verified with; `undefined` for one that somebody has put together. */
export function secretOf(key: VerifiedKey): string | undefined {
  return hashes.get(key)
}
