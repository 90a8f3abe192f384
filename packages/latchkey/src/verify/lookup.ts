import type { Awaitable, ImportedKind, SecretMatch } from '../ports.ts'
import { candidateOf } from '../secret/imported.ts'
import type { FormReader } from '../secret/parse.ts'
import { awaiting } from './awaiting.ts'
import type { Finding } from './cached-key.ts'
import { cachedKeysOf, refusedFor } from './cached-key.ts'
import type { KeyringParts } from './parts.ts'
import { plainRefusals } from './plain-refusals.ts'

/** The finding for a text that is not a secret of ours. The cache does not keep it. */
export const notOurs: Readonly<Record<'malformed' | 'mistyped', Finding<never>>> = {
  malformed: { refused: plainRefusals.malformed },
  mistyped: { refused: plainRefusals.mistyped },
}

/**
 * Finds a credential that the cache does not hold: first in the store, then in the sources. The result is kept in the
 * cache, unless it is `notOurs`.
 *
 * @returns a function of the hash of the credential and its text. It throws or rejects when the store does.
 */
export function lookupOf<Scope extends string>(
  { store, sources, cache, scopes }: KeyringParts<Scope>,
  formOf: FormReader,
): (hash: string, text: string) => Awaitable<Finding<Scope>> {
  const cachedKeyOf = cachedKeysOf(scopes)

  return (hash, text) => {
    const form = formOf(text)
    const imported = cache.imported()
    // The store has minted secrets and imported ones; the sources may have any.
    const mayBeStored = form === 'minted' || imported.length > 0
    if (!mayBeStored && sources.length === 0) return notOurs[form]

    // Before anything is read, so that the cache does not keep what has changed since.
    const version = cache.version()
    const match = mayBeStored ? inStore(hash, text, imported) : inSources(hash)
    return awaiting(match, (found) => {
      if (found === undefined && !mayBeStored) return notOurs[form]
      const missing = form === 'minted' ? 'unknown' : form
      const cached = found === undefined ? refusedFor(hash, missing, undefined) : cachedKeyOf(hash, found)
      cache.keep(cached, version)
      return cached
    })
  }

  /** Asks the store before the sources: a key that was revoked there is revoked, whatever the settings have. */
  function inStore(hash: string, text: string, kinds: readonly ImportedKind[]): Awaitable<SecretMatch | undefined> {
    return awaiting(store.bySecret(hash), (found) => {
      // A secret that was imported by a part of it is not that part alone.
      if (found !== undefined && (found.secret?.before ?? null) === null) return found
      return awaiting(byOtherHash(kinds, text), (imported) => {
        return imported === undefined ? inSources(hash) : unlessErased(hash, () => imported)
      })
    })
  }

  /** A secret that was erased or purged stays refused, even if it comes back by another hash, or in the settings. */
  function unlessErased(
    hash: string,
    find: () => Awaitable<SecretMatch | undefined>,
  ): Awaitable<SecretMatch | undefined> {
    return awaiting(store.isErased(hash), (isErased) => (isErased ? undefined : find()))
  }

  /** Finds a secret that was imported by another hash than that of all of it by SHA-256. */
  function byOtherHash(kinds: readonly ImportedKind[], text: string): Awaitable<SecretMatch | undefined> {
    const [kind, ...rest] = kinds
    if (kind === undefined) return undefined
    const candidate = kind === 'sha256' ? undefined : candidateOf(kind, text)
    if (candidate === undefined) return byOtherHash(rest, text)
    return awaiting(store.bySecret(candidate.hash), (found) => {
      const { secret } = found ?? {}
      return secret?.kind === kind && secret.before === candidate.before ? found : byOtherHash(rest, text)
    })
  }

  function inSources(hash: string): Awaitable<SecretMatch | undefined> {
    for (const source of sources) {
      const key = source.bySecret(hash)
      if (key === undefined) continue
      return unlessErased(hash, () => awaiting(store.owner(key.owner), (owner) => ({ key, secret: undefined, owner })))
    }
    return undefined
  }
}
