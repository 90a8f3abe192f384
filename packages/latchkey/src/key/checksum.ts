import { crc32 } from 'node:zlib'
import { base62OfUint32 } from './base62.ts'

/** How many characters a checksum has. */
export const checksumLength = 6

/**
 * The six characters that end a secret: CRC-32 of all that stands before them, in base62. It catches typing errors and
 * lets a scanner tell a real secret from a random string offline; it protects nothing, and anyone can compute it.
 *
 * @example checksum('lk_live_' + random)
 */
export function checksum(text: string): string {
  return base62OfUint32(crc32(text))
}
