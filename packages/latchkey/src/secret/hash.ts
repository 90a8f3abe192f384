import { hash } from 'node:crypto'
import type { HashName } from '../ports.ts'

/** The hashes by which secrets may be imported, and how many hexadecimal digits each has. */
export const hashDigits: { readonly [Name in HashName]: number } = { sha256: 64, sha512: 128 }

/** The names of the hashes by which secrets may be imported: `sha256` and `sha512`. */
export const importedHashes = Object.keys(hashDigits) as readonly HashName[]

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

/**
 * Reads the hash of a secret as other systems write it: in hexadecimal, base64 or base64url, with or without the `=` at
 * its end. Its length says which hash it is. Answers `undefined` for any other text.
 *
 * @example decodeHash('jMF-fZZ9-Bplrq4yHTzOiZEMLy06JMeYt3AEX4fH7m4')?.algorithm // 'sha256'
 */
export function decodeHash(text: string): { readonly algorithm: HashName; readonly hash: string } | undefined {
  const isHex = /^(?:[0-9a-f]{64}|[0-9a-f]{128})$/i.test(text)
  const bytes = isHex ? Buffer.from(text, 'hex') : bytesOfBase64(text)
  const algorithm = importedHashes.find((name) => hashDigits[name] === (bytes?.length ?? 0) * 2)
  return bytes === undefined || algorithm === undefined ? undefined : { algorithm, hash: bytes.toString('hex') }
}

function bytesOfBase64(text: string): Buffer | undefined {
  const unpadded = text.replace(/={1,2}$/, '')
  const bytes = Buffer.from(unpadded, 'base64url')
  const spellings = [bytes.toString('base64url'), bytes.toString('base64').replace(/=+$/, '')]
  // Every hash has one spelling: leftover bits that are set, or a mix of the two alphabets, are another text.
  return spellings.includes(unpadded) && (unpadded === text || text.length % 4 === 0) ? bytes : undefined
}
