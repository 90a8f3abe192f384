import type { Hono } from 'hono'
import type { Declaration } from './declaration.ts'
import { declarationOf } from './declaration.ts'
import type { DeclaredRoute } from './openapi.ts'
import { declaredTwice, undeclared } from './undeclared.ts'

/** The parts of a Hono application that its routes are read from. */
export type HonoRoutes = Pick<Hono, 'routes'>

/** One handler of a Hono application: what `app.get`, `app.use` and `app.mount` each add. */
type Added = HonoRoutes['routes'][number]

/** The declaration of a handler, also within an application that has an error handler of its own. */
export function declarationWithin(handler: unknown): Declaration | undefined {
  return declarationOf(innermost(handler))
}

/** Where Hono keeps a handler that it has wrapped, because its application has an error handler of its own. */
const composed = '__COMPOSED_HANDLER'

/** A handler as it was added. */
export function innermost(handler: unknown): unknown {
  let inner = handler
  while (typeof inner === 'function' && composed in inner) inner = inner[composed]
  return inner
}

/**
 * Reads the routes of an application, and refuses those that a request could reach without a declaration.
 *
 * @param guard - the first middleware: what is added in front of it answers everyone, so it must be for all paths.
 *
 * @throws LatchkeyError `undeclared_route`, naming them all.
 */
export function declaredRoutes({ routes }: HonoRoutes, guard: unknown): readonly DeclaredRoute[] {
  const first = routes.findIndex(({ handler }) => innermost(handler) === guard)
  if (first === -1) throw undeclared(['app.use(guard)'], 'missing; it belongs in front of every route')
  const early = routes.slice(0, first).filter(({ method, path }) => method !== 'ALL' || path !== '/*')
  refuse(early, 'added in front of app.use(guard), where only middleware for all paths may be')

  const after = routes.slice(first + 1).filter(({ handler }) => innermost(handler) !== guard)
  const declared = new Map<string, DeclaredRoute>()
  const open: Added[] = []
  const twice: Added[] = []
  for (const [index, added] of after.entries()) {
    const before = after.slice(0, index + 1).filter((other) => covers(other, added))
    const declarations = before.map(({ handler }) => declarationWithin(handler)).filter((found) => found !== undefined)
    const [declaration] = declarations
    if (declaration === undefined) open.push(added)
    else if (declarations.length > 1) twice.push(added)
    else declared.set(nameOf(added), { method: added.method, path: added.path, declaration })
  }
  refuse(open, 'neither requires(...) nor open in front of it')
  refuse(twice, declaredTwice)
  return [...declared.values()]
}

/** Whether every request for a route comes by another one, if that was added first. In doubt it does not. */
function covers(one: Added, other: Added): boolean {
  if (one.method !== 'ALL' && one.method !== other.method) return false
  if (one.path === other.path) return true
  if (!one.path.endsWith('/*')) return false
  const folder = one.path.slice(0, -1)
  return other.path.startsWith(folder) || `${other.path}/` === folder
}

function nameOf({ method, path }: Added): string {
  return `${method} ${path}`
}

function refuse(routes: readonly Added[], reason: string): void {
  if (routes.length > 0) throw undeclared([...new Set(routes.map(nameOf))], reason)
}
