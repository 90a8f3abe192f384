import { LatchkeyError } from '../error.ts'
import type { Store } from '../ports.ts'
import { piecewise } from './piecewise.ts'

/** The most keys that a message names. */
const mostNamed = 20

/**
 * The places in a list of hashes whose secret is known already: it is or was in the store, or is earlier in the list.
 *
 * @param hashes - hashes of new secrets, in the order of the call.
 */
export async function knownSecrets(
  store: Pick<Store, 'bySecret' | 'isErased'>,
  hashes: readonly string[],
): Promise<readonly number[]> {
  const stored = await piecewise(hashes, async (hash) => {
    return (await store.bySecret(hash)) !== undefined || (await store.isErased(hash))
  })
  const earlier = new Set<string>()
  const known: number[] = []
  for (const [place, hash] of hashes.entries()) {
    if (earlier.has(hash) || stored[place] === true) known.push(place)
    earlier.add(hash)
  }
  return known
}

/**
 * The error that names keys whose secrets are known already, as in "Keys 2, 7 and 31 more of 1000: …".
 *
 * @param known - their places in the list of keys.
 */
export function knownAlready(known: readonly number[], count: number): LatchkeyError {
  const named = known.slice(0, mostNamed).map((place) => place + 1)
  const more = known.length - named.length
  const which = `Key${known.length === 1 ? '' : 's'} ${named.join(', ')}${more === 0 ? '' : ` and ${more} more`} of ${count}`
  return new LatchkeyError(
    'conflict',
    `${which}: ${known.length === 1 ? 'its secret is' : 'their secrets are'} in the keyring already, or earlier in this list; none was added.`,
  )
}
