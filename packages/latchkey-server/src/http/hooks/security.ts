import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { securityHeaders } from 'latchkey/problem/fastify'

/**
 * The Content-Security-Policy of the pages under `/docs`. It has no `upgrade-insecure-requests`, which would leave them
 * blank over plain HTTP.
 */
export const docsPolicy =
  "default-src 'none'; base-uri 'none'; connect-src 'self'; font-src 'self' data:; form-action 'none'; " +
  "frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; style-src 'self' 'unsafe-inline'"

/**
 * A hook for `onRequest` that sets the security headers. It is our own, because an application that mounts the server may
 * have registered a plugin such as helmet already.
 */
export function secured(_request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  reply.headers(securityHeaders)
  done()
}
