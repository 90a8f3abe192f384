import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, RouteOptions } from 'fastify'
import type { Declaration } from './declaration.ts'
import { declaration, declarationOf } from './declaration.ts'

/**
 * A hook for a route's `onRequest`. It runs before the body is read, so that a caller without a key cannot make us read
 * one.
 */
export type GuardHook = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void

/** The same hook, which now carries its declaration. */
export function declare(declared: Declaration, hook: GuardHook): GuardHook {
  return Object.assign(hook, { [declaration]: declared })
}

/** The `onRequest` hooks of a route. */
export function hooksOf(route: RouteOptions): readonly never[] {
  return [route.onRequest ?? []].flat() as never[]
}

/** The declarations of a route's hooks. A correctly guarded route has exactly one. */
export function declaredBy(route: RouteOptions): readonly Declaration[] {
  return hooksOf(route)
    .map(declarationOf)
    .filter((found) => found !== undefined)
}
