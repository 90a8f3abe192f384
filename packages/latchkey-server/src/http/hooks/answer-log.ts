import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, preParsingHookHandler } from 'fastify'
import { LatchkeyError } from 'latchkey'
import type { FastifyGuard } from 'latchkey/guard/fastify'

/**
 * A hook for `onResponse` that logs one line for each answer. It logs the route as declared, not the address: people put
 * keys into addresses.
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
 * A hook for `preParsing`, which runs after the key was accepted. From then on every log line of the request names the
 * key, also the lines of an application that mounts the server.
 */
export function callerLog(guard: Pick<FastifyGuard<string>, 'keyOf'>): preParsingHookHandler {
  // oxlint-disable-next-line eslint/max-params -- the signature is Fastify's
  return (request, reply, payload, done) => {
    const keyId = keyIdOf(request, guard)
    if (keyId !== undefined) request.log = reply.log = request.log.child({ keyId })
    done(null, payload)
  }
}

/** The id of the admin key that a request was accepted with; `undefined` if the route needs none. */
function keyIdOf(request: FastifyRequest, { keyOf }: Pick<FastifyGuard<string>, 'keyOf'>): string | undefined {
  try {
    return keyOf(request).id
  } catch (error) {
    if (error instanceof LatchkeyError) return undefined
    throw error
  }
}
