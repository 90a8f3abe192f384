import type { Requirement, Keyring } from 'latchkey'
import { shuffled } from './measure.ts'

/** The scopes that the routes and calls of the benchmarks require. */
export const requirement: Requirement = Object.freeze({
  environment: 'live',
  allOf: Object.freeze(['orders:read']),
  cost: 1,
})

/**
 * Secrets in random order and as they come over the wire: each one flat text (one put together from parts is hashed more
 * slowly), and all of them side by side in memory, however long ago and far apart they were made.
 */
export function asSent(secrets: readonly string[]): readonly string[] {
  return shuffled(secrets).map((secret) => Buffer.from(secret).toString('latin1'))
}

/**
 * A contender for `interleave`: so many calls with the items in turn, and the nanoseconds of wall time that one call
 * took. It goes on where the measurement before stopped, so that an item comes round again only after all others.
 *
 * @example inTurn(secrets, { calls: 5000, call: (secret) => void hashSecret(secret) })
 */
export function inTurn(
  items: readonly string[],
  { calls, call }: { calls: number; call: (item: string) => void },
): () => number {
  let next = 0
  return () => {
    // So that each pays for its own garbage only.
    globalThis.gc?.()
    const began = process.hrtime.bigint()
    for (let count = 0; count < calls; count++) {
      call(items[next] ?? '')
      next = next + 1 === items.length ? 0 : next + 1
    }
    return Number(process.hrtime.bigint() - began) / calls
  }
}

/** A contender: `verify` with these secrets in turn. Every one must be accepted, and at once. */
export function verifying(
  keyring: Pick<Keyring, 'verify'>,
  { secrets, calls }: { secrets: readonly string[]; calls: number },
): () => number {
  return inTurn(secrets, {
    calls,
    call(secret) {
      const verdict = keyring.verify(secret, requirement)
      if (verdict instanceof Promise || !verdict.ok) throw new Error('A key was not accepted at once.')
    },
  })
}
