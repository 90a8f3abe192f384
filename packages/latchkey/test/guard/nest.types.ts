// Promises about types. `tsc -p .` keeps them: if one is broken this file does not compile. Nothing here is run.

import type { NestGuard } from 'latchkey/guard/nest'

type Scope = 'rooms:read' | 'rooms:write'
declare const guard: NestGuard<Scope>

// A declaration stands on a class, or on a method.
class Rooms {
  list(): readonly string[] {
    return []
  }
}
guard.Requires('rooms:read')(Rooms)
guard.Requires('rooms:read')(Rooms.prototype, 'list', { value: Rooms.prototype.list })
guard.Open()(Rooms)
guard.Key()(Rooms.prototype, 'list', 0)

// The key knows the scopes.
guard.keyOf({}).scopes satisfies readonly Scope[]

// @ts-expect-error -- a declaration is called before it stands anywhere
guard.Open(Rooms)

// A misspelt scope does not compile, and the message lists those that are declared.
// @ts-expect-error -- not declared
guard.Requires('rooms:reed')
export function lastForm(last: Parameters<typeof guard.Requires>): [scope: Scope, ...more: readonly Scope[]] {
  return last
}

// @ts-expect-error -- no argument
guard.Requires()
