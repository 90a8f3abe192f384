/**
 * @module The guard for Hono: a declaration on each route says which keys may call it, and a route without one is not
 * found.
 */

import type { Context, MiddlewareHandler } from 'hono'
import { matchedRoutes } from 'hono/route'
import { objectOf } from '../options.ts'
import { problemMediaType } from '../problem/problem.ts'
import type { Accepted, Refused, Requirement, VerifiedKey, Verifier } from '../verify/verdict.ts'
import { acceptedHeaders } from './answer.ts'
import { linesOf } from './credential.ts'
import { declaration } from './declaration.ts'
import type { HonoRoutes } from './hono-routes.ts'
import { declarationWithin, declaredRoutes, innermost } from './hono-routes.ts'
import type { GuardOptions, Message } from './judging.ts'
import { RequestCall, isLate, judging, quietLog, randomId } from './judging.ts'
import type { OpenApiDocument } from './openapi.ts'
import { documentRoutes, securitySchemes } from './openapi.ts'
import type { RequiresArgument } from './requirement.ts'
import { anyKey, requirementOf } from './requirement.ts'
import type { Requires } from './requires.ts'
import { guardMissing } from './undeclared.ts'

export { anyKey, securitySchemes }
export type { CredentialPlace } from './credential.ts'
export type { HonoRoutes } from './hono-routes.ts'
export type { GuardLog, GuardOptions } from './judging.ts'
export type { OpenApiDocument, SecurityScheme } from './openapi.ts'
export type { RequiresOptions } from './requirement.ts'
export type { Requires } from './requires.ts'

/** How the guard behaves. */
export interface HonoGuardOptions extends GuardOptions<Context> {
  /**
   * The address of the caller, for keys that are bound to addresses. If left out, the address of the connection, where the
   * application runs on Node; elsewhere no address is known, and such keys are refused.
   */
  readonly address?: (context: Context) => string | undefined
}

/** The middleware of a route with `requires`: `c.var.apiKey` is the key that was accepted. */
export type HonoRequires<Scope extends string> = MiddlewareHandler<{ Variables: { apiKey: VerifiedKey<Scope> } }>

/** The guard of one application. */
export interface HonoGuard<Scope extends string> {
  /**
   * The first middleware: answers 404 to every request whose first handler declares nothing, `app.mount` included. Add it
   * in front of every route. What is added in front of it answers everyone, such as CORS or a log.
   */
  readonly guard: MiddlewareHandler
  /**
   * Declares which keys may call a route: those that have all of these scopes, and one of `anyOf` if there is one.
   * `anyKey` lets every valid key pass. Put it in front of all other handlers of the route, or of a group by `app.use`.
   *
   * @throws LatchkeyError `unknown_scope`, `invalid_input`.
   *
   * @example
   * const { guard, requires } = honoGuard(keyring)
   * const app = new Hono().use(guard)
   * app.get('/orders/:id', requires('orders:read'), (c) => c.json({ id: c.req.param('id'), owner: c.var.apiKey.owner }))
   */
  readonly requires: Requires<Scope, HonoRequires<Scope>>
  /** Declares that a route is open to everyone, or by `app.use` a group. */
  readonly open: MiddlewareHandler
  /**
   * Refuses an application with a route that declares nothing, or more than once, and returns it.
   *
   * @throws LatchkeyError `undeclared_route`, naming all such routes.
   *
   * @example
   * const { guard, requires, checked } = honoGuard(keyring)
   * const app = new Hono().use(guard)
   * app.get('/orders', requires('orders:read'), (c) => c.json([]))
   * const { fetch } = checked(app)
   */
  readonly checked: <App extends HonoRoutes>(app: App) => App
  /**
   * Writes into an OpenAPI document what the routes declare: `security`, and the answers of the guard. A `security` that is
   * there is replaced.
   *
   * @throws LatchkeyError `undeclared_route`.
   *
   * @example
   * const { guard, requires, documented } = honoGuard(keyring)
   * const app = new Hono().use(guard)
   * app.get('/orders', requires('orders:read'), (c) => c.json([]))
   * const document = documented(app, { openapi: '3.1.0', paths: { '/orders': { get: { summary: 'Orders' } } } })
   * console.log(JSON.stringify(document.paths?.['/orders'])?.includes('orders:read')) // true
   */
  readonly documented: <Document extends OpenApiDocument>(app: HonoRoutes, document: Document) => Document
}

/**
 * Makes the guard of one Hono application: `guard` for `app.use`, `requires` and `open` for routes, `checked` for the start.
 *
 * The guard takes the key from the header `X-API-Key`, or from where `credential` says, and from nowhere else. It judges a
 * request once, before the body is read. On Node it reads the header lines as they came. Elsewhere they are joined by a
 * comma and a space: a credential that contains these is then an error (400).
 *
 * @throws LatchkeyError `invalid_input` for options that are not as they must be.
 *
 * @example
 * const { guard, requires, open, checked } = honoGuard(keyring)
 * const app = new Hono().use(guard)
 * app.get('/health', open, (c) => c.text('ok'))
 * app.get('/orders', requires('orders:read'), (c) => c.json({ of: c.var.apiKey.owner }))
 * const answer = await checked(app).request('/orders', { headers: { 'X-API-Key': secret } })
 * console.log(answer.status) // 200
 */
export function honoGuard<Scope extends string>(
  verifier: Verifier<Scope>,
  options: HonoGuardOptions = {},
): HonoGuard<Scope> {
  objectOf('The options of honoGuard', options, ['credential', 'log', 'requestId', 'address'])
  const { credential, log = quietLog, requestId = randomId, address = remoteAddress } = options
  const { judge, answer, note } = judging(verifier, credential)

  // Until the first middleware has seen a request, nothing else answers 404 to undeclared routes.
  let guarding = false

  const guard: MiddlewareHandler = async (context, next) => {
    guarding = true
    // Only what a declaration stands in front of is reached; what matches nothing is not found anyway.
    const following = matchedRoutes(context)[context.req.routeIndex + 1]
    if (following === undefined) return next()
    const { handler } = following
    return innermost(handler) === guard || declarationWithin(handler) !== undefined ? next() : context.notFound()
  }

  function requires(...args: readonly RequiresArgument<Scope>[]): HonoRequires<Scope> {
    const requirement = requirementOf(verifier, args)
    const middleware: HonoRequires<Scope> = async (context, next) => {
      if (!guarding) throw guardMissing('app.use(guard) is missing')
      const judged = judge(messageOf(context), requirement, new RequestCall(context, address))
      const verdict = isLate(judged) ? await judged : judged
      if (!verdict.ok) return refuse(verdict, context, requirement)
      context.set('apiKey', verdict.key)
      tell(verdict, context)
      await next()
      // Hono leaves these headers out of a Response that a handler has made without the context.
      if (!context.res.headers.has('cache-control')) tell(verdict, context)
      return undefined
    }
    return Object.assign(middleware, { [declaration]: requirement })
  }

  function tell(verdict: Accepted<Scope>, context: Context): void {
    // Shared caches keep out answers to `Authorization` only (RFC 9111 3.5), not ours. A handler may set another value.
    context.header('cache-control', 'private')
    if (verdict.limits === undefined && verdict.retiring === undefined) return
    for (const [name, value] of Object.entries(acceptedHeaders(verdict))) context.header(name, value)
  }

  function refuse(refused: Refused, context: Context, requirement: Requirement): Response {
    const id = requestId(context)
    const { status, headers, problem } = answer(refused, id)
    const { method, routeIndex } = context.req
    const route = `${method} ${matchedRoutes(context)[routeIndex]?.path ?? ''}`
    const call = new RequestCall(context, address)
    note(refused, { message: messageOf(context), log, requestId: id, route, call, requirement })
    const type = `${problemMediaType}; charset=utf-8`
    return context.body(JSON.stringify(problem), status as 400, { ...headers, 'content-type': type })
  }

  const open: MiddlewareHandler = Object.assign<MiddlewareHandler, object>(async (_context, next) => next(), {
    [declaration]: 'open',
  })

  return {
    guard,
    requires,
    open,
    checked(app) {
      declaredRoutes(app, guard)
      return app
    },
    documented: (app, document) => documentRoutes(document, declaredRoutes(app, guard), credential),
  }
}

/** What runs on Node gives its message to the application. Its lines are as they came, and reading them is cheaper. */
function messageOf(context: Context): Message {
  const incoming = incomingOf(context)
  return incoming === undefined ? { rawHeaders: linesOf(context.req.raw.headers) } : incoming
}

function remoteAddress(context: Context): string | undefined {
  return incomingOf(context)?.socket?.remoteAddress
}

function incomingOf(context: Context): Message | undefined {
  const { incoming } = (context.env ?? {}) as { readonly incoming?: Message }
  return Array.isArray(incoming?.rawHeaders) ? incoming : undefined
}
