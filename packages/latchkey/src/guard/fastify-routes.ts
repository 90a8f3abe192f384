import type { FastifyInstance, RouteOptions } from 'fastify'
import { LatchkeyError } from '../error.ts'

/** A route in the router's tree. Its parameters have the names of all routes that share the place. */
export interface RoutedPath {
  readonly methods: readonly string[]
  readonly path: string
  /** The path as `namesOf` writes it. */
  readonly place: string
}

/** The differences between paths that a router ignores. */
interface Folding {
  readonly letters: boolean
  readonly lastSlash: boolean
  readonly slashes: boolean
}

/** A line of the tree: its indent, which is its depth, and its text. */
const branch = /^((?:│ {3}| {4})*)[├└]── (.*)$/s

/** A line for the same place as the line before it, with other constraints. */
const furtherConstraints = /^((?:│ {3}| {4})+)(.*)$/s

/** The methods that a place of the tree serves; they stand before its constraints. */
const served = / \(([A-Z][A-Z, -]*)\)(?=$| \{)/g

/** The text of a tree without routes. */
const empty = '(empty tree)'

/**
 * All routes of a scope's router, wherever they were added. They are read from a print of the router's tree: a line for
 * each place, with the text that it adds to the place above it. (The other print of the router leaves out the beginning
 * of paths with wildcards.)
 *
 * A scope with a prefix has the routes whose path begins with it. In doubt a route belongs to the scope: capital letters
 * do not matter, since a router may ignore them, and a parameter in the prefix stands for any text.
 *
 * @throws LatchkeyError `undeclared_route` for a line that cannot be read, since it may hide a route.
 */
export function routesUnder(app: FastifyInstance): readonly RoutedPath[] {
  const prefix = beginning(app.prefix, foldingOf(app))
  return allRoutes(app).filter(({ path }) => {
    return prefix === '' || (path.toLowerCase().startsWith(prefix) && /^(?:[/*:]|$)/.test(path.slice(prefix.length)))
  })
}

function allRoutes(app: FastifyInstance): readonly RoutedPath[] {
  const tree = app.printRoutes({ commonPrefix: true }).replace(/\n$/, '')
  if (tree === empty || tree === '') return []
  const folding = foldingOf(app)
  const routes: RoutedPath[] = []
  const above: { text: string; place: string }[] = []
  let before: { readonly text: string; readonly depth: number } | undefined
  for (const line of tree.split('\n')) {
    const [, indent, branchText] = branch.exec(line) ?? []
    const { text, methods } = nodeOf(branchText ?? furtherConstraints.exec(line)?.[2] ?? line)
    if (indent === undefined || branchText === undefined) {
      const depth = (furtherConstraints.exec(line)?.[1] ?? '').length / 4 - 1
      if (before?.text !== text || before.depth !== depth || methods.length === 0) throw unreadable(line)
    } else {
      before = { text, depth: indent.length / 4 }
      if (above.length < before.depth) throw unreadable(line)
      above.length = before.depth
      const added = text === '(empty root node)' ? '' : text
      above.push({ text: added, place: placeOfNode(added, folding) })
    }
    if (methods.length === 0) continue
    const path = above.map((node) => node.text).join('')
    if (!/^[/*]/.test(path)) throw unreadable(line)
    routes.push({ methods, path, place: above.map((node) => node.place).join('') })
  }
  return routes
}

/** The text of a line, and its methods apart from it. */
function nodeOf(lineText: string): { readonly text: string; readonly methods: readonly string[] } {
  const [found, ...more] = lineText.matchAll(served)
  if (found === undefined) return { text: lineText, methods: [] }
  // A path or a host looks like a list of methods, and the print does not show which one is the list.
  if (more.length > 0) throw unreadable(lineText)
  return { text: lineText.slice(0, found.index), methods: (found[1] ?? '').split(', ') }
}

function unreadable(line: string): LatchkeyError {
  const reason = 'The guard cannot read which routes there are, so it cannot say that all are guarded; it stopped at'
  return new LatchkeyError('undeclared_route', `${reason} ${JSON.stringify(line)}.`)
}

/** The beginning of every path of a scope, in small letters: its prefix up to the first parameter. */
function beginning(prefix: string, { slashes }: Folding): string {
  const [fixed = ''] = prefix.split(/[:*]/, 1)
  return (slashes ? oneSlash(fixed) : fixed).replace(/\/+$/, '').toLowerCase()
}

/** The differences that the router of an application ignores, from either of the two places for its options. */
function foldingOf({ initialConfig }: FastifyInstance): Folding {
  const { routerOptions = {}, ...own } = initialConfig as RouterConfig & { readonly routerOptions?: RouterConfig }
  const places = [own, routerOptions]
  return {
    letters: places.some(({ caseSensitive }) => caseSensitive === false),
    lastSlash: places.some(({ ignoreTrailingSlash }) => ignoreTrailingSlash === true),
    slashes: places.some(({ ignoreDuplicateSlashes }) => ignoreDuplicateSlashes === true),
  }
}

interface RouterConfig {
  readonly caseSensitive?: boolean
  readonly ignoreTrailingSlash?: boolean
  readonly ignoreDuplicateSlashes?: boolean
}

/**
 * Names by which a route is found again in the tree: one for each method. Two paths have the same name exactly where the
 * application's router takes them for one: parameters lose their names, and keep their expressions.
 */
export function namesOf(app: FastifyInstance, route: AddedRoute): readonly string[] {
  const { method, url, routePath, prefix, prefixTrailingSlash = 'both' } = route
  const folding = foldingOf(app)
  const urls = optionalParameter.test(url)
    ? [url.replace(optionalParameter, '$1$2'), url.replace(optionalParameter, '$2')]
    : [url]
  // Fastify announces the root of a prefix once, and adds it with and without its slash.
  if (routePath === '' && prefix !== '' && prefixTrailingSlash === 'both') urls.push(`${url}/`)
  // A line of the tree that begins with a colon does not show whether that is a parameter.
  const read = urls.flatMap((one) => (one.includes('::') ? [one, one.replaceAll('::', ':')] : [one]))
  return [method].flat().flatMap((one) => read.map((path) => `${one.toUpperCase()} ${placeOf(path, folding)}`))
}

/** A route as Fastify announces it to hooks. */
type AddedRoute = Pick<RouteOptions, 'method' | 'url' | 'prefixTrailingSlash'> & {
  readonly routePath: string
  readonly prefix: string
}

/** An optional parameter, by the router's own expression. */
const optionalParameter = /(\/:[^/()]*?)\?(\/?)/

/** The same names, for a route of the tree. */
export function namesOfRouted({ methods, place }: RoutedPath): readonly string[] {
  return methods.map((method) => `${method} ${place}`)
}

function placeOf(url: string, folding: Folding): string {
  const short = folding.slashes ? oneSlash(url) : url
  const path = (folding.lastSlash && short.length > 1 ? short.replace(/\/$/, '') : short) || '/'
  let place = ''
  for (let at = 0; at < path.length;) {
    const next = nextColon(path, at)
    place += folded(path.slice(at, next), folding)
    at = parametersEnd(path, next)
    place += placeOfParameters(path.slice(next, at), folding)
  }
  return place
}

/** The same, for the text of a line of the tree, where a colon that begins no parameter is not doubled. */
function placeOfNode(text: string, folding: Folding): string {
  if (text.startsWith(':')) return placeOfParameters(text, folding)
  return folded(text.replaceAll(':', '::').replaceAll('%25', '%'), folding)
}

/**
 * Reads the parameters at one place. If several routes share the place, the tree writes the parameters of each, with a
 * bar between them.
 */
function placeOfParameters(text: string, folding: Folding): string {
  const each = text.split('|:').map((one, index) => withoutNames(index === 0 ? one : `:${one}`, folding))
  const [first = ''] = each
  return each.every((one) => one === first) ? first : withoutNames(text, folding)
}

function withoutNames(text: string, folding: Folding): string {
  let place = ''
  for (let at = 0; at < text.length;) {
    const name = nameEnd(text, at)
    const expression = expressionEnd(text, name)
    const next = nextColon(text, expression)
    place += `:${text.slice(name, expression)}${folded(text.slice(expression, next), folding)}`
    at = next
  }
  return place
}

/** The index at which the parameters that begin at a colon end: the next slash outside of expressions. */
function parametersEnd(path: string, colon: number): number {
  let at = colon
  while (path[at] === ':') {
    at = expressionEnd(path, nameEnd(path, at))
    while (at < path.length && path[at] !== '/' && path[at] !== ':') at++
    if (path.startsWith('::', at)) at = Math.min(nextColon(path, at), slashFrom(path, at))
  }
  return at
}

function nameEnd(text: string, colon: number): number {
  const length = text.slice(colon + 1).search(/[-(./]/)
  return length === -1 ? text.length : colon + 1 + length
}

function expressionEnd(text: string, open: number): number {
  if (text[open] !== '(') return open
  let depth = 0
  for (let at = open; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '(') depth++
    else if (text[at] === ')' && --depth === 0) return at + 1
  }
  return text.length
}

/** The index at which the next parameter begins: the next colon that is not doubled. */
function nextColon(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('::', at)) at++
    else if (text[at] === ':') return at
  }
  return text.length
}

function slashFrom(text: string, from: number): number {
  const at = text.indexOf('/', from)
  return at === -1 ? text.length : at
}

function oneSlash(path: string): string {
  return path.replaceAll(/\/{2,}/g, '/')
}

function folded(text: string, { letters }: Folding): string {
  return letters ? text.toLowerCase() : text
}
