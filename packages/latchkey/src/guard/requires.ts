import type { anyKey, RequiresOptions } from './requirement.ts'

/** The forms of `requires`; each makes what the framework runs in front of a handler. */
export interface Requires<Scope extends string, Made> {
  (any: typeof anyKey): Made
  (options: RequiresOptions<Scope>, ...scopes: readonly Scope[] | readonly [typeof anyKey]): Made
  // Last: where no form fits, the compiler's message names the scopes of the last one.
  (scope: Scope, ...more: readonly Scope[]): Made
}
