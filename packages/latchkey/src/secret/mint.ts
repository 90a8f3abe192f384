import { randomBase62 } from './base62.ts'
import { checksum } from './checksum.ts'

/** How many random characters a secret has: 32 × 5.95 = 190.5 bits, more than the 128 of ASVS 5.0 11.5.1. */
const randomLength = 32

/**
 * Makes a new secret: `<prefix>_<environment>_<random><checksum>`, with 32 random characters (190 bits) and six of
 * checksum. `Keyring.issue` does this for you. No copy is kept: the returned text is the only one.
 *
 * @example
 * const secret = mint({ prefix: 'lk', environment: 'live' })
 * secret.startsWith('lk_live_') // true
 * secret.length // 46
 */
export function mint({ prefix, environment }: { prefix: string; environment: string }): string {
  const text = `${prefix}_${environment}_${randomBase62(randomLength)}`
  return text + checksum(text)
}
