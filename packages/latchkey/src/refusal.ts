/**
 * The one table of refusals. From it come the type, the answer on the wire and the reference page.
 *
 * There are two texts for two audiences: `code` gives the exact reason, for logs and for those who may know it;
 * `answer` is all that the caller receives. Every key that is not accepted gets the same answer, so that an unknown, a
 * revoked and an expired one look the same from outside.
 */

/** The answer that the caller receives to a refusal. */
export interface Answer {
  /** The status of the response. */
  readonly status: 400 | 401 | 403 | 429 | 503
  /** The code of the problem, for programs. */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
  /** The registered type of the problem, if there is one. */
  readonly type?: string
}

/** The steps of verify, in order. The first that fails gives the refusal. */
export type Step = 'form' | 'find' | 'state' | 'lifetime' | 'environment' | 'address' | 'scopes' | 'limits' | 'quota'

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

const addressNotAllowed: Answer = {
  status: 403,
  code: 'address_not_allowed',
  detail: 'This API key may not be used from this address.',
}

const insufficientScope: Answer = {
  status: 403,
  code: 'insufficient_scope',
  detail: 'This API key does not have the scope that this operation needs.',
}

/** A type from the IANA registry of problem types; draft-ietf-httpapi-ratelimit-headers. */
const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded'

const overLimit: Answer = {
  status: 429,
  code: 'over_limit',
  detail: 'This API key is over its limit. Try again later.',
  type: quotaExceeded,
}

const quotaExhausted: Answer = {
  status: 429,
  code: 'quota_exhausted',
  detail: 'The quota of this API key is spent.',
  type: quotaExceeded,
}

const unavailable: Answer = {
  status: 503,
  code: 'unavailable',
  detail: 'API keys cannot be checked at the moment. Try again shortly.',
}

/** Why a credential was refused. Stable; for logs, metrics and support, not for the caller. */
export type RefusalCode =
  | 'missing'
  | 'two_credentials'
  | 'malformed'
  | 'mistyped'
  | 'unknown'
  | 'unavailable'
  | 'revoked'
  | 'disabled'
  | 'owner_disabled'
  | 'not_yet_valid'
  | 'expired'
  | 'secret_ended'
  | 'wrong_environment'
  | 'address_not_allowed'
  | 'insufficient_scope'
  | 'over_limit'
  | 'quota_exhausted'

/** One row of the table. */
export interface Refusal {
  /** Why exactly: for logs and for people who may know. */
  readonly code: RefusalCode
  /** The step of verify that failed. */
  readonly step: Step
  /** The answer that the caller receives. */
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
  missing: row({ code: 'missing', step: 'form', answer: invalidKey, why: 'The request has no key, or an empty one.' }),
  two_credentials: row({
    code: 'two_credentials',
    step: 'form',
    answer: twoCredentials,
    why: 'The request has more than one key.',
  }),
  malformed: row({
    code: 'malformed',
    step: 'form',
    answer: invalidKey,
    why: 'The credential does not have the form of a secret of this keyring.',
  }),
  mistyped: row({
    code: 'mistyped',
    step: 'form',
    answer: invalidKey,
    why: 'The checksum of the secret is wrong: a typing or copying error.',
  }),
  unknown: row({ code: 'unknown', step: 'find', answer: invalidKey, why: 'No key has this secret.' }),
  unavailable: row({
    code: 'unavailable',
    step: 'find',
    answer: unavailable,
    why: 'The store did not answer, so the key could not be checked.',
  }),
  revoked: row({ code: 'revoked', step: 'state', answer: invalidKey, why: 'The key was revoked.' }),
  disabled: row({ code: 'disabled', step: 'state', answer: invalidKey, why: 'The key is disabled.' }),
  owner_disabled: row({
    code: 'owner_disabled',
    step: 'state',
    answer: invalidKey,
    why: 'The owner of the key is disabled.',
  }),
  not_yet_valid: row({
    code: 'not_yet_valid',
    step: 'lifetime',
    answer: invalidKey,
    why: 'The lifetime of the key has not begun.',
  }),
  expired: row({ code: 'expired', step: 'lifetime', answer: invalidKey, why: 'The lifetime of the key has ended.' }),
  secret_ended: row({
    code: 'secret_ended',
    step: 'lifetime',
    answer: invalidKey,
    why: 'The key was rotated, and the time of this old secret is over.',
  }),
  wrong_environment: row({
    code: 'wrong_environment',
    step: 'environment',
    answer: wrongEnvironment,
    why: 'The key belongs to another environment than the one that the route accepts.',
  }),
  address_not_allowed: row({
    code: 'address_not_allowed',
    step: 'address',
    answer: addressNotAllowed,
    why: 'The call came from an address that the key does not allow, or its address is not known.',
  }),
  insufficient_scope: row({
    code: 'insufficient_scope',
    step: 'scopes',
    answer: insufficientScope,
    why: 'The key lacks a scope that the route asks for.',
  }),
  over_limit: row({
    code: 'over_limit',
    step: 'limits',
    answer: overLimit,
    why: 'A limit of the key, or one that its owner shares, has no room for the call.',
  }),
  quota_exhausted: row({
    code: 'quota_exhausted',
    step: 'quota',
    answer: quotaExhausted,
    why: 'The rest of the quota of the key is less than the cost of the call.',
  }),
})

function row({ answer, ...refusal }: Refusal): Refusal {
  return Object.freeze({ ...refusal, answer: Object.freeze(answer) })
}
