import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorCode } from 'latchkey'
import { LatchkeyError } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'

/** The status for each error of the keyring. What a caller cannot have caused is a failure of the store. */
const statuses: Readonly<Record<ErrorCode, 403 | 404 | 409 | 412 | 422 | 'store failed'>> = {
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
  store_unusable: 'store failed',
  unexpected_answer: 'store failed',
  admin_key_refused: 'store failed',
  weak_key: 'store failed',
  undeclared_route: 'store failed',
  unguarded_handler: 'store failed',
}

/**
 * Throws an error of the keyring on as the problem that it is over HTTP. The handlers of this server do nothing but call
 * the keyring: what they throw besides is the store failing, which is 503 and never a guess.
 */
export function throwAsProblem(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): never {
  const status = error instanceof LatchkeyError ? statuses[error.code] : 'store failed'
  if (typeof status === 'number') throw problem({ status, code: error.code, detail: error.message })
  if (!isStoreFailure(error)) throw error
  reply.header('retry-after', '1')
  throw Object.assign(unavailable(), { cause: error })
}

/** The store does not answer. */
export function unavailable(detail = 'Keys cannot be read or changed at the moment. Try again shortly.'): Error {
  return problem({ status: 503, code: 'unavailable', detail })
}

/** What Fastify throws has a status of its own; a fault of ours is one of the language's errors, and stays a 500. */
function isStoreFailure(error: FastifyError): boolean {
  if (error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError) return false
  return error.statusCode === undefined && error.validation === undefined
}
