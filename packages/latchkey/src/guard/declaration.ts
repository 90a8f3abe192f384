import type { Requirement } from '../verify/verdict.ts'

/** The declaration of a guard hook: a requirement, or that the route is open to everyone. */
export type Declaration = Requirement | 'open'

/** The member of a hook that is its declaration. `Symbol.for`, so that two copies of the library understand each other. */
export const declaration: unique symbol = Symbol.for('latchkey.declaration') as never

/** The declaration of a guard hook; `undefined` for any other value. */
export function declarationOf(hook: unknown): Declaration | undefined {
  return typeof hook === 'function' ? (hook as { [declaration]?: Declaration })[declaration] : undefined
}
