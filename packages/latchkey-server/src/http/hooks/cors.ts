import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'

const exposed = 'ETag, Location, RateLimit, RateLimit-Policy, Retry-After, Deprecation, Sunset, X-Request-Id'

/**
 * A hook for `onRequest` that lets pages of these origins call the server. It allows no credentials: the server reads no
 * cookies, and the page sends the key in a header.
 */
export function crossOrigin(
  origins: readonly string[],
): (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void {
  const allowed = new Set(origins)
  return ({ headers, method }, reply, done) => {
    reply.header('vary', 'Origin')
    const { origin } = headers
    if (origin === undefined || !allowed.has(origin)) return done()
    reply.header('access-control-allow-origin', origin)
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
      reply.header('access-control-expose-headers', exposed)
      return done()
    }
    reply.headers({
      'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
      'access-control-allow-headers': 'X-API-Key, Content-Type, If-Match, Idempotency-Key',
      'access-control-max-age': '600',
    })
    reply.code(204).send()
  }
}
