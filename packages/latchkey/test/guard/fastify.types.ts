// Promises about types. `tsc -p .` keeps them: if one is broken this file does not compile. Nothing here is run.

import type { FastifyGuard } from 'latchkey/guard/fastify'

type Scope = 'rooms:read' | 'rooms:write'
declare const requires: FastifyGuard<Scope>['requires']

// A misspelt scope does not compile. The compiler's message is about the last form, so that form must be the one of
// scopes: then the message lists them. `Parameters` is about the last form, too.
// @ts-expect-error -- not declared
requires('rooms:reed')
export function lastForm(last: Parameters<typeof requires>): [scope: Scope, ...more: readonly Scope[]] {
  return last
}

// A route that asks for nothing does not compile.
// @ts-expect-error -- no argument
requires()
// @ts-expect-error -- perhaps no argument
requires(...([] as Scope[]))
