import type { IdentityKey, IdentityKeys } from './key-file.ts'

/**
 * Milliseconds from the making of a key to its first signature. Services read the published keys at least every five
 * minutes, so that by then all of them know it.
 */
export const publishedBefore = 600_000

/** Milliseconds for which a key stays published after its last signature: its identities and all clocks are past by then. */
const publishedAfter = 3_600_000

/**
 * The key that signs: the newest that has been published for long enough. If none has, it is the oldest.
 *
 * @param now - in milliseconds since 1970.
 */
export function signingKey({ keys }: IdentityKeys, now: number): IdentityKey {
  return keys.findLast(({ createdAt }) => createdAt + publishedBefore <= now) ?? keys[0]
}

/** The keys that are still needed: those from which some identity may be under way, and all newer ones. */
export function neededKeys(keys: IdentityKeys['keys'], now: number): IdentityKeys['keys'] {
  const replaced = keys.findLastIndex(({ createdAt }) => createdAt + publishedBefore + publishedAfter <= now)
  const [first = keys[0], ...rest] = keys.slice(Math.max(0, replaced))
  return [first, ...rest]
}
