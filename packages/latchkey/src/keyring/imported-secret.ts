import { hash } from 'node:crypto'
import { bounds, integer, invalid, oneOf, text } from '../input.ts'
import type { SecretKind, StoredSecret } from '../ports.ts'
import { hashDigits, importedHashes } from '../secret/hash.ts'
import { isOfWeakSecret } from '../secret/weakness.ts'
import { newSecret } from './minting.ts'

/** The known facts about a secret that was made elsewhere. */
export interface KnownSecret {
  /** The hash of the secret in hexadecimal. The secret itself never comes here; it may have up to 1,024 characters. */
  readonly hash: string
  readonly algorithm: Exclude<SecretKind, 'minted'>
  /**
   * How many random bits its maker gave it, from 64 on: 122 for a UUID of version 4, 128 for 32 random hexadecimal digits.
   * The hash does not show that, so the caller must say it; it is kept in the journal.
   */
  readonly bits: number
  /** The part of the secret that may be shown, so that people recognise it; at most 16 characters, and never all of it. */
  readonly start?: string
}

/**
 * The record of a secret that was made elsewhere, checked as far as a hash can be.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function importedSecret(
  known: KnownSecret,
  { now, issuedBy }: { readonly now: number; readonly issuedBy: string | null },
): StoredSecret {
  const kind = oneOf('algorithm', known.algorithm, importedHashes)
  const secretHash = typeof known.hash === 'string' ? known.hash.toLowerCase() : ''
  if (secretHash.length !== hashDigits[kind] || !/^[0-9a-f]+$/.test(secretHash)) {
    throw invalid('hash', `${hashDigits[kind]} hexadecimal digits, the ${kind} of the secret`)
  }
  integer('bits, the random bits of the secret,', known.bits, bounds.bits)
  if (isOfWeakSecret(secretHash, kind)) {
    throw invalid('hash', 'the hash of a secret that cannot be guessed: this one is of a well-known secret')
  }
  const start = known.start === undefined || known.start === '' ? '' : text('start', known.start, bounds.start)
  // The start is kept and shown.
  if (hash(kind, start, 'hex') === secretHash) {
    throw invalid('start', 'the start of the secret, and not the whole of it')
  }
  return newSecret({ hash: secretHash, kind, start, now, issuedBy })
}
