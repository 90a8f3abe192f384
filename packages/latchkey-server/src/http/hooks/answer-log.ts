import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, preParsingHookHandler } from 'fastify'
import { LatchkeyError } from 'latchkey'
import type { FastifyGuard } from 'latchkey/guard/fastify'

/**
 * A hook for `onResponse` that writes one line for an answer: who, what, how it ended. The route as it was declared and
 * never the address, in which people put keys.
 */
export function answerLog(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { method, routeOptions, ip } = request
  const { statusCode: status } = reply
  const outcome = status < 400 ? 'answered' : status < 500 ? 'rejected' : 'failed'
  const ms = Math.round(reply.elapsedTime * 10) / 10
  reply.log.info({ method, route: routeOptions.url, remoteAddress: ip, status, outcome, ms }, 'answer')
  done()
}

/**
 * A hook for `preParsing`, which runs once the key was accepted: from here on every line that is logged of the request
 * names that key, those of an application that the server is mounted in as well.
 */
export function callerLog(guard: Pick<FastifyGuard<string>, 'keyOf'>): preParsingHookHandler {
  // oxlint-disable-next-line eslint/max-params -- the signature is Fastify's
  return (request, reply, payload, done) => {
    const keyId = keyIdOf(request, guard)
    if (keyId !== undefined) request.log = reply.log = request.log.child({ keyId })
    done(null, payload)
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
