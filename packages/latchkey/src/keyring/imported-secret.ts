import { hash } from 'node:crypto'
import { bounds, invalid, oneOf, text, integer } from '../input.ts'
import type { StoredSecret } from '../ports.ts'
import { hashDigits, importedHashes } from '../secret/hash.ts'
import { isOfWeakSecret } from '../secret/weakness.ts'
import type { ImportedKey } from './issue.ts'

/** What is known of a secret that was made elsewhere. */
export type KnownSecret = Pick<ImportedKey<string>, 'hash' | 'algorithm' | 'bits' | 'start'>

/**
 * What is kept of a secret that was made elsewhere, checked as far as a hash can be.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function importedSecret(
  given: KnownSecret,
): Pick<StoredSecret, 'hash' | 'kind' | 'start'> & { readonly bits: number } {
  const kind = oneOf('algorithm', given.algorithm, importedHashes)
  const secretHash = typeof given.hash === 'string' ? given.hash.toLowerCase() : ''
  if (secretHash.length !== hashDigits[kind] || !/^[0-9a-f]+$/.test(secretHash)) {
    throw invalid('hash', `${hashDigits[kind]} hexadecimal digits, the ${kind} of the secret`)
  }
  const { least, most } = bounds.bits
  const bits = integer('bits, the random bits of the secret,', given.bits, least, most)
  if (isOfWeakSecret(secretHash, kind)) {
    throw invalid('hash', 'that of a secret which nobody guesses, and this is of one that everybody does')
  }
  const start = given.start === undefined || given.start === '' ? '' : text('start', given.start, bounds.start)
  // It is kept and shown.
  if (hash(kind, start, 'hex') === secretHash)
    throw invalid('start', 'the start of the secret, and not the whole of it')
  return { hash: secretHash, kind, start, bits }
}
