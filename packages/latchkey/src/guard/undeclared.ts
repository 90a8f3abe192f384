import { LatchkeyError } from '../error.ts'

/** Refuses routes by their names, which are as in `GET /orders/:id`. */
export function undeclared(names: readonly string[], reason: string): LatchkeyError {
  return new LatchkeyError('undeclared_route', `${names.join('; ')}: ${reason}.`)
}

/** Why a route with more than one declaration is refused. */
export const declaredTwice = 'declared more than once; put all into one requires(...)'

/** A guarded route was called, and undeclared routes were not looked for. */
export function guardMissing(what: string): LatchkeyError {
  return new LatchkeyError('undeclared_route', `A route has requires(...), but ${what}.`)
}

/** A handler asked for the key of a request that no guard has seen. */
export function unguardedHandler(): LatchkeyError {
  return new LatchkeyError('unguarded_handler', 'keyOf(request) was called on a route without requires(...).')
}
