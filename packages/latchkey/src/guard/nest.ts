/**
 * @module The guard for Nest 12, on Express and on Fastify: a declaration on each route or its class says which keys may
 * call it, and a route without one stops the start.
 */

import { IncomingMessage } from 'node:http'
import type {
  CanActivate,
  DynamicModule,
  ExecutionContext,
  INestApplicationContext,
  OnApplicationBootstrap,
} from '@nestjs/common'
import {
  HttpException,
  Inject,
  NotFoundException,
  SetMetadata,
  UseGuards,
  applyDecorators,
  createParamDecorator,
} from '@nestjs/common'
import { APP_GUARD, ModulesContainer } from '@nestjs/core'
import { objectOf } from '../options.ts'
import { problemMediaType } from '../problem/problem.ts'
import type { Accepted, Refused, Requirement, VerifiedKey, Verifier } from '../verify/verdict.ts'
import { acceptedHeaders } from './answer.ts'
import type { Declaration } from './declaration.ts'
import type { GuardOptions, Message } from './judging.ts'
import { RequestCall, isLate, judging, quietLog, randomId } from './judging.ts'
import type { Declarations, Place } from './nest-routes.ts'
import { declaredRoutes, refuseUndeclared } from './nest-routes.ts'
import type { OpenApiDocument } from './openapi.ts'
import { documentRoutes, securitySchemes } from './openapi.ts'
import type { RequiresArgument } from './requirement.ts'
import { anyKey, requirementOf } from './requirement.ts'
import type { Requires } from './requires.ts'
import { declaredTwice, guardMissing, undeclared, unguardedHandler } from './undeclared.ts'

export { anyKey, securitySchemes }
export type { CredentialPlace } from './credential.ts'
export type { GuardLog, GuardOptions } from './judging.ts'
export type { OpenApiDocument, SecurityScheme } from './openapi.ts'
export type { RequiresOptions } from './requirement.ts'
export type { Requires } from './requires.ts'

/** A request of Nest's adapter for Express or for Fastify, as far as the guard reads it. */
export interface NestRequest {
  /** Such as `GET`. */
  readonly method: string
  /** The path and the query, as they came. */
  readonly originalUrl: string
  /** The address of the caller, as `trust proxy` or `trustProxy` says. */
  readonly ip?: string | undefined
}

/** What declares: for a method of a controller, or for its class, where it is for every method. */
export type NestDeclaration = ClassDecorator & MethodDecorator

/** The guard of one application. */
export interface NestGuard<Scope extends string> {
  /**
   * Import it into the module of the application: it judges every request, and stops the start if a route declares nothing.
   * Without it, a route with `Requires` answers nobody.
   */
  readonly GuardModule: DynamicModule
  /**
   * Declares which keys may call a route, or every route of a class: those that have all of these scopes, and one of
   * `anyOf` if there is one. `anyKey` lets every valid key pass. If a method and its class both declare something, the
   * method's declaration holds, and the one of the class does not.
   *
   * @throws LatchkeyError `unknown_scope`, `invalid_input`; `undeclared_route` for two declarations in one place.
   *
   * @example
   * const { Requires } = nestGuard(keyring)
   * class Orders {
   *   list(): string[] {
   *     return []
   *   }
   * }
   * // With decorators: `@Requires('orders:read')` above the class.
   * Requires('orders:read')(Orders)
   */
  readonly Requires: Requires<Scope, NestDeclaration>
  /**
   * Declares that a route, or every route of a class, is open to everyone.
   *
   * @example
   * const { Open } = nestGuard(keyring)
   * class Health {}
   * // With decorators: `@Open()` above the class.
   * Open()(Health)
   */
  readonly Open: () => NestDeclaration
  /**
   * Gives a method the key with which its request was accepted.
   *
   * @example
   * const { Key } = nestGuard(keyring)
   * class Orders {
   *   owner(key: VerifiedKey): string {
   *     return key.owner
   *   }
   * }
   * // With decorators: `owner(@Key() key: VerifiedKey)`.
   * Key()(Orders.prototype, 'owner', 0)
   */
  readonly Key: () => ParameterDecorator
  /**
   * Returns the key with which a request was accepted.
   *
   * @throws LatchkeyError `unguarded_handler` on a route without `Requires`.
   *
   * @example
   * const { keyOf } = nestGuard(keyring)
   * const ownerOf = (request: object): string => keyOf(request).owner
   */
  readonly keyOf: (request: object) => VerifiedKey<Scope>
  /**
   * Writes into an OpenAPI document what the routes declare: `security`, and the answers of the guard. A `security` that is
   * there is replaced.
   *
   * @throws LatchkeyError `undeclared_route`.
   *
   * @example
   * const { documented } = nestGuard(keyring)
   * const documentOf = (app: INestApplicationContext): object => documented(app, { openapi: '3.1.0', paths: {} })
   */
  readonly documented: <Document extends OpenApiDocument>(app: INestApplicationContext, document: Document) => Document
}

const keySlot = Symbol('latchkey.key')
const passedSlot = Symbol('latchkey.passed')

/** A request of either adapter, and what the guard puts on it. */
interface Guarded<Scope extends string> extends NestRequest {
  [keySlot]?: VerifiedKey<Scope>
  /** The method of a controller for which the request was let through. */
  [passedSlot]?: object
  /** Fastify's way to Node's message. */
  readonly raw?: Message
  /** Express's object for the route. */
  readonly route?: { readonly path?: string }
  /** Fastify's object for the route. */
  readonly routeOptions?: { readonly url?: string }
}

/** The response of either adapter. */
interface Response {
  readonly header: (name: string, value: string) => unknown
}

/**
 * Makes the guard of one Nest application: `GuardModule` to import, `Requires` and `Open` for methods and classes, `Key` for
 * the verified key.
 *
 * The guard takes the key from the header `X-API-Key`, or from where `credential` says, and from nowhere else. It judges a
 * request once. Nest reads the body before any guard: a caller without a key gets 400 for a body that is malformed.
 *
 * @throws LatchkeyError `invalid_input` for options that are not as they must be.
 *
 * @example
 * const { GuardModule, Requires, Open, Key } = nestGuard(keyring)
 * class Orders {
 *   owner(key: VerifiedKey): string {
 *     return key.owner
 *   }
 * }
 * // With decorators: `@Requires('orders:read')` above the method, and `owner(@Key() key: VerifiedKey)`.
 * Requires('orders:read')(Orders.prototype, 'owner', { value: Orders.prototype.owner })
 * Key()(Orders.prototype, 'owner', 0)
 * Open()(class Health {})
 * const imports = [GuardModule]
 */
export function nestGuard<Scope extends string>(
  verifier: Verifier<Scope>,
  options: GuardOptions<NestRequest> = {},
): NestGuard<Scope> {
  objectOf('The options of nestGuard', options, ['credential', 'log', 'requestId'])
  const { credential, log = quietLog, requestId = randomId } = options
  const { judge, answer, note } = judging(verifier, credential)

  /** A name of this guard's own: the declarations of another one do not count. */
  const declared = Symbol('latchkey.declaration')
  const declarations: Declarations = (method, controller) =>
    (Reflect.getMetadata(declared, method) ?? Reflect.getMetadata(declared, controller)) as Declaration | undefined

  const guard: CanActivate = {
    canActivate(context) {
      const method = context.getHandler()
      const declaration = declarations(method, context.getClass())
      const { request } = callOf<Scope>(context)
      if (declaration === undefined) throw new NotFoundException(`Cannot ${request.method} ${request.originalUrl}`)
      request[passedSlot] = method
      if (declaration === 'open') return true
      const verdict = judge(messageOf(request), declaration as Requirement<Scope>, new RequestCall(request, addressOf))
      return isLate(verdict)
        ? verdict.then((late) => act(late, context, declaration))
        : act(verdict, context, declaration)
    },
  }

  class GuardModule implements OnApplicationBootstrap {
    readonly #modules: ModulesContainer

    constructor(modules: ModulesContainer) {
      this.#modules = modules
    }

    onApplicationBootstrap(): void {
      refuseUndeclared(this.#modules, declarations)
    }
  }
  Inject(ModulesContainer)(GuardModule, undefined, 0)

  /** Stands on every route with `Requires`: where `GuardModule` is not imported, nobody else would look at the key. */
  const passed: CanActivate = {
    canActivate(context) {
      if (callOf(context).request[passedSlot] === context.getHandler()) return true
      throw guardMissing('GuardModule is not imported')
    },
  }

  function declaring(declaration: Declaration, ...guards: readonly CanActivate[]): NestDeclaration {
    const decorate = applyDecorators(SetMetadata(declared, declaration), UseGuards(...guards))
    return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor) => {
      const place = (descriptor === undefined ? target : descriptor.value) as Place
      if (Reflect.hasOwnMetadata(declared, place)) throw undeclared([place.name], declaredTwice)
      decorate(target, name, descriptor)
    }
  }

  function act(verdict: Accepted<Scope> | Refused, context: ExecutionContext, requirement: Requirement): true {
    const { request, response } = callOf<Scope>(context)
    if (!verdict.ok) return refuse(verdict, { request, response, requirement })
    request[keySlot] = verdict.key
    // Shared caches keep out answers to `Authorization` only (RFC 9111 3.5), not ours. A handler may set another value.
    response.header('cache-control', 'private')
    if (verdict.limits === undefined && verdict.retiring === undefined) return true
    for (const [name, value] of Object.entries(acceptedHeaders(verdict))) response.header(name, value)
    return true
  }

  function refuse(refused: Refused, { request, response, requirement }: RefusedRequest<Scope>): never {
    const id = requestId(request)
    const { status, headers, problem } = answer(refused, id)
    for (const [name, value] of Object.entries(headers)) response.header(name, value)
    response.header('content-type', `${problemMediaType}; charset=utf-8`)
    const route = `${request.method} ${request.route?.path ?? request.routeOptions?.url ?? ''}`
    const call = new RequestCall(request, addressOf)
    // Nest answers when the guard has thrown, so that is not yet.
    setImmediate(() => {
      try {
        note(refused, { message: messageOf(request), log, requestId: id, route, call, requirement })
      } catch (error) {
        quietLog.error({ err: error }, 'A refusal was not noted')
      }
    })
    throw new HttpException(problem, status)
  }

  function keyOf(request: object): VerifiedKey<Scope> {
    const key = (request as Guarded<Scope>)[keySlot]
    if (key === undefined) throw unguardedHandler()
    return key
  }

  return {
    GuardModule: {
      module: GuardModule,
      providers: [{ provide: APP_GUARD, useValue: guard }],
    },
    Requires: (...args: readonly RequiresArgument<Scope>[]) => declaring(requirementOf(verifier, args), passed),
    Open: () => declaring('open'),
    Key: createParamDecorator((_data: unknown, context: ExecutionContext) => keyOf(callOf(context).request)),
    keyOf,
    documented: (app, document) => documentRoutes(document, declaredRoutes(app, declarations), credential),
  }
}

/** A request that is refused, and the requirement that it did not meet. */
interface RefusedRequest<Scope extends string> {
  readonly request: Guarded<Scope>
  readonly response: Response
  readonly requirement: Requirement
}

/** The request of a call over HTTP; whatever else Nest calls, such as a resolver of GraphQL, has none. */
function callOf<Scope extends string>(
  context: ExecutionContext,
): { readonly request: Guarded<Scope>; readonly response: Response } {
  const type = context.getType<string>()
  if (type !== 'http') {
    throw undeclared([`${context.getClass().name}.${context.getHandler().name}`], `of the type ${type}, not http`)
  }
  const http = context.switchToHttp()
  return { request: http.getRequest(), response: http.getResponse() }
}

/** Node's message. What an application puts on a request of Express under another name is none. */
function messageOf(request: Guarded<string>): Message {
  return request instanceof IncomingMessage ? request : (request.raw ?? { rawHeaders: [] })
}

function addressOf(request: Guarded<string>): string | undefined {
  return request.ip ?? messageOf(request).socket?.remoteAddress
}
