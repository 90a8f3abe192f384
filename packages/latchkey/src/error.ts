/**
 * The errors of a program that uses Latchkey wrongly. A refusal is different: it is the answer to a caller's
 * credential. Each code has its section in `docs/reference/errors.md`.
 */
export type ErrorCode =
  | 'invalid_input'
  | 'unknown_scope'
  | 'unknown_key'
  | 'unknown_owner'
  | 'conflict'
  | 'precondition_failed'
  | 'idempotency_key_reused'
  | 'beyond_delegation'
  | 'still_running'
  | 'admin_key_refused'
  | 'unavailable'
  | 'outcome_unknown'
  | 'unexpected_answer'
  | 'weak_key'
  | 'store_unusable'
  | 'undeclared_route'
  | 'unguarded_handler'

/**
 * The one error class of the library. `message` is a sentence for the person who can mend it and never contains a
 * secret; `code` is stable and for programs.
 */
export class LatchkeyError extends Error {
  readonly code: ErrorCode
  /** The id of the request at the server, for its log and `latchkey why <id>`; only where an answer had one. */
  declare readonly requestId?: string

  constructor(code: ErrorCode, message: string, options?: ErrorOptions & { readonly requestId?: string | undefined }) {
    super(message, options)
    this.name = 'LatchkeyError'
    this.code = code
    if (options?.requestId !== undefined) this.requestId = options.requestId
  }
}
