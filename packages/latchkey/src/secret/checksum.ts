import { base62OfUint32, base62Value } from './base62.ts'
import { crc32 } from './crc32.ts'

/** How many characters a checksum has. */
const checksumLength = 6

/**
 * The six characters that end a secret: CRC-32 of the text before them, in base62. It catches typing errors and lets a
 * scanner distinguish a real secret from a random string offline. It does not protect the secret: anyone can compute
 * it.
 *
 * @example checksum('lk_live_' + random)
 */
export function checksum(text: string): string {
  return base62OfUint32(crc32(text, text.length))
}

/**
 * Whether a text ends with the checksum of the text before it. A number has several spellings, but only the one that
 * `checksum` writes has six digits and a value below 2^32, so this is the same as building that text and comparing.
 */
export function hasChecksum(text: string): boolean {
  const end = text.length - checksumLength
  return base62Value(text, end) === crc32(text, end)
}
