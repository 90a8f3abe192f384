import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorCode } from 'latchkey'
import { LatchkeyError } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'

/** The status for each error of the keyring. What a caller cannot have caused is a failure of the store. */
export const errorStatuses: Readonly<Record<ErrorCode, 403 | 404 | 409 | 412 | 422 | 503 | 'store failed'>> = {
  invalid_input: 422,
  unknown_scope: 422,
  idempotency_key_reused: 422,
  unknown_key: 404,
  unknown_owner: 404,
  conflict: 409,
  still_running: 409,
  precondition_failed: 412,
  beyond_delegation: 403,
  unavailable: 'store failed',
  outcome_unknown: 503,
  store_unusable: 'store failed',
  unexpected_answer: 'store failed',
  admin_key_refused: 'store failed',
  weak_key: 'store failed',
  undeclared_route: 'store failed',
  unguarded_handler: 'store failed',
}

/**
 * Turns an error of the keyring into a problem. The handlers of this server only call the keyring, so any other error is a
 * failure of the store: 503.
 */
export function throwAsProblem(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): never {
  const status = error instanceof LatchkeyError ? errorStatuses[error.code] : 'store failed'
  if (typeof status === 'number') throw problem({ status, code: error.code, detail: error.message })
  if (!isStoreFailure(error)) throw error
  reply.header('retry-after', '1')
  throw Object.assign(unavailable(adviceOf(error)), { cause: error })
}

/** What mends a failure that does not pass by itself; what it says is no secret. */
function adviceOf({ cause }: Error): string | undefined {
  if (cause !== 'newer schema') return undefined
  return 'A newer version of Latchkey has taken over here. Stop this server, and start it anew with that version.'
}

/** The problem for a store that fails: 503. */
export function unavailable(detail = 'Keys cannot be read or changed at the moment. Try again shortly.'): Error {
  return problem({ status: 503, code: 'unavailable', detail })
}

/** Fastify's errors have a status of their own. An error of the language is a fault of ours, and stays a 500. */
function isStoreFailure(error: FastifyError): boolean {
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError) return false
  return error.statusCode === undefined && error.validation === undefined
}
