import type { Demand, Keyring } from 'latchkey'

/** What the routes and calls of the benchmarks ask for. */
export const demand: Demand = { environment: 'live', allOf: ['orders:read'], anyOf: [] }

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
      const verdict = keyring.verify(secret, demand)
      if (verdict instanceof Promise || !verdict.ok) throw new Error('A key was not accepted at once.')
    },
  })
}
