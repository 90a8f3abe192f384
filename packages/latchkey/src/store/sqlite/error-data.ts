import { LatchkeyError } from '../../error.ts'

/** An error as it crosses from one thread to another: a copy of an error would be without its code. */
export interface ErrorData {
  readonly message: string
  readonly code?: unknown
  readonly errcode?: unknown
  readonly cause?: ErrorData
  readonly isOurs: boolean
}

/** What an error says, in plain data. */
export function errorDataOf(error: unknown): ErrorData {
  const { message = String(error), code, errcode, cause } = (error ?? {}) as Partial<ErrorData>
  const isOurs = error instanceof LatchkeyError
  return { message, code, errcode, isOurs, ...(cause === undefined ? {} : { cause: errorDataOf(cause) }) }
}

/** The same error again. */
export function errorOf({ message, code, errcode, cause, isOurs }: ErrorData): Error {
  const options = cause === undefined ? {} : { cause: errorOf(cause) }
  if (isOurs) return new LatchkeyError(code as LatchkeyError['code'], message, options)
  return Object.assign(new Error(message, options), { code, errcode })
}
