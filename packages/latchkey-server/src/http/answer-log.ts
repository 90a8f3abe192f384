import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { LatchkeyError } from 'latchkey'
import type { FastifyGuard } from 'latchkey/guard/fastify'

/**
 * A hook for `onResponse` that writes one line for an answer: who, what, how it ended. The route as it was declared and
 * never the address, in which people put keys.
 */
export function answerLog(
  guard: Pick<FastifyGuard<string>, 'keyOf'>,
): (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => void {
  return (request, reply, done) => {
    const { method, routeOptions, ip } = request
    const { statusCode: status } = reply
    const outcome = status < 400 ? 'answered' : status < 500 ? 'rejected' : 'failed'
    const ms = Math.round(reply.elapsedTime * 10) / 10
    const keyId = keyIdOf(request, guard)
    request.log.info({ method, route: routeOptions.url, remoteAddress: ip, status, outcome, keyId, ms }, 'answer')
    done()
  }
}

/** The admin key that a request was accepted with, if it was. */
function keyIdOf(request: FastifyRequest, { keyOf }: Pick<FastifyGuard<string>, 'keyOf'>): string | undefined {
  try {
    return keyOf(request).id
  } catch (error) {
    if (error instanceof LatchkeyError) return undefined
    throw error
  }
}
