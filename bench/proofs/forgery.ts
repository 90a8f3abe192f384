import { crc32 } from 'node:zlib'
import type { Random } from './random.ts'

// Forgeries by an attacker who knows how secrets are made. Written again from that description, not taken from the
// library.

/** The characters of a secret's random part, in the order of their value as digits. */
export const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** How many characters the checksum has. */
export const checksumLength = 6

/**
 * Puts the right checksum at the end of a text.
 *
 * @example withChecksum('lk_live_' + random.text(32, base62)) // the form of a secret, and the secret of no key
 */
export function withChecksum(text: string): string {
  let digits = ''
  for (let rest = crc32(text), digit = 0; digit < checksumLength; digit++, rest = Math.floor(rest / base62.length)) {
    digits = base62[rest % base62.length] + digits
  }
  return text + digits
}

/**
 * The secret with one character of its random part changed, and the right checksum, as an attacker would send it who
 * guesses character by character.
 */
export function wrongByOne(random: Random, secret: string): string {
  const text = secret.slice(0, -checksumLength)
  const from = text.lastIndexOf('_') + 1
  const place = from + random.below(text.length - from)
  const other = base62.replace(text[place] ?? '', '')
  return withChecksum(text.slice(0, place) + random.pick(Array.from(other)) + text.slice(place + 1))
}
