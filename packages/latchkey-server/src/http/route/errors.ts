import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { ErrorCode } from 'latchkey'
import { LatchkeyError } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'

/** The status for wrong use of the keyring over HTTP. Other codes cannot be a caller's doing. */
const statuses: Readonly<Partial<Record<ErrorCode, number>>> = {
  invalid_input: 422,
  unknown_scope: 422,
  idempotency_key_reused: 422,
  unknown_key: 404,
  unknown_owner: 404,
  conflict: 409,
  still_running: 409,
  precondition_failed: 412,
  beyond_delegation: 403,
}

/**
 * Throws an error of the keyring on as the problem that it is over HTTP. The handlers of this server do nothing but call
 * the keyring: what they throw besides is the store failing, which is 503 and never a guess.
 */
export function throwAsProblem(error: FastifyError, _request: FastifyRequest, reply: FastifyReply): never {
  const status = error instanceof LatchkeyError ? statuses[error.code] : undefined
  if (status !== undefined) throw problem({ status, code: error.code, detail: error.message })
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
