import { bounds } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'

/** For the headers of routes that create. */
export const idempotencyHeader = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ minLength: 1, maxLength: bounds.token, description: 'Sent again, the call does nothing more' }),
  ),
})

/** Runs a creating call, unless one with the same token is running for the same actor. */
export type RunOnce = <Value>(actor: string, token: string | undefined, run: () => Promise<Value>) => Promise<Value>

/**
 * Sees to it that two calls with one token do not run at once. What was done with a token is the store's to remember;
 * that something is being done is known here only, and another instance finds out when it commits.
 */
export function oneAtATime(): RunOnce {
  const running = new Set<string>()
  return async (actor, token, run) => {
    if (token === undefined) return run()
    const place = JSON.stringify([actor, token])
    if (running.has(place)) {
      throw problem({
        status: 409,
        code: 'still_running',
        detail: 'The first call with this Idempotency-Key is still running. Try again shortly.',
      })
    }
    running.add(place)
    try {
      return await run()
    } finally {
      running.delete(place)
    }
  }
}
