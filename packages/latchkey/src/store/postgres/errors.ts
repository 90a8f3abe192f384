import { LatchkeyError } from '../../error.ts'

/** The error of a statement, as the server says it. */
interface ServerError extends Error {
  readonly code: string
  readonly severity?: string
}

/** Whether the server has answered, and the connection can be used further. */
export function isStatementError(error: unknown): error is ServerError {
  const { code, severity } = (error ?? {}) as Partial<ServerError>
  return error instanceof Error && /^[0-9A-Z]{5}$/.test(code ?? '') && severity !== undefined && !endsConnection(code)
}

/** Errors with which the server ends a connection. */
function endsConnection(code = ''): boolean {
  return code.startsWith('57P') || code.startsWith('08') || code === '25P03'
}

/** Whether another transaction was in the way: nothing was committed, and the same may succeed now. */
export function isConflict(error: unknown): boolean {
  return isStatementError(error) && ['40001', '40P01'].includes(error.code)
}

/** Classes of errors that pass by themselves: connections, resources, operators, transactions. */
const passing = ['08', '53', '55', '57', '58', '40', '25']

/**
 * An error as a sentence that says how to mend it. What the server says of rows (`detail`) is left out, since it may have
 * what nobody is to read.
 */
export function explained(error: unknown): unknown {
  if (error instanceof LatchkeyError || !(error instanceof Error)) return error
  const { code = '', severity } = error as Partial<ServerError>
  if (severity === undefined && !('syscall' in error) && !isOfConnection(error.message)) return error
  const text = severity === undefined ? error.message : `${error.message} (${code})`
  const passes = severity === undefined || passing.some((start) => code.startsWith(start))
  if (passes) return new LatchkeyError('unavailable', `The database cannot be used at present: ${text}. Try again.`)
  return new LatchkeyError('store_unusable', `The database has refused a statement: ${text}.`)
}

/** What `pg` says of itself without a code. */
function isOfConnection(message: string): boolean {
  return /connect|timeout|terminated|not queryable|pool|closed/i.test(message)
}
