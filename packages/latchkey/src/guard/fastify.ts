import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
  HookHandlerDoneFunction,
  RouteOptions,
} from 'fastify'
import { LatchkeyError } from '../error.ts'
import { invalid, objectOf } from '../options.ts'
import { documentSuccess } from '../problem/document-success.ts'
import { problemMediaType } from '../problem/problem.ts'
import { refusals } from '../refusal.ts'
import type { CallContext, Requirement, Verdict, VerifiedKey, Verifier } from '../verify/verdict.ts'
import type { RoutedPath } from './fastify-routes.ts'
import { namesOf, namesOfRouted, routesUnder } from './fastify-routes.ts'
import type { RequiresArgument, RequiresOptions } from './guard.ts'
import {
  acceptedHeaders,
  carriesSecret,
  anyKey,
  connectionMemory,
  declaration,
  declarationOf,
  requirementOf,
  documentationOf,
  presented,
  refusalAnswer,
  twoCredentials,
  securitySchemes,
} from './guard.ts'

export { anyKey, securitySchemes }
export type { RequiresOptions } from './guard.ts'

/** A hook for a route's `onRequest`: before the body is read, so that nobody can make us read one without a key. */
export type GuardHook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

/** How the guard behaves. */
export interface FastifyGuardOptions {
  /** What to do with routes that declare neither a requirement nor `open`; `refuse` stops the start. */
  readonly unguarded?: 'refuse' | 'allow'
}

/** The guard of one application. */
export interface FastifyGuard<Scope extends string> {
  /** Documents declared routes and refuses to start with undeclared ones. Register it, and wait for it, before the first route. */
  readonly plugin: FastifyPluginAsync
  /**
   * Lets a request pass if its key has all these scopes, and one of `anyOf` where that is given; with `anyKey` if it has
   * a valid key.
   *
   * @throws LatchkeyError `unknown_scope`, `invalid_input`; also where nothing is asked for.
   *
   * @example app.get('/orders', { onRequest: requires('orders:read') }, handler)
   * @example app.get('/me', { onRequest: requires(anyKey) }, handler)
   * @example app.post('/reports', { onRequest: requires({ cost: 10 }, 'reports:write') }, handler)
   */
  readonly requires: {
    (any: typeof anyKey): GuardHook
    (options: RequiresOptions<Scope>, ...scopes: readonly Scope[] | readonly [typeof anyKey]): GuardHook
    // The last, because it is the one whose names a compiler tells where none fits.
    (scope: Scope, ...more: readonly Scope[]): GuardHook
  }
  /** Says that a route is for everyone. */
  readonly open: GuardHook
  /**
   * Says that every route of somebody else's plugin is for everyone.
   *
   * @example await app.register(openly(swaggerUi), { routePrefix: '/docs' })
   */
  readonly openly: <Options extends object>(
    plugin: FastifyPluginCallback<Options> | FastifyPluginAsync<Options>,
  ) => FastifyPluginAsync<Options>
  /**
   * The key that a request was accepted with.
   *
   * @throws LatchkeyError `unguarded_handler` on a route without `requires`.
   */
  readonly keyOf: (request: FastifyRequest) => VerifiedKey<Scope>
}

/**
 * Serializers for Fastify's logger. Its own would write the URL, and people put keys into queries and paths; this one
 * writes the route.
 *
 * @example const app = Fastify({ logger: { serializers: logSerializers } })
 */
export const logSerializers: { readonly req: (request: FastifyRequest) => Readonly<Record<string, unknown>> } = {
  req: (request) => ({ method: request.method, route: request.routeOptions?.url, remoteAddress: request.ip }),
}

/**
 * All that a verifier is told of a request. Never the request itself: what an application puts on it for reasons of its
 * own, such as `dryRun`, would be read as an instruction. A class, so that the address is looked up (it goes through
 * the list of trusted proxies) only where a key names addresses, and nothing but the one object is made for it.
 */
class RequestCall implements CallContext {
  readonly #request: FastifyRequest

  constructor(request: FastifyRequest) {
    this.#request = request
  }

  get ip(): string {
    return this.#request.ip
  }

  // Named, though they say nothing: what is not on an object is looked for further up, where anybody can put it.
  get dryRun(): undefined {
    return undefined
  }

  get seenBy(): undefined {
    return undefined
  }
}

const keySlot = Symbol('latchkey.key')

interface Guarded<Scope extends string> {
  [keySlot]?: VerifiedKey<Scope>
}

/**
 * API keys for a Fastify application: one declaration on a route authenticates it, authorises it and documents it.
 *
 * @example
 * const { plugin, requires, open, keyOf } = fastifyGuard(keyring)
 * await app.register(plugin)
 * app.get('/health', { onRequest: open }, () => ({ ok: true }))
 * app.get('/orders', { onRequest: requires('orders:read') }, (request) => ordersOf(keyOf(request).owner))
 */
export function fastifyGuard<Scope extends string>(
  verifier: Verifier<Scope>,
  behaviour: FastifyGuardOptions = {},
): FastifyGuard<Scope> {
  objectOf('The options of fastifyGuard', behaviour, ['unguarded'])
  const { unguarded = 'refuse' } = behaviour
  if (unguarded !== 'refuse' && unguarded !== 'allow') throw invalid('unguarded', 'refuse or allow')
  const credentialOn = connectionMemory(verifier.credential?.bind(verifier))

  // Who forgets the plugin must not believe that undeclared routes would have stopped the start.
  let registered = false

  function requires(...wanted: readonly RequiresArgument<Scope>[]): GuardHook {
    const requirement = requirementOf(verifier, wanted)
    return declare(requirement, (request, reply, done) => {
      if (!registered) return done(forgotten())
      const verdict = judge(request, requirement)
      if (verdict instanceof Promise) verdict.then((late) => act(late, request, reply, done)).catch(done)
      else act(verdict, request, reply, done)
    })
  }

  function judge(request: FastifyRequest, requirement: Requirement<Scope>): ReturnType<typeof verifier.verify> {
    const { headers, raw } = request
    const text = presented(headers['x-api-key'], raw.rawHeaders)
    const { authorization } = headers
    const two =
      text === twoCredentials || (text !== undefined && authorization !== undefined && carriesSecret(authorization))
    if (two) return { ok: false, refusal: refusals.two_credentials }
    return verifier.verify(
      text === undefined ? undefined : credentialOn(raw.socket, text),
      requirement,
      new RequestCall(request),
    )
  }

  function act(
    verdict: Verdict<Scope>,
    request: FastifyRequest,
    reply: FastifyReply,
    done: HookHandlerDoneFunction,
  ): void {
    if (verdict.ok) {
      ;(request as Guarded<Scope>)[keySlot] = verdict.key
      // Only answers to `Authorization` are kept out of shared caches by themselves (RFC 9111 3.5). A handler may say otherwise.
      reply.header('cache-control', 'private')
      if (verdict.limits !== undefined || verdict.retiring !== undefined) reply.headers(acceptedHeaders(verdict))
      done()
      return
    }
    const { refusal, keyId, cause } = verdict
    const { status, headers, problem } = refusalAnswer(verdict, request.id)
    reply.code(status).headers(headers).type(problemMediaType).send(JSON.stringify(problem))
    // After the answer, so that what we know of a key does not show in how long the answer took.
    if (cause === undefined) {
      // For who wonders why a caller's key does not count: it came where it is not read.
      const elsewhere = refusal.code === 'missing' && request.headers.authorization !== undefined
      const told = { refusal: refusal.code, step: refusal.step, keyId }
      request.log.info(elsewhere ? { ...told, elsewhere: 'authorization' } : told, 'refused')
    } else request.log.error({ refusal: refusal.code, step: refusal.step, keyId, err: cause }, 'refused')
    verifier.noteRefusal?.(request.id, `${request.method} ${request.routeOptions.url ?? ''}`, verdict)
  }

  const open = declare('open', (_request, _reply, done) => done())

  const openly: FastifyGuard<Scope>['openly'] = (inner) => async (app, options) => {
    app.addHook('onRoute', (route) => {
      if (declaredBy(route).length === 0) route.onRequest = [open, ...hooksOf(route)]
    })
    // The prefix is that of this scope already.
    await app.register(inner, { ...options, prefix: '' } as never)
  }

  async function plugin(app: FastifyInstance): Promise<void> {
    const routes: RouteOptions[] = []
    const documentedRoutes: RouteOptions[] = []
    const seen = seenOn(app)
    const early = unguarded === 'refuse' ? routesUnder(app).filter((route) => !isSeen(route, seen)) : []
    if (early.length > 0) {
      throw unseen(
        early,
        'Routes were added before the guard, which has not seen whether they are guarded: register it first, with await.',
      )
    }
    registered = true
    if (!app.hasRequestDecorator(keySlot)) app.decorateRequest(keySlot as never)
    app.addHook('onRoute', (route) => {
      routes.push(route)
      if (unguarded === 'refuse') for (const name of namesOf(app, route)) seen.add(name)
      const [declared] = declaredBy(route)
      if (declared === undefined) return
      const { security, response } = documentationOf(declared)
      // What the route says of an answer itself is more than we can know of it.
      const documented: object = {
        ...route.schema,
        security,
        ...withResponses(response, route.schema?.response as object | undefined),
      }
      route.schema = documented
      documentedRoutes.push(route)
    })
    app.addHook('onReady', async () => documentedRoutes.forEach(documentSuccess))
    // Not in onRoute: the hooks of `openly` come after ours, and all undeclared routes should be named at once.
    app.addHook('onReady', async () => {
      const stacked = routes.filter((route) => declaredBy(route).length > 1)
      if (stacked.length > 0) throw undeclared(stacked, 'declared more than once; put all into one requires(...)')
      const bare = routes.filter((route) => declaredBy(route).length === 0)
      if (unguarded === 'refuse' && bare.length > 0) {
        throw undeclared(bare, 'neither requires(...) nor open in onRequest')
      }
      // In a scope without a prefix nobody can tell its own routes from those around it.
      if (unguarded === 'allow' || (app.prefix === '' && !isRoot(app))) return
      const elsewhere = routesUnder(app).filter((route) => !isSeen(route, seen))
      if (elsewhere.length > 0) {
        throw unseen(
          elsewhere,
          'Routes were added where the guard does not see them: it sees those of the scope that it is registered on, and of the scopes that are made in it from then on.',
        )
      }
    })
  }
  // Tells Fastify not to put the plugin into a scope of its own: it is for the application that registers it.
  Object.assign(plugin, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'latchkey' })

  function keyOf(request: FastifyRequest): VerifiedKey<Scope> {
    const key = (request as Guarded<Scope>)[keySlot]
    if (key === undefined) {
      throw new LatchkeyError('unguarded_handler', 'keyOf(request) was called on a route without requires(...).')
    }
    return key
  }

  return { plugin, requires, open, openly, keyOf }
}

function declare(declared: Requirement | 'open', hook: GuardHook): GuardHook {
  return Object.assign(hook, { [declaration]: declared })
}

function forgotten(): LatchkeyError {
  return new LatchkeyError(
    'undeclared_route',
    'A route has requires(...), but the plugin of the guard is not registered.',
  )
}

/** By the server that they share, the routes that any guard has seen: of two guards each judges its own. */
const seenOnServer = new WeakMap<object, Set<string>>()

function seenOn({ server }: FastifyInstance): Set<string> {
  const seen = seenOnServer.get(server) ?? new Set()
  seenOnServer.set(server, seen)
  return seen
}

function isSeen(route: RoutedPath, seen: ReadonlySet<string>): boolean {
  return namesOfRouted(route).every((name) => seen.has(name))
}

/** Scopes are made of the one around them. */
function isRoot(app: FastifyInstance): boolean {
  return Object.hasOwn(app, 'server')
}

function unseen(routes: readonly RoutedPath[], what: string): LatchkeyError {
  const lines = routes.map(({ methods, path }) => `${methods.join(', ')} ${path}`)
  return new LatchkeyError('undeclared_route', `${what}\n${lines.join('\n')}`)
}

function hooksOf(route: RouteOptions): readonly never[] {
  return [route.onRequest ?? []].flat() as never[]
}

function declaredBy(route: RouteOptions): readonly (Requirement | 'open')[] {
  return hooksOf(route)
    .map(declarationOf)
    .filter((found) => found !== undefined)
}

function withResponses(ours: object, own: object | undefined): { response?: object } {
  const response = { ...ours, ...own }
  return Object.keys(response).length === 0 ? {} : { response }
}

function undeclared(routes: readonly RouteOptions[], what: string): LatchkeyError {
  const got = new Set(routes.filter(({ method }) => [method].flat().includes('GET')).map(({ url }) => url))
  // Fastify adds a HEAD route to every GET route, with the same hooks: nobody has written it, so nobody is told of it.
  const written = routes.filter(({ method, url }) => method !== 'HEAD' || !got.has(url))
  const names = written.map(({ method, url }) => `${[method].flat().join(',')} ${url}`)
  return new LatchkeyError('undeclared_route', `${names.join('; ')}: ${what}.`)
}
