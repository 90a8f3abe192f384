import type { FastifyInstance, RouteOptions } from 'fastify'
import { LatchkeyError } from '../error.ts'

/** A route as the router has it: parameters have the names of all routes that share the place. */
export interface RoutedPath {
  readonly methods: readonly string[]
  readonly path: string
  /** The path as `namesOf` writes it. */
  readonly place: string
}

/** Which paths a router takes for one. */
interface Folding {
  readonly letters: boolean
  readonly lastSlash: boolean
  readonly slashes: boolean
}

/** A line of the tree: how deep it lies, and what it says. */
const branch = /^((?:│ {3}| {4})*)[├└]── (.*)$/s

/** A line on the place of the line before, with other constraints. */
const furtherConstraints = /^((?:│ {3}| {4})+)(.*)$/s

/** The methods that a place of the tree serves, before its constraints. */
const served = / \(([A-Z][A-Z, -]*)\)(?=$| \{)/g

/** What the router's tree is where there is none. */
const empty = '(empty tree)'

/**
 * The routes that a scope's router has, whoever added them, asked of the router's tree: one line for each place, with
 * the text that it adds to that of the place above. The other picture that the router can make leaves out the beginning
 * of paths with wildcards.
 *
 * Under a prefix, those whose path begins with it. In doubt a route belongs to the scope: capital letters do not matter,
 * since a router may ignore them, and a parameter in the prefix stands for whatever stands in its place.
 *
 * @throws LatchkeyError `undeclared_route` where a line of the tree cannot be read: what it hides is not known.
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
  let before: { readonly told: string; readonly depth: number } | undefined
  for (const line of tree.split('\n')) {
    const [, indent, told] = branch.exec(line) ?? []
    const { text, methods } = nodeOf(told ?? furtherConstraints.exec(line)?.[2] ?? line)
    if (indent === undefined || told === undefined) {
      const depth = (furtherConstraints.exec(line)?.[1] ?? '').length / 4 - 1
      if (before?.told !== text || before.depth !== depth || methods.length === 0) throw unreadable(line)
    } else {
      before = { told: text, depth: indent.length / 4 }
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

/** What a line of the tree says. */
function nodeOf(told: string): { readonly text: string; readonly methods: readonly string[] } {
  const [found, ...more] = told.matchAll(served)
  if (found === undefined) return { text: told, methods: [] }
  // A path, or a host, that looks like a list of methods: which of them it is cannot be told.
  if (more.length > 0) throw unreadable(told)
  return { text: told.slice(0, found.index), methods: (found[1] ?? '').split(', ') }
}

function unreadable(line: string): LatchkeyError {
  const what = 'The guard cannot read which routes there are, and so not tell whether all are guarded; it stopped at'
  return new LatchkeyError('undeclared_route', `${what} ${JSON.stringify(line)}.`)
}

/** What every path of a scope begins with, in small letters: its prefix up to the first parameter. */
function beginning(prefix: string, { slashes }: Folding): string {
  const [fixed = ''] = prefix.split(/[:*]/, 1)
  return (slashes ? oneSlash(fixed) : fixed).replace(/\/+$/, '').toLowerCase()
}

/**
 * What the router of an application was told to take for the same, at either of the two places where it is told so.
 */
function foldingOf({ initialConfig }: FastifyInstance): Folding {
  const { routerOptions = {}, ...own } = initialConfig as RouterConfig & { readonly routerOptions?: RouterConfig }
  const told = [own, routerOptions]
  return {
    letters: told.some(({ caseSensitive }) => caseSensitive === false),
    lastSlash: told.some(({ ignoreTrailingSlash }) => ignoreTrailingSlash === true),
    slashes: told.some(({ ignoreDuplicateSlashes }) => ignoreDuplicateSlashes === true),
  }
}

interface RouterConfig {
  readonly caseSensitive?: boolean
  readonly ignoreTrailingSlash?: boolean
  readonly ignoreDuplicateSlashes?: boolean
}

/**
 * Names for a route by which it is found again in the tree: one for each method. Paths that the router of the
 * application takes for one have one name, and no others: parameters lose their names, and keep their expressions.
 */
export function namesOf(app: FastifyInstance, route: AddedRoute): readonly string[] {
  const { method, url, routePath, prefix, prefixTrailingSlash = 'both' } = route
  const folding = foldingOf(app)
  const urls = optionalParameter.test(url)
    ? [url.replace(optionalParameter, '$1$2'), url.replace(optionalParameter, '$2')]
    : [url]
  // The root of a prefix is told of once, and added with and without its slash.
  if (routePath === '' && prefix !== '' && prefixTrailingSlash === 'both') urls.push(`${url}/`)
  // Where the tree has a line for what begins with a colon, it does not say whether that is a parameter.
  const read = urls.flatMap((one) => (one.includes('::') ? [one, one.replaceAll('::', ':')] : [one]))
  return [method].flat().flatMap((one) => read.map((path) => `${one.toUpperCase()} ${placeOf(path, folding)}`))
}

/** A route as hooks are told of it. */
type AddedRoute = Pick<RouteOptions, 'method' | 'url' | 'prefixTrailingSlash'> & {
  readonly routePath: string
  readonly prefix: string
}

/** As the router recognises it. */
const optionalParameter = /(\/:[^/()]*?)\?(\/?)/

/** The same of a route of the tree. */
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

/** The same of what a line of the tree adds, where a colon that is no parameter's stands once. */
function placeOfNode(text: string, folding: Folding): string {
  if (text.startsWith(':')) return placeOfParameters(text, folding)
  return folded(text.replaceAll(':', '::').replaceAll('%25', '%'), folding)
}

/** Of routes that share the place, the tree has the parameters of each, with a line between. */
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

/** Where the parameters end that begin at a colon: at the next slash that is in no expression. */
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

/** Where the next parameter begins: a colon that is not doubled. */
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
