/**
 * @module The guard for Express 5: a declaration on each route says which keys may call it, and a route without one stops
 * the start.
 */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { objectOf } from '../options.ts'
import { problemMediaType } from '../problem/problem.ts'
import type { Accepted, Refused, Requirement, VerifiedKey, Verifier } from '../verify/verdict.ts'
import { acceptedHeaders } from './answer.ts'
import { declaration } from './declaration.ts'
import { declaredRoutes, openHandler, refuseLater } from './express-routes.ts'
import type { GuardOptions } from './judging.ts'
import { RequestCall, isLate, judging, quietLog, randomId } from './judging.ts'
import type { OpenApiDocument } from './openapi.ts'
import { documentRoutes, securitySchemes } from './openapi.ts'
import type { RequiresArgument } from './requirement.ts'
import { anyKey, requirementOf } from './requirement.ts'
import type { Requires } from './requires.ts'
import { guardMissing, unguardedHandler } from './undeclared.ts'

export { anyKey, securitySchemes }
export type { CredentialPlace } from './credential.ts'
export type { GuardLog, GuardOptions } from './judging.ts'
export type { OpenApiDocument, SecurityScheme } from './openapi.ts'
export type { RequiresOptions } from './requirement.ts'
export type { Requires } from './requires.ts'

/** A request of Express, as far as the guard reads it. */
export interface ExpressRequest extends IncomingMessage {
  /** The address of the caller, as `trust proxy` says. */
  readonly ip?: string | undefined
  /** Express's object for the route. */
  readonly route?: object | undefined
}

/** What Express runs in front of a handler. */
export type ExpressHandler = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** An application of Express 5. */
export interface ExpressApplication {
  /** Its router, from which the routes are read. */
  readonly router: unknown
}

/** The guard of one application. */
export interface ExpressGuard<Scope extends string> {
  /**
   * Declares which keys may call a route: those that have all of these scopes, and one of `anyOf` if there is one.
   * `anyKey` lets every valid key pass. Put it in front of all other handlers of the route, also of `express.json()`, or of
   * a group by `app.use`. It answers nobody before `checked(app)`.
   *
   * @throws LatchkeyError `unknown_scope`, `invalid_input`.
   *
   * @example
   * const { requires, keyOf } = expressGuard(keyring)
   * const app = express()
   * app.get('/orders/:id', requires('orders:read'), (request, response) => {
   *   response.json({ id: request.params.id, owner: keyOf(request).owner })
   * })
   */
  readonly requires: Requires<Scope, ExpressHandler>
  /** Declares that a route is open to everyone, or by `app.use` a group. */
  readonly open: ExpressHandler
  /**
   * Declares that functions run for everyone, such as middleware, `express.static` or an application that is mounted. What
   * comes after them is not declared by that.
   *
   * @example
   * const { openly } = expressGuard(keyring)
   * const app = express().use(openly(express.static('public')))
   */
  readonly openly: <Handler extends (...values: never[]) => unknown>(...handlers: readonly Handler[]) => Handler[]
  /**
   * Refuses an application with a route that declares nothing, or more than once, or with a function that runs in front of
   * a guard without being `openly(...)`. Returns the application, to which no route can be added then.
   *
   * @throws LatchkeyError `undeclared_route`, naming them all; `invalid_input` for what is no application of Express 5.
   *
   * @example
   * const { requires, checked } = expressGuard(keyring)
   * const app = express()
   * app.get('/orders', requires('orders:read'), (request, response) => void response.json([]))
   * const server = checked(app).listen(0)
   * server.close()
   */
  readonly checked: <App extends ExpressApplication>(app: App) => App
  /**
   * Writes into an OpenAPI document what the routes declare: `security`, and the answers of the guard. A `security` that is
   * there is replaced.
   *
   * @throws LatchkeyError `undeclared_route`.
   *
   * @example
   * const { requires, documented } = expressGuard(keyring)
   * const app = express()
   * app.get('/orders', requires('orders:read'), (request, response) => void response.json([]))
   * const document = documented(app, { openapi: '3.1.0', paths: { '/orders': { get: { summary: 'Orders' } } } })
   * console.log(JSON.stringify(document).includes('orders:read')) // true
   */
  readonly documented: <Document extends OpenApiDocument>(app: ExpressApplication, document: Document) => Document
  /**
   * Returns the key with which a request was accepted.
   *
   * @throws LatchkeyError `unguarded_handler` on a route without `requires`.
   *
   * @example
   * const { requires, keyOf } = expressGuard(keyring)
   * const app = express()
   * app.get('/orders', requires('orders:read'), (request, response) => void response.json({ of: keyOf(request).owner }))
   */
  readonly keyOf: (request: IncomingMessage) => VerifiedKey<Scope>
}

const keySlot = Symbol('latchkey.key')

interface Guarded<Scope extends string> {
  [keySlot]?: VerifiedKey<Scope>
}

/**
 * Makes the guard of one Express application: `requires` and `open` for routes, `openly` for what is no route, `checked` for
 * the start, `keyOf` for the verified key.
 *
 * The guard takes the key from the header `X-API-Key`, or from where `credential` says, and from nowhere else. It judges a
 * request once, before the body is read. A caller's address is `request.ip`, as `trust proxy` says.
 *
 * @throws LatchkeyError `invalid_input` for options that are not as they must be.
 *
 * @example
 * const { requires, open, checked, keyOf } = expressGuard(keyring)
 * const app = express()
 * app.get('/health', open, (request, response) => void response.send('ok'))
 * app.get('/orders', requires('orders:read'), (request, response) => void response.json({ of: keyOf(request).owner }))
 * checked(app)
 */
export function expressGuard<Scope extends string>(
  verifier: Verifier<Scope>,
  options: GuardOptions<IncomingMessage> = {},
): ExpressGuard<Scope> {
  objectOf('The options of expressGuard', options, ['credential', 'log', 'requestId'])
  const { credential, log = quietLog, requestId = randomId } = options
  const { judge, answer, note } = judging(verifier, credential)

  /** The declared paths; empty until the routes are checked, so a guarded route does not answer before. */
  const paths = new WeakMap<object, string>()
  let isChecked = false

  function requires(...args: readonly RequiresArgument<Scope>[]): ExpressHandler {
    const requirement = requirementOf(verifier, args)
    const handler: ExpressHandler = (request, response, next) => {
      if (!isChecked) return next(guardMissing('checked(app) was not called'))
      /** Puts an accepted key on the request, or answers the refusal; says whether the request goes on to its handler. */
      const verdict = judge(request, requirement, new RequestCall(request, addressOf))
      if (isLate(verdict)) verdict.then((late) => act(late, request, response) && next()).catch(next)
      else if (act(verdict, request, response)) next()
    }

    function act(verdict: Accepted<Scope> | Refused, request: ExpressRequest, response: ServerResponse): boolean {
      if (verdict.ok) accept(verdict, request, response)
      else refuse(verdict, { request, response, requirement, place: request.route ?? handler })
      return verdict.ok
    }
    return Object.assign(handler, { [declaration]: requirement })
  }

  function accept(verdict: Accepted<Scope>, request: IncomingMessage, response: ServerResponse): void {
    ;(request as Guarded<Scope>)[keySlot] = verdict.key
    // Shared caches keep out answers to `Authorization` only (RFC 9111 3.5), not ours. A handler may set another value.
    response.setHeader('cache-control', 'private')
    if (verdict.limits === undefined && verdict.retiring === undefined) return
    for (const [name, value] of Object.entries(acceptedHeaders(verdict))) response.setHeader(name, value)
  }

  function refuse(refused: Refused, { request, response, requirement, place }: RefusedRequest): void {
    const id = requestId(request)
    const { status, headers, problem } = answer(refused, id)
    response.statusCode = status
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.setHeader('content-type', `${problemMediaType}; charset=utf-8`)
    response.end(JSON.stringify(problem))
    const route = `${request.method ?? ''} ${paths.get(place) ?? ''}`
    const call = new RequestCall(request, addressOf)
    note(refused, { message: request, log, requestId: id, route, call, requirement })
  }

  return {
    requires,
    open: Object.assign<ExpressHandler, object>((_request, _response, next) => next(), { [declaration]: 'open' }),
    openly: (...handlers) => handlers.map(opened),
    checked(app) {
      const { declared, stacks } = declaredRoutes(app)
      refuseLater(stacks)
      for (const { place, path } of declared) paths.set(place, path)
      isChecked = true
      return app
    },
    documented: (app, document) => documentRoutes(document, declaredRoutes(app).declared, credential),
    keyOf(request) {
      const key = (request as Guarded<Scope>)[keySlot]
      if (key === undefined) throw unguardedHandler()
      return key
    },
  }
}

/** A request that is refused, and the requirement that it did not meet. */
interface RefusedRequest {
  readonly request: ExpressRequest
  readonly response: ServerResponse
  readonly requirement: Requirement
  /** Express's object for the route, or the guard of a group. */
  readonly place: object
}

function addressOf(request: ExpressRequest): string | undefined {
  return request.ip ?? request.socket.remoteAddress
}

/** The same function under its own name, which is declared to be open. */
function opened<Handler extends (...values: never[]) => unknown>(handler: Handler): Handler {
  const wrapped = (...values: never[]): unknown => handler(...values)
  Object.defineProperties(wrapped, { name: { value: handler.name }, length: { value: handler.length } })
  return Object.assign(wrapped, { [declaration]: 'open', [openHandler]: true }) as unknown as Handler
}
