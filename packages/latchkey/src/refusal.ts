/**
 * The one table of refusals. From it come the type, the answer on the wire and the reference page.
 *
 * Two audiences, two texts: `code` says exactly why and goes to logs and to those who may know; `answer` is all that
 * the caller is told. Every key that is not accepted gets the same answer, so that an unknown, a revoked and an expired
 * one cannot be told apart from outside.
 */

/** What the caller is told: the status, a code for programs, the sentence for people. */
export interface Answer {
  readonly status: 400 | 401 | 403 | 503
  readonly code: string
  readonly detail: string
}

/** The steps of verify, in their order. The first that fails gives the refusal. */
export type Step = 'form' | 'find' | 'state' | 'lifetime' | 'environment' | 'scopes'

const invalidKey: Answer = { status: 401, code: 'invalid_key', detail: 'Invalid or missing API Key' }

const twoCredentials: Answer = {
  status: 400,
  code: 'two_credentials',
  detail: 'More than one API key was sent. Send exactly one.',
}

const wrongEnvironment: Answer = {
  status: 403,
  code: 'wrong_environment',
  detail: 'This API key belongs to another environment.',
}

const insufficientScope: Answer = {
  status: 403,
  code: 'insufficient_scope',
  detail: 'This API key does not have the scope that this operation needs.',
}

const unavailable: Answer = {
  status: 503,
  code: 'unavailable',
  detail: 'API keys cannot be checked at the moment. Try again shortly.',
}

/** Why a credential was not accepted. Stable; for logs, metrics and support, not for the caller. */
export type RefusalCode =
  | 'missing'
  | 'two_credentials'
  | 'malformed'
  | 'mistyped'
  | 'unknown'
  | 'unavailable'
  | 'revoked'
  | 'not_yet_valid'
  | 'expired'
  | 'wrong_environment'
  | 'insufficient_scope'

/** One row of the table. */
export interface Refusal {
  readonly code: RefusalCode
  /** The step of verify that failed. */
  readonly step: Step
  readonly answer: Answer
  /** One sentence for those who may know. */
  readonly why: string
}

/**
 * All refusals by their code, in the order of the steps.
 *
 * @example refusals.revoked.answer.status // 401
 */
export const refusals: Readonly<Record<RefusalCode, Refusal>> = Object.freeze({
  missing: row('missing', 'form', invalidKey, 'The request has no key, or an empty one.'),
  two_credentials: row('two_credentials', 'form', twoCredentials, 'The request has more than one key.'),
  malformed: row('malformed', 'form', invalidKey, 'The credential has not the shape of a secret of this keyring.'),
  mistyped: row('mistyped', 'form', invalidKey, 'The checksum of the secret is wrong: a typing or copying error.'),
  unknown: row('unknown', 'find', invalidKey, 'No key has this secret.'),
  unavailable: row('unavailable', 'find', unavailable, 'The store did not answer, so nobody can tell.'),
  revoked: row('revoked', 'state', invalidKey, 'The key was revoked.'),
  not_yet_valid: row('not_yet_valid', 'lifetime', invalidKey, 'The lifetime of the key has not begun.'),
  expired: row('expired', 'lifetime', invalidKey, 'The lifetime of the key has ended.'),
  wrong_environment: row(
    'wrong_environment',
    'environment',
    wrongEnvironment,
    'The key is of another environment than the route takes.',
  ),
  insufficient_scope: row(
    'insufficient_scope',
    'scopes',
    insufficientScope,
    'The key lacks a scope that the route asks for.',
  ),
})

function row(code: RefusalCode, step: Step, answer: Answer, why: string): Refusal {
  return Object.freeze({ code, step, answer: Object.freeze(answer), why })
}
