/**
 * @module For services behind a proxy that asks Latchkey about each request: a verifier of the signed identities that the
 *   proxy passes on. Guards work with it as with a keyring, and no call waits for a network.
 */

import { frozenCopy } from './frozen.ts'
import type { IdentityClaims } from './identity/token.ts'
import { claimsOf, isWithin, tokenOf } from './identity/token.ts'
import type { Keys, KeySet, ReadKeys } from './identity/key-set.ts'
import { keysAt, keysIn } from './identity/key-set.ts'
import { isThisMachine } from './this-machine.ts'
import { invalid, membersOf, objectOf } from './options.ts'
import { systemClock } from './keyring/clock.ts'
import type { Catalogue } from './policy/scopes.ts'
import { checkCatalogue, covers, missingScopes } from './policy/scopes.ts'
import type { Clock } from './ports.ts'
import type { RefusalCode } from './refusal.ts'
import { refusals } from './refusal.ts'
import type { CheckedRequirement } from './verify/requirement.ts'
import { checkContext, requirementReader, takes } from './verify/requirement.ts'
import type { Refused, Verdict, VerifiedKey, Verifier } from './verify/verdict.ts'
import { unavailable } from './verify/verify.ts'

export type { KeySet } from './identity/key-set.ts'

/** What a service says about itself and its Latchkey. */
export interface IdentityOptions<Scope extends string> {
  /** The `audience` of the policy by which the proxy asks: its name, unless it says another one. */
  readonly audience: string
  /** The address of `/.well-known/jwks.json` of the Latchkey server, or the set itself. */
  readonly keys: string | KeySet
  /** The scopes that routes ask for, each with its sentence for the documentation. The policy must pass them on. */
  readonly scopes: Catalogue<Scope>
  /** The environments of keys, the one that routes take first; `live` and `test` if left out. */
  readonly environments?: readonly [string, ...string[]]
  /** Who issues the identities, as `latchkey identity rotate` was told; `latchkey` if left out. */
  readonly issuer?: string
  /** Allows to read the keys over http from another machine: for a network that is encrypted by other means. */
  readonly insecure?: boolean
  /** Reads the keys; the platform's own if left out. */
  readonly fetch?: typeof fetch
  /** The machine's clock if left out. It must agree with that of Latchkey to within 20 seconds. */
  readonly clock?: Clock
}

const members = membersOf<IdentityOptions<string>>({
  audience: true,
  keys: true,
  scopes: true,
  environments: true,
  issuer: true,
  insecure: true,
  fetch: true,
  clock: true,
})

/** How many identities are remembered with what they say, so that their signature is checked once. */
const mostRemembered = 10_000

/** An identity that was checked. */
interface Known<Scope extends string> {
  readonly claims: IdentityClaims
  readonly key: VerifiedKey<Scope>
  readonly held: ReadonlySet<string>
  /** The keys among which was the one that has signed. */
  readonly among: Keys
}

/**
 * Makes a verifier of identities. Give it to a guard, and tell the guard that callers present an identity. The key behind
 * it was judged by the proxy's policy just before: its limits, quota and addresses too, which are not judged again.
 *
 * A verified key has what the identity says: the id, which is its `name` too, the owner, the environment and those scopes
 * that the policy passes on; it has no metadata.
 *
 * @throws LatchkeyError `invalid_input`.
 *
 * @example
 * const keys = { keys: [] } // or 'http://127.0.0.1:8080/.well-known/jwks.json'
 * const verifier = identityVerifier({ audience: 'orders', keys, scopes: { 'orders:read': 'Read orders' } })
 * const guard = fastifyGuard(verifier, { credential: 'identity' })
 * await app.register(guard.plugin)
 * app.get('/orders', { onRequest: guard.requires('orders:read') }, (request) => guard.keyOf(request).owner)
 */
export function identityVerifier<Scope extends string>(options: IdentityOptions<Scope>): Verifier<Scope> {
  objectOf('The options of identityVerifier', options, members)
  const { audience, scopes, environments = ['live', 'test'], issuer = 'latchkey', clock = systemClock } = options
  for (const [name, value] of Object.entries({ audience, issuer })) {
    if (typeof value !== 'string' || value === '') throw invalid(name, 'a text')
  }
  checkCatalogue(scopes)
  const keys = keysOf(options, clock)
  const requirementOf = requirementReader({ environments, catalogueOf: () => scopes })
  const remembered = new Map<string, Known<Scope>>()

  function verify(
    ...[presented, requirement, call = {}]: Parameters<Verifier<Scope>['verify']>
  ): ReturnType<Verifier<Scope>['verify']> {
    let checked: CheckedRequirement
    try {
      checked = requirementOf(requirement)
      checkContext(call)
    } catch (error) {
      return unavailable(error)
    }
    if (presented === undefined || presented === '') return refused('missing')
    const token = typeof presented === 'string' ? tokenOf(presented) : undefined
    if (token === undefined) return refused('malformed')
    const text = presented as string
    const current = keys.current(token.kid)
    if (!(current instanceof Promise)) return judge(current)
    return current.then(judge).catch(unavailable)

    function judge(among: Keys): Verdict<Scope> {
      const known = knownAmong(among)
      if (known === undefined) return refused('unknown')
      const outside = isWithin(known.claims, clock.now())
      if (outside !== undefined) return refused(outside, known)
      if (!takes(checked, known.key.environment)) return refused('wrong_environment', known)
      if (!covers(known.held, checked)) {
        return { ...refused('insufficient_scope', known), missing: missingScopes(known.held, checked) }
      }
      return { ok: true, key: known.key }
    }

    function knownAmong(among: Keys): Known<Scope> | undefined {
      const before = remembered.get(text)
      if (before?.among === among) return before
      const key = among.get(token!.kid)
      const claims = key && claimsOf(token!, { key, issuer, audience })
      if (claims === undefined) return undefined
      const known = knownOf(claims, among)
      remembered.delete(text)
      const oldest = remembered.size < mostRemembered ? undefined : remembered.keys().next().value
      if (oldest !== undefined) remembered.delete(oldest)
      remembered.set(text, known)
      return known
    }
  }

  function knownOf(claims: IdentityClaims, among: Keys): Known<Scope> {
    const { sub: id, owner, environment } = claims
    const held = claims.scopes.filter((scope): scope is Scope => Object.hasOwn(scopes, scope))
    const verified = { id, name: id, owner, environment, scopes: held, metadata: {}, expiresAt: null, delegation: null }
    return { claims, key: frozenCopy(verified), held: new Set(held), among }
  }

  return { scopes, environments, verify }
}

function refused(code: RefusalCode, known?: { readonly key: VerifiedKey }): Refused {
  if (known === undefined) return { ok: false, refusal: refusals[code] }
  const { id, owner, environment } = known.key
  return { ok: false, refusal: refusals[code], keyId: id, owner, environment }
}

function keysOf({ keys, insecure, fetch = globalThis.fetch }: IdentityOptions<string>, clock: Clock): ReadKeys {
  if (typeof keys !== 'string') {
    const set = keysIn(keys)
    return { current: () => set }
  }
  const url = URL.canParse(keys) ? new URL(keys) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw invalid('keys', 'the address of a key set, or the set')
  if (url.protocol === 'http:' && insecure !== true && !isThisMachine(url.hostname)) {
    const otherwise = 'Where the network is encrypted by other means, say insecure: true'
    throw invalid('keys', `an address with https://: over http others can put in keys of their own. ${otherwise}`)
  }
  return keysAt(keys, { fetch, monotonic: () => clock.monotonic() })
}
