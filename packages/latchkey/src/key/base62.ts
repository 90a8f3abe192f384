import { randomBytes } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** The largest multiple of 62 that a byte can reach; bytes from here on are thrown away, or low digits would come up more often. */
const unbiased = 248

/**
 * Random base62 characters from the system's CSPRNG, each of the 62 equally likely (5.95 bits a character).
 *
 * @example randomBase62(32) // 190.5 random bits
 */
export function randomBase62(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length + 8)) {
      if (byte < unbiased && text.length < length) text += alphabet[byte % 62]
    }
  }
  return text
}

/** A number below 2^32 as exactly six base62 characters, most significant first (62^6 is a little more than 2^35). */
export function base62OfUint32(value: number): string {
  let text = ''
  let rest = value
  for (let digit = 0; digit < 6; digit++) {
    text = alphabet[rest % 62] + text
    rest = Math.floor(rest / 62)
  }
  return text
}
