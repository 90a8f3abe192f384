import type { FastifyInstance, RouteOptions } from 'fastify'

/** A route as the router has it: parameters have the names of all routes that share the place. */
export interface RoutedPath {
  readonly methods: readonly string[]
  readonly path: string
}

/** A line of the tree: how deep it lies, and what it says. */
const branch = /^((?:│ {3}| {4})*)[├└]── (.*)$/

/** The methods that a place of the tree serves; what follows are its constraints. */
const served = / \(([A-Z][A-Z, -]*)\)/

/**
 * The routes that a scope's router has, whoever added them, asked of the router's tree: one line for each place, with
 * the text that it adds to that of the place above. The other picture that the router can make leaves out the beginning
 * of paths with wildcards.
 *
 * Under a prefix, those whose path begins with it. In doubt a route belongs to the scope: capital letters do not matter,
 * since a router may ignore them, and a parameter in the prefix stands for whatever stands in its place.
 */
export function routesUnder(app: FastifyInstance): readonly RoutedPath[] {
  const prefix = beginning(app.prefix)
  return allRoutes(app).filter(({ path }) => {
    return prefix === '' || (path.toLowerCase().startsWith(prefix) && /^(?:[/*:]|$)/.test(path.slice(prefix.length)))
  })
}

function allRoutes(app: FastifyInstance): readonly RoutedPath[] {
  const routes: { methods: string[]; path: string }[] = []
  const above: string[] = []
  for (const line of app.printRoutes({ commonPrefix: true }).split('\n')) {
    const [, indent, told = ''] = branch.exec(line) ?? []
    const methods = (served.exec(line)?.[1] ?? '').split(', ').filter((method) => method !== '')
    if (indent === undefined) {
      // Another set of constraints at the place of the line before.
      routes.at(-1)?.methods.push(...methods)
      continue
    }
    const [added = ''] = told.split(served, 1)
    above.length = indent.length / 4
    above.push(added === '(empty root node)' ? '' : added)
    if (methods.length > 0) routes.push({ methods, path: above.join('') })
  }
  return routes
}

/** What every path of a scope begins with, in small letters: its prefix up to the first parameter. */
function beginning(prefix: string): string {
  const [fixed = ''] = prefix.split(/[:*]/, 1)
  return fixed.replace(/\/+$/, '').toLowerCase()
}

/** Names for a route by which it is found again in the tree: one for each method, with any parameter for any other. */
export function namesOf({ method, url }: Pick<RouteOptions, 'method' | 'url'>): readonly string[] {
  const urls = url.endsWith('?') ? [url.slice(0, -1), url.slice(0, url.lastIndexOf('/') + 1)] : [url]
  return [method].flat().flatMap((one) => urls.map((path) => `${one.toUpperCase()} ${plainPath(path)}`))
}

/** The same of a route of the tree. */
export function namesOfRouted({ methods, path }: RoutedPath): readonly string[] {
  return methods.map((method) => `${method} ${plainPath(path)}`)
}

function plainPath(path: string): string {
  const plain = path.replaceAll(/:[^/]*/g, ':').replaceAll(/\/{2,}/g, '/')
  return (plain === '/' ? plain : plain.replace(/\/$/, '')).toLowerCase()
}
