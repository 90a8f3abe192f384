import { LatchkeyError } from '../error.ts'
import { invalid } from '../options.ts'
import type { Declaration } from './declaration.ts'
import { declarationOf } from './declaration.ts'
import type { DeclaredRoute } from './openapi.ts'
import { declaredTwice, undeclared } from './undeclared.ts'

/** A router of Express 5, as far as its routes are read from it. */
interface Router {
  readonly stack: Layer[]
  /** Callbacks by the names of parameters. */
  readonly params: Readonly<Record<string, unknown>>
}

/** What `app.use` or `app.get` has added. */
interface Layer {
  readonly name: string
  readonly handle: Handle
  readonly rawPath: unknown
  readonly route?: Route | undefined
}

type Handle = ((...values: never[]) => unknown) & Partial<Router>

interface Route {
  readonly stack: { readonly method?: string | undefined; readonly handle: Handle }[]
}

/** A declared route. */
interface ExpressRoute extends DeclaredRoute {
  /** Express's object for it; of a group, its guard. */
  readonly place: object
}

/** A function in front of some paths of a router. */
interface Group {
  readonly paths: readonly string[]
  readonly declaration: Declaration
}

/** Where the walk is. */
interface Scope {
  readonly prefix: string
  /** The declarations of groups around the router. */
  readonly around: readonly Declaration[]
  /** What runs in front of the router for everyone, though it should not. */
  readonly early: readonly Early[]
}

/** A parser of bodies, or a callback of a parameter, and the path for which it runs. */
interface Early {
  readonly path: string
  readonly name: string
}

/** What the walk has found. */
interface Survey {
  readonly declared: ExpressRoute[]
  readonly open: string[]
  readonly twice: string[]
  readonly early: string[]
  /** The lists to which Express adds. */
  readonly stacks: unknown[][]
}

/** Express's own readers of bodies, by the names of their functions. */
const parserNames: ReadonlySet<string> = new Set(['jsonParser', 'urlencodedParser', 'textParser', 'rawParser'])

/**
 * Reads the routes of an application, and refuses those that a request could reach without a declaration, and functions
 * that would run in front of a guard.
 *
 * @throws LatchkeyError `undeclared_route`, naming them all; `invalid_input` for what is no application of Express 5.
 */
export function declaredRoutes(app: { readonly router: unknown }): Pick<Survey, 'declared' | 'stacks'> {
  const { router } = app as { readonly router?: Partial<Router> }
  if (!isRouter(router)) throw invalid('The application', 'one of Express 5')
  const found: Survey = { declared: [], open: [], twice: [], early: [], stacks: [] }
  walk(router, { prefix: '', around: [], early: [] }, found)
  refuse(found.open, 'neither requires(...) nor open in front, nor in openly(...)')
  refuse(found.twice, declaredTwice)
  refuse(found.early, 'runs in front of requires(...), so for callers without a key; put it behind')
  return found
}

function isRouter(value: Partial<Router> | undefined): value is Router {
  return Array.isArray(value?.stack)
}

function walk(router: Router, { prefix, around, early }: Scope, found: Survey): void {
  found.stacks.push(router.stack)
  const groups: Group[] = []
  const parsers = [...early]
  for (const layer of router.stack) {
    const { handle, route, name } = layer
    const paths = pathsOf(layer)
    const path = joined(prefix, paths)
    const covering = [
      ...around,
      ...groups.filter((group) => covers(group.paths, paths)).map((group) => group.declaration),
    ]
    const callbacks = Object.keys(router.params).filter((param) => paths.some((one) => hasParameter(one, param)))
    const note = {
      path,
      covering,
      found,
      early: [...parsers, ...callbacks.map((param) => ({ path, name: `param ${param}` }))],
    }
    const own = declarationOf(handle)
    if (route !== undefined) noteRoute(route, note)
    else if (isRouter(handle)) walk(handle, { prefix: path, around: covering, early: note.early }, found)
    // Express calls a function of four parameters only with an error.
    else if (handle.length > 3 || (own === undefined && covering.length > 0)) continue
    else if (own === undefined) found.open.push(`use ${path} (${name})`)
    else if (Object.hasOwn(handle, openHandler)) {
      if (parserNames.has(name) && covering.length === 0) parsers.push({ path, name: `use ${path} (${name})` })
    } else {
      noteDeclared('ALL', { ...note, place: handle, declarations: [...covering, own] })
      groups.push({ paths, declaration: own })
    }
  }
}

/** Marks functions that are declared to be open, and cover nothing that comes after them. */
export const openHandler: unique symbol = Symbol('open handler')

/** What is known of a route before its own handlers are read. */
interface Noting {
  readonly path: string
  readonly covering: readonly Declaration[]
  /** What runs in front of it. */
  readonly early: readonly Early[]
  readonly found: Survey
}

function noteRoute(route: Route, note: Noting): void {
  note.found.stacks.push(route.stack)
  const handlers = route.stack.filter(({ handle }) => handle.length <= 3)
  for (const method of new Set(handlers.map((handler) => handler.method))) {
    const [first, ...others] = handlers.filter((handler) => handler.method === undefined || handler.method === method)
    const all = [first, ...others].map((handler) => declarationOf(handler?.handle)).filter((own) => own !== undefined)
    const word = method === undefined ? 'ALL' : method.toUpperCase()
    if (note.covering.length === 0 && declarationOf(first?.handle) === undefined)
      note.found.open.push(`${word} ${note.path}`)
    else noteDeclared(word, { ...note, place: route, declarations: [...note.covering, ...all] })
  }
}

function noteDeclared(
  method: string,
  {
    path,
    covering,
    early,
    found,
    place,
    declarations,
  }: Noting & { readonly place: object; readonly declarations: readonly Declaration[] },
): void {
  const [declaration] = declarations
  if (declaration === undefined) return
  if (declarations.length > 1) found.twice.push(`${method} ${path}`)
  else found.declared.push({ method, path, declaration, place })
  if (declaration !== 'open' && covering.length === 0) {
    found.early.push(...early.filter((one) => covers([one.path], [path])).map(({ name }) => name))
  }
}

function pathsOf({ rawPath }: Layer): readonly string[] {
  return [rawPath].flat(Infinity).map(String)
}

function joined(prefix: string, paths: readonly string[]): string {
  const path = paths.length === 1 ? paths[0] : `[${paths.join(', ')}]`
  return path === '/' && prefix !== '' ? prefix : `${prefix === '/' ? '' : prefix}${path}`
}

/** Whether a group's function runs for every request to some paths. In doubt it does not. */
function covers(group: readonly string[], paths: readonly string[]): boolean {
  return paths.every((path) => group.some((one) => one === '/' || path === one || path.startsWith(`${one}/`)))
}

/** Whether a path has a parameter: `:id`, `*id`, `:"id"`, or a named group of a regular expression. */
function hasParameter(path: string, name: string): boolean {
  return [`:${name}`, `*${name}`, `"${name}"`, `<${name}>`].some((written) => path.includes(written))
}

function refuse(names: readonly string[], reason: string): void {
  if (names.length > 0) throw undeclared([...new Set(names)], reason)
}

/** Lets nothing be added any more: it would not have been checked. */
export function refuseLater(stacks: readonly unknown[][]): void {
  for (const stack of stacks) Object.defineProperty(stack, 'push', { value: refusePush, configurable: true })
}

function refusePush(): never {
  throw new LatchkeyError('undeclared_route', 'A route was added after checked(app), which has not seen it.')
}
