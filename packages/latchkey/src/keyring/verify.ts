import { hashSecret } from '../key/hash.ts'
import type { Form } from '../key/parse.ts'
import { formReader } from '../key/parse.ts'
import { phase } from '../policy/lifetime.ts'
import type { Catalogue } from '../policy/scopes.ts'
import { covers, expand } from '../policy/scopes.ts'
import type { Awaitable, StoredKey } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import type { Standing } from './cache.ts'
import type { KeyringParts } from './parts.ts'
import type { Credential, Demand, Refused, Verdict } from './verdict.ts'

/** No credential is longer, in characters; what is longer is refused unread. */
export const longestCredential = 1024

const nothing: readonly string[] = []
const nobody: ReadonlySet<string> = new Set()

/** Refusals that say nothing of a key, made once: a flood of them allocates nothing. */
const plainly = Object.fromEntries(
  Object.values(refusals).map((refusal) => [refusal.code, Object.freeze({ ok: false, refusal })]),
) as unknown as Readonly<Record<RefusalCode, Refused>>

/**
 * The function behind `Keyring.verify`. Read downwards it is the list of its steps: form → find → state → lifetime →
 * environment → scopes. The first that fails gives the refusal.
 */
export function verifierOf<Scope extends string>(
  parts: KeyringParts<Scope>,
): (credential: Credential | string | undefined, demand?: Partial<Demand>) => Awaitable<Verdict<Scope>> {
  const { store, sources, cache, clock, environments, scopes } = parts
  const formOf = formReader(parts)

  function verify(presented: Credential | string | undefined, demand: Partial<Demand> = {}): Awaitable<Verdict<Scope>> {
    if (presented === undefined || presented === '') return plainly.missing
    const credential: Credential =
      typeof presented === 'string' ? { text: presented, form: undefined, hash: undefined } : presented
    if (credential.text === '') return plainly.missing
    if (credential.text.length > longestCredential) return plainly.malformed

    const form = (credential.form ??= formOf(credential.text))
    // Keys from settings may have any form; without such keys a credential that is not ours ends here, unhashed.
    if (form !== 'minted' && sources.length === 0) return plainly[form]

    const hash = (credential.hash ??= hashSecret(credential.text))
    try {
      if (cache.current()) return find(hash, form, demand)
      const followed = cache.follow()
      if (followed === undefined) return find(hash, form, demand)
      return followed.then(() => (cache.current() ? find(hash, form, demand) : tooLate())).catch(unavailable)
    } catch (error) {
      return unavailable(error)
    }
  }

  function find(hash: string, form: Form, demand: Partial<Demand>): Awaitable<Verdict<Scope>> {
    const cached = cache.get(hash)
    if (cached !== undefined) return judge(cached, demand)
    const version = cache.version()
    const learn = (stored: StoredKey | undefined): Verdict<Scope> => {
      const standing = stored === undefined ? refusedFor(hash, 'unknown', undefined) : standingOf(hash, stored, scopes)
      cache.keep(standing, version)
      return judge(standing, demand)
    }
    for (const source of sources) {
      const stored = source.bySecret(hash)
      if (stored !== undefined) return learn(stored)
    }
    if (form !== 'minted') return plainly[form]
    const stored = store.bySecret(hash)
    return stored instanceof Promise ? stored.then(learn).catch(unavailable) : learn(stored)
  }

  function judge(standing: Standing<Scope>, demand: Partial<Demand>): Verdict<Scope> {
    const { accepted, keyId } = standing
    if (standing.refused !== undefined || accepted === undefined) return standing.refused ?? plainly.unknown
    if (standing.timed) {
      const now = phase(standing, clock.now())
      if (now === 'expired') return refuse('expired', keyId)
      if (now === 'pending') return refuse('not_yet_valid', keyId)
    }
    const { environment = environments[0], allOf = nothing, anyOf = nothing } = demand
    if (accepted.key.environment !== environment) return refuse('wrong_environment', keyId)
    if (!covers(standing.held, { allOf, anyOf })) return refuse('insufficient_scope', keyId)
    return accepted
  }

  return verify
}

function refuse(code: RefusalCode, keyId: string | undefined): Refused {
  return keyId === undefined ? plainly[code] : { ok: false, refusal: refusals[code], keyId }
}

/** A store that fails is neither a yes nor a no (ASVS 5.0 16.5.3: fail closed). */
function unavailable(cause: unknown): Refused {
  return { ok: false, refusal: refusals.unavailable, cause }
}

/** A look that took longer than its lease may have missed what was answered before somebody joined in waiting for it. */
function tooLate(): Refused {
  return unavailable(new Error('The store took longer to tell what has changed than its lease lasts.'))
}

/**
 * The standing of a secret that is refused whatever the time and the demand. Alike for all of them down to where things
 * lie in memory: each has a verdict of its own and of one shape, or a revoked key would take longer than an unknown one.
 */
function refusedFor(hash: string, code: RefusalCode, keyId: string | undefined): Standing<never> {
  const refused: Refused = Object.freeze({ ok: false, refusal: refusals[code], keyId })
  return { hash, keyId, refused, accepted: undefined, held: nobody, timed: false, notBefore: null, expiresAt: null }
}

/** What can be said of a stored key once, for as long as its row stays as it is. */
function standingOf<Scope extends string>(
  hash: string,
  stored: StoredKey,
  catalogue: Catalogue<Scope>,
): Standing<Scope> {
  const { id, name, owner, environment, metadata, notBefore, expiresAt } = stored
  if (stored.revokedAt !== null) return refusedFor(hash, 'revoked', id)
  const held = expand(stored.scopes, catalogue)
  const key = Object.freeze({
    id,
    name,
    owner,
    environment,
    scopes: Object.freeze([...held]),
    metadata: Object.freeze({ ...metadata }),
    expiresAt,
  })
  return {
    hash,
    keyId: id,
    refused: undefined,
    accepted: Object.freeze({ ok: true as const, key }),
    held,
    timed: notBefore !== null || expiresAt !== null,
    notBefore,
    expiresAt,
  }
}
