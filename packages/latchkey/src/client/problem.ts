import type { ErrorCode } from '../error.ts'
import { LatchkeyError } from '../error.ts'
import type { Failure } from './retry.ts'

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
  /** Seconds, from the field `Retry-After`. */
  readonly retryAfter: number | undefined
  readonly requestId: string | undefined
}

/** The statuses with which a proxy answers for a server that is away. */
const away: ReadonlySet<number> = new Set([502, 503, 504])

/** What an answer says of the request: nothing is begun when the admin key has reached a limit. */
function fateOf(status: number, code: unknown): Failure['fate'] {
  if (status === 429) return 'undone'
  if (code === 'still_running') return 'running'
  return away.has(status) ? 'lost' : 'final'
}

/**
 * The failure behind an answer that is not 2xx, from its problem document (RFC 9457).
 *
 * @param base - the address of the server, for the message.
 */
export function failureOf(base: string, answer: FailedAnswer): Failure {
  const { status, body, retryAfter, requestId } = answer
  const { code, message } = errorOf(base, answer)
  return {
    error: new LatchkeyError(code, message, { requestId }),
    fate: fateOf(status, body?.['code']),
    retryAfter,
  }
}

function errorOf(base: string, answer: FailedAnswer): { readonly code: ErrorCode; readonly message: string } {
  const { status, body, retryAfter } = answer
  const code = body?.['code']
  const elsewhere = status === 404 ? ' Check the address, and its prefix, such as /latchkey.' : ''
  if (typeof code !== 'string') {
    return away.has(status)
      ? { code: 'unavailable', message: `The server at ${base} cannot answer at the moment (${status}).` }
      : {
          code: 'unexpected_answer',
          message: `What answers at ${base} is not a Latchkey server: it says ${status}.${elsewhere}`,
        }
  }
  const detail = sentenceOf(body ?? {})
  if (sameCode.has(code)) return { code: code as ErrorCode, message: detail }
  if (status === 401 || status === 403) {
    return { code: 'admin_key_refused', message: `The server refuses the admin key (${code}): ${detail}` }
  }
  if (status === 429) {
    return { code: 'unavailable', message: retryAfter === undefined ? detail : `${detail} In ${retryAfter} s.` }
  }
  if (status === 503) return { code: 'unavailable', message: detail }
  if (status === 413 || status === 422) return { code: 'invalid_input', message: detail }
  return {
    code: 'unexpected_answer',
    message: `The server at ${base} says ${status} ${code}: ${detail}${elsewhere}`,
  }
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
