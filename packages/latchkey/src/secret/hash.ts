import { hash } from 'node:crypto'

/** The hashes by which secrets may be imported, and how many hexadecimal digits each has. */
export const hashDigits: { readonly sha256: 64; readonly sha512: 128 } = { sha256: 64, sha512: 128 }

/** The names of the hashes by which secrets may be imported: `sha256` and `sha512`. */
export const importedHashes = Object.keys(hashDigits) as readonly (keyof typeof hashDigits)[]

/**
 * Computes the hash by which a secret is kept: SHA-256 of the whole string, in lower-case hexadecimal, as
 * `printf %s "$KEY" | sha256sum` prints it. A password hash is not needed: a minted secret has 190 random bits (ASVS 5.0
 * 6.5.2 asks for a slow hash below 112).
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
