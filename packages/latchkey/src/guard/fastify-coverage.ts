import type { FastifyInstance, RouteOptions } from 'fastify'
import { LatchkeyError } from '../error.ts'
import { declaredBy } from './fastify-hook.ts'
import type { RoutedPath } from './fastify-routes.ts'
import { namesOf, namesOfRouted, routesUnder } from './fastify-routes.ts'
import { declaredTwice, undeclared } from './undeclared.ts'

/**
 * Stops the start of an application unless each of its routes is declared exactly once. The routes are those that Fastify
 * announces from now on, and those that its router has without the guard having seen them.
 *
 * @param unguarded - `allow` lets undeclared routes and unseen ones pass, but not routes that are declared twice.
 *
 * @throws LatchkeyError `undeclared_route`; also later, when the application becomes ready.
 */
export function checkCoverage(app: FastifyInstance, unguarded: 'refuse' | 'allow'): void {
  const refuses = unguarded === 'refuse'
  const seen = seenOn(app)
  const unseen = (): readonly RoutedPath[] => routesUnder(app).filter((route) => !isSeen(route, seen))
  if (refuses) refuseUnseen(unseen(), addedBefore)

  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    routes.push(route)
    if (refuses) for (const name of namesOf(app, route)) seen.add(name)
  })
  // Not in onRoute: the hooks of `openly` run after ours, and one error should name all undeclared routes.
  app.addHook('onReady', async () => {
    const twice = routes.filter((route) => declaredBy(route).length > 1)
    refuseRoutes(twice, declaredTwice)
    if (!refuses) return
    const open = routes.filter((route) => declaredBy(route).length === 0)
    refuseRoutes(open, 'neither requires(...) nor open in onRequest')
    // A scope without a prefix cannot distinguish its own routes from those around it.
    if (app.prefix !== '' || isRoot(app)) refuseUnseen(unseen(), addedElsewhere)
  })
}

const addedBefore =
  'Routes were added before the guard, which has not seen whether they are guarded: register it first, with await.'

const addedElsewhere =
  'Routes were added where the guard does not see them: it sees those of the scope that it is registered on, and of the scopes that are made in it from then on.'

/** The routes that any guard has seen, by the server that the guards share: each guard judges its own routes. */
const seenOnServer = new WeakMap<object, Set<string>>()

function seenOn({ server }: FastifyInstance): Set<string> {
  const seen = seenOnServer.get(server) ?? new Set()
  seenOnServer.set(server, seen)
  return seen
}

function isSeen(route: RoutedPath, seen: ReadonlySet<string>): boolean {
  return namesOfRouted(route).every((name) => seen.has(name))
}

/** Whether an application is not a scope: a scope has the one around it for a prototype, and inherits the server. */
function isRoot(app: FastifyInstance): boolean {
  return Object.hasOwn(app, 'server')
}

function refuseUnseen(routes: readonly RoutedPath[], reason: string): void {
  if (routes.length === 0) return
  const lines = routes.map(({ methods, path }) => `${methods.join(', ')} ${path}`)
  throw new LatchkeyError('undeclared_route', `${reason}\n${lines.join('\n')}`)
}

function refuseRoutes(routes: readonly RouteOptions[], reason: string): void {
  if (routes.length === 0) return
  // Fastify adds a HEAD route with the same hooks to every GET route. It is not in the application's code, so no error
  // names it.
  const withGet = new Set(routes.filter(({ method }) => [method].flat().includes('GET')).map(({ url }) => url))
  const written = routes.filter(({ method, url }) => method !== 'HEAD' || !withGet.has(url))
  const names = written.map(({ method, url }) => `${[method].flat().join(',')} ${url}`)
  throw undeclared(names, reason)
}
