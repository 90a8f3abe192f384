import { hash } from 'node:crypto'
import { anyText, bounds, integer, invalid, oneOf, text } from '../input.ts'
import type { HashName, StoredSecret } from '../ports.ts'
import { decodeHash, hashDigits, importedHashes } from '../secret/hash.ts'
import { kindOf, separators } from '../secret/imported.ts'
import { isOfWeakSecret } from '../secret/weakness.ts'
import { newSecret } from './minting.ts'

/** The known facts about a secret that was made elsewhere. */
export interface KnownSecret {
  /**
   * The hash of the secret, in hexadecimal, base64 or base64url. The secret itself never comes here; it may have up to
   * 1,024 characters.
   */
  readonly hash: string
  readonly algorithm: HashName
  /**
   * For a hash of the last part of the secret: the text before that part, at most 64 characters. It ends with one of
   * `| _ . - :`, which the part itself does not contain. Callers send the whole secret, and the part alone is refused. So
   * `before: '17|'` and the hash of `abc` are the secret `17|abc`.
   */
  readonly before?: string
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
  { createdAt, lastUsedAt, issuedBy }: Pick<StoredSecret, 'createdAt' | 'lastUsedAt' | 'issuedBy'>,
): StoredSecret {
  const algorithm = oneOf('algorithm', known.algorithm, importedHashes)
  const decoded = typeof known.hash === 'string' ? decodeHash(known.hash) : undefined
  if (decoded?.algorithm !== algorithm) {
    const digits = hashDigits[algorithm]
    throw invalid(
      'hash',
      `the ${algorithm} of the secret: ${digits} hexadecimal digits, or the same in base64 or base64url`,
    )
  }
  const { hash: secretHash } = decoded
  const before = known.before === undefined ? null : beforeOf(known.before)
  integer('bits, the random bits of the secret,', known.bits, bounds.bits)
  if (isOfWeakSecret(secretHash, algorithm)) {
    throw invalid('hash', 'the hash of a secret that cannot be guessed: this one is of a well-known secret')
  }
  const written = known.start ?? ''
  const start = written === '' ? (before ?? '').slice(0, bounds.start) : text('start', written, bounds.start)
  // The start is kept and shown.
  if ([start, start.slice(before?.length ?? 0)].some((part) => hash(algorithm, part, 'hex') === secretHash)) {
    throw invalid('start', 'the start of the secret, and not the whole of it')
  }
  return newSecret({
    hash: secretHash,
    kind: kindOf(algorithm, before),
    before,
    start,
    lastUsedAt,
    now: createdAt,
    issuedBy,
  })
}

/** The text before the hashed part of a secret. It is shown. */
function beforeOf(value: unknown): string {
  const before = anyText('before', value, bounds.before)
  if (!/^[\x21-\x7e]+$/.test(before) || !separators.some((separator) => before.endsWith(separator))) {
    throw invalid('before', `visible ASCII with one of ${separators.join(' ')} at its end`)
  }
  return before
}
