import type { ErrorCode } from '../error.ts'
import { LatchkeyError } from '../error.ts'

/** The errors that keep their code on the wire. */
const sameCode: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid_input',
  'unknown_scope',
  'unknown_key',
  'unknown_owner',
  'conflict',
  'precondition_failed',
  'idempotency_key_reused',
  'beyond_delegation',
  'still_running',
  'unavailable',
  'outcome_unknown',
])

/** An answer that is not 2xx. */
interface FailedAnswer {
  readonly status: number
  /** The JSON object in the answer, if there is one. */
  readonly body: Readonly<Record<string, unknown>> | undefined
  /** The field `Retry-After`, in seconds. */
  readonly retryAfter: string | null
}

/**
 * The error behind an answer that is not 2xx, from its problem document (RFC 9457).
 *
 * @param base - the address of the server, for the message.
 */
export function failureOf(base: string, { status, body, retryAfter }: FailedAnswer): LatchkeyError {
  const code = body?.['code']
  if (typeof code !== 'string') {
    // A proxy answers like this for a server that is away.
    return status === 502 || status === 503 || status === 504
      ? new LatchkeyError('unavailable', `The server at ${base} cannot answer at the moment (${status}).`)
      : new LatchkeyError('unexpected_answer', `What answers at ${base} is not a Latchkey server: it says ${status}.`)
  }
  const detail = sentenceOf(body ?? {})
  if (sameCode.has(code)) return new LatchkeyError(code as ErrorCode, detail)
  if (status === 401 || status === 403) {
    return new LatchkeyError('admin_key_refused', `The server refuses the admin key (${code}): ${detail}`)
  }
  if (status === 429) {
    const when = retryAfter !== null && /^\d{1,9}$/.test(retryAfter) ? ` In ${retryAfter} s.` : ''
    return new LatchkeyError('unavailable', `${detail}${when}`)
  }
  if (status === 503) return new LatchkeyError('unavailable', detail)
  if (status === 413 || status === 422) return new LatchkeyError('invalid_input', detail)
  return new LatchkeyError('unexpected_answer', `The server at ${base} says ${status} ${code}: ${detail}`)
}

/** The sentence of the document, with the faults of the body one by one. */
function sentenceOf({ detail, errors }: Readonly<Record<string, unknown>>): string {
  const sentence = typeof detail === 'string' ? printable(detail) : 'It does not say why.'
  if (!Array.isArray(errors)) return sentence
  const faults = (errors as readonly unknown[]).slice(0, 20).flatMap((fault) => {
    const { pointer, detail: must } = (fault ?? {}) as { pointer?: unknown; detail?: unknown }
    return typeof pointer === 'string' && typeof must === 'string' ? [printable(`${pointer} ${must}`.trim())] : []
  })
  return faults.length === 0 ? sentence : `${sentence} ${faults.join('; ')}.`
}

/** A text without control characters: another program wrote it, and errors are printed in terminals. */
function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 1000)
}
