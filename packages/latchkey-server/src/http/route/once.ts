import type { FastifyRequest } from 'fastify'
import { bounds } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'

/** For the headers of routes that change something. */
export const idempotencyHeader = {
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: bounds.idempotencyKey,
      description: 'A text of your own. A call that is repeated with the same text changes nothing more',
    }),
  ),
}

/** For the answers of those routes. */
export const repeated = Type.Boolean({
  description: 'Whether this call was made before with the same Idempotency-Key',
})

/** Runs a changing call with its idempotency key, unless one with the same is running for the same admin key. */
export type RunOnce = <Value>(
  request: FastifyRequest,
  run: (options: { readonly idempotencyKey?: string }) => Promise<Value>,
) => Promise<Value>

/**
 * Sees to it that two calls with one token do not run at once. What was done with a token is the store's to remember;
 * that something is being done is known here only, and another instance finds out when it commits.
 */
export function oneAtATime(actorOf: (request: FastifyRequest) => string): RunOnce {
  const running = new Set<string>()
  return async (request, run) => {
    const token = request.headers['idempotency-key']
    if (typeof token !== 'string') return run({})
    const place = JSON.stringify([actorOf(request), token])
    if (running.has(place)) {
      throw problem({
        status: 409,
        code: 'still_running',
        detail: 'The first call with this Idempotency-Key is still running. Try again shortly.',
      })
    }
    running.add(place)
    try {
      return await run({ idempotencyKey: token })
    } finally {
      running.delete(place)
    }
  }
}
