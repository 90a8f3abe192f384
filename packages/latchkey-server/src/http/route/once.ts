import type { FastifyRequest } from 'fastify'
import { bounds } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from '../type.ts'

/** A header of every route that changes something. */
export const idempotencyHeader = {
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: bounds.idempotencyKey,
      description: 'A text of your own. A call that is repeated with the same text changes nothing more',
    }),
  ),
}

/** A member of the answers of these routes. */
export const repeated = Type.Boolean({
  description: 'Whether this call was made before with the same Idempotency-Key',
})

/** Runs a changing call with its idempotency key, unless a call with the same key and admin key is running. */
export type RunOnce = <Value>(
  request: FastifyRequest,
  run: (options: { readonly idempotencyKey?: string }) => Promise<Value>,
) => Promise<Value>

/**
 * Refuses a call while another one with the same idempotency key is running here. The store remembers the finished calls;
 * a call that runs on another instance is found when this one commits.
 */
export function oneAtATime(actorOf: (request: FastifyRequest) => string): RunOnce {
  const running = new Set<string>()
  return async (request, run) => {
    const idempotencyKey = request.headers['idempotency-key']
    if (typeof idempotencyKey !== 'string') return run({})
    const call = JSON.stringify([actorOf(request), idempotencyKey])
    if (running.has(call)) {
      throw problem({
        status: 409,
        code: 'still_running',
        detail: 'The first call with this Idempotency-Key is still running. Try again shortly.',
      })
    }
    running.add(call)
    try {
      return await run({ idempotencyKey })
    } finally {
      running.delete(call)
    }
  }
}
