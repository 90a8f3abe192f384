/**
 * @module The guard for Fastify: a declaration on each route says which keys may call it, and a route without one stops
 * the start.
 */

import type { FastifyInstance, FastifyPluginAsync, FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify'
import { invalid, objectOf } from '../options.ts'
import { problemMediaType } from '../problem/problem.ts'
import type { Accepted, Refused, Requirement, VerifiedKey, Verifier } from '../verify/verdict.ts'
import { acceptedHeaders } from './answer.ts'
import type { CredentialPlace } from './credential.ts'
import { checkCoverage } from './fastify-coverage.ts'
import type { GuardHook } from './fastify-hook.ts'
import { declare, declaredBy, hooksOf } from './fastify-hook.ts'
import { documentDeclarations } from './fastify-openapi.ts'
import { RequestCall, isLate, judging } from './judging.ts'
import { securitySchemes } from './openapi.ts'
import type { RequiresArgument, RequiresOptions } from './requirement.ts'
import { anyKey, requirementOf } from './requirement.ts'
import { guardMissing, unguardedHandler } from './undeclared.ts'

export { anyKey, securitySchemes }
export type { CredentialPlace } from './credential.ts'
export type { GuardHook } from './fastify-hook.ts'
export type { SecurityScheme } from './openapi.ts'
export type { RequiresOptions } from './requirement.ts'

/** How the guard behaves. */
export interface FastifyGuardOptions {
  /** How to treat a route that declares neither a requirement nor `open`. `refuse`, the default, stops the start. */
  readonly unguarded?: 'refuse' | 'allow'
  /**
   * Where callers send their keys: `header`, the default, is `X-API-Key`; `bearer` is `Authorization: Bearer`; `either` is
   * one of the two. A request with two credentials is an error everywhere. Give `securitySchemes` the same option.
   */
  readonly credential?: CredentialPlace
}

/** The guard of one application. */
export interface FastifyGuard<Scope extends string> {
  /**
   * Documents declared routes and refuses to start with undeclared ones. Register it, and wait for it, before the first
   * route.
   */
  readonly plugin: FastifyPluginAsync
  /**
   * Declares which keys may call a route: those that have all of these scopes, and one of `anyOf` if there is one.
   * `anyKey` lets every valid key pass. An argument that is not understood stops the start. So does an empty list: it
   * would make a route that any key may call.
   *
   * @throws LatchkeyError `unknown_scope`, `invalid_input`.
   *
   * @example app.get('/orders', { onRequest: requires('orders:read') }, () => [])
   * @example app.get('/me', { onRequest: requires(anyKey) }, (request) => keyOf(request).owner)
   * @example app.post('/orders', { onRequest: requires({ cost: 10 }, 'orders:write') }, () => ({ ok: true }))
   */
  readonly requires: {
    (any: typeof anyKey): GuardHook
    (options: RequiresOptions<Scope>, ...scopes: readonly Scope[] | readonly [typeof anyKey]): GuardHook
    // Last: where no form fits, the compiler's message names the scopes of the last one.
    (scope: Scope, ...more: readonly Scope[]): GuardHook
  }
  /** Declares that a route is open to everyone. */
  readonly open: GuardHook
  /**
   * Declares that every route of a plugin from another author is open to everyone.
   *
   * @example
   * await app.register(swagger)
   * await app.register(openly(swaggerUi), { routePrefix: '/docs' })
   */
  readonly openly: <Options extends object>(
    plugin: FastifyPluginCallback<Options> | FastifyPluginAsync<Options>,
  ) => FastifyPluginAsync<Options>
  /**
   * Returns the key with which a request was accepted.
   *
   * @throws LatchkeyError `unguarded_handler` on a route without `requires`.
   *
   * @example app.get('/orders', { onRequest: requires('orders:read') }, (request) => ({ of: keyOf(request).owner }))
   */
  readonly keyOf: (request: FastifyRequest) => VerifiedKey<Scope>
}

/**
 * Serializers for Fastify's logger. They write the route instead of the URL, because people put keys into queries and
 * paths.
 *
 * @example const app = Fastify({ logger: { serializers: logSerializers } })
 */
export const logSerializers: { readonly req: (request: FastifyRequest) => Readonly<Record<string, unknown>> } = {
  req: (request) => ({ method: request.method, route: request.routeOptions?.url, remoteAddress: request.ip }),
}

/** A request that is refused, and the requirement that it did not meet. */
interface RefusedRequest {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly requirement: Requirement
}

const keySlot = Symbol('latchkey.key')

interface Guarded<Scope extends string> {
  [keySlot]?: VerifiedKey<Scope>
}

/**
 * Makes the guard of one Fastify application: `plugin` to register, `requires` and `open` for the `onRequest` of routes,
 * `openly` for plugins of other people, `keyOf` for the verified key. One declaration on a route authenticates it,
 * authorises it and documents it.
 *
 * Register the plugin on the application itself, with `await`, before every route and every other plugin: it sees the
 * routes of the scope that it is registered on and of the scopes within. A `setNotFoundHandler` is no route and declares
 * nothing: it answers everyone.
 *
 * The guard takes the key from the header `X-API-Key`, or from where `credential` says, and from nowhere else. It judges a
 * request once, before the body is read; a stream that a handler has begun goes on when its key is revoked.
 *
 * @throws LatchkeyError `invalid_input` for options that are not as they must be. A start with an undeclared route rejects
 *   with `undeclared_route`.
 *
 * @example
 * const { plugin, requires, open, keyOf } = fastifyGuard(keyring)
 * await app.register(plugin)
 * app.get('/health', { onRequest: open }, () => ({ ok: true }))
 * app.get('/orders', { onRequest: requires('orders:read') }, (request) => ({ of: keyOf(request).owner }))
 */
export function fastifyGuard<Scope extends string>(
  verifier: Verifier<Scope>,
  behaviour: FastifyGuardOptions = {},
): FastifyGuard<Scope> {
  objectOf('The options of fastifyGuard', behaviour, ['unguarded', 'credential'])
  const { unguarded = 'refuse', credential = 'header' } = behaviour
  if (unguarded !== 'refuse' && unguarded !== 'allow') throw invalid('unguarded', 'refuse or allow')
  const { judge, answer, note } = judging(verifier, credential)

  // Until the plugin is registered, undeclared routes are not checked for, so a guarded route does not answer either.
  let registered = false

  function requires(...args: readonly RequiresArgument<Scope>[]): GuardHook {
    const requirement = requirementOf(verifier, args)
    /** Puts an accepted key on the request, or answers the refusal; says whether the request goes on to its handler. */
    function act(verdict: Accepted<Scope> | Refused, request: FastifyRequest, reply: FastifyReply): boolean {
      if (verdict.ok) accept(verdict, request, reply)
      else refuse(verdict, { request, reply, requirement })
      return verdict.ok
    }

    return declare(requirement, (request, reply, done) => {
      if (!registered) return done(guardMissing('the plugin of the guard is not registered'))
      const verdict = judge(request.raw, requirement, new RequestCall(request, addressOf))
      if (isLate(verdict)) verdict.then((late) => act(late, request, reply) && done()).catch(done)
      else if (act(verdict, request, reply)) done()
    })
  }

  function accept(verdict: Accepted<Scope>, request: FastifyRequest, reply: FastifyReply): void {
    ;(request as Guarded<Scope>)[keySlot] = verdict.key
    // Shared caches keep out answers to `Authorization` only (RFC 9111 3.5), not ours. A handler may set another value.
    reply.header('cache-control', 'private')
    if (verdict.limits !== undefined || verdict.retiring !== undefined) reply.headers(acceptedHeaders(verdict))
  }

  function refuse(refused: Refused, { request, reply, requirement }: RefusedRequest): void {
    const { id, log, raw, method, routeOptions } = request
    const { status, headers, problem } = answer(refused, id)
    reply.code(status).headers(headers).type(problemMediaType).send(JSON.stringify(problem))
    const route = `${method} ${routeOptions.url ?? ''}`
    const call = new RequestCall(request, addressOf)
    note(refused, { message: raw, log, requestId: id, route, call, requirement })
  }

  const open = declare('open', (_request, _reply, done) => done())

  const openly: FastifyGuard<Scope>['openly'] = (inner) => async (app, options) => {
    app.addHook('onRoute', (route) => {
      if (declaredBy(route).length === 0) route.onRequest = [open, ...hooksOf(route)]
    })
    // This scope has the prefix already.
    await app.register(inner, { ...options, prefix: '' } as never)
  }

  async function plugin(app: FastifyInstance): Promise<void> {
    checkCoverage(app, unguarded)
    registered = true
    if (!app.hasRequestDecorator(keySlot)) app.decorateRequest(keySlot as never)
    documentDeclarations(app, credential)
  }
  // Fastify would give the plugin a scope of its own; `skip-override` applies it to the application that registers it.
  Object.assign(plugin, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'latchkey' })

  function keyOf(request: FastifyRequest): VerifiedKey<Scope> {
    const key = (request as Guarded<Scope>)[keySlot]
    if (key === undefined) throw unguardedHandler()
    return key
  }

  return { plugin, requires, open, openly, keyOf }
}

function addressOf(request: FastifyRequest): string {
  return request.ip
}
