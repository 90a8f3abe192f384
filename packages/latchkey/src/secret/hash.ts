import { hash } from 'node:crypto'

/** The hashes by which secrets that were made elsewhere may come, and how many hexadecimal digits each has. */
export const hashDigits: { readonly sha256: 64; readonly sha512: 128 } = { sha256: 64, sha512: 128 }

/** Their names. */
export const importedHashes = Object.keys(hashDigits) as readonly (keyof typeof hashDigits)[]

/**
 * The one form in which a secret is kept: SHA-256 of the whole string, in lower-case hexadecimal, so that
 * `printf %s "$KEY" | sha256sum` gives the same. Not a password hash: a minted secret has 190 random bits, so there
 * is nothing to slow down (ASVS 5.0 6.5.2 asks that of 112 bits and more).
 *
 * @example
 * const hash = hashSecret(secret)
 * hash.length // 64
 */
export function hashSecret(secret: string): string {
  return hash('sha256', secret, 'hex')
}

/** The other form, for secrets that were made elsewhere and are known by this hash: SHA-512, 128 characters. */
export function hashSecretBySha512(secret: string): string {
  return hash('sha512', secret, 'hex')
}
