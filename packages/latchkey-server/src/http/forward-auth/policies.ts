import type { OpenKeyring, Requirement } from 'latchkey'
import type { Policies } from '../../config/policies-file.ts'

/** A policy as it is applied. */
export interface AppliedPolicy {
  readonly name: string
  readonly credential: 'header' | 'bearer' | 'either'
  readonly requirement: Requirement
  readonly audience: string
  /** The scopes that identities may have. */
  readonly passed: ReadonlySet<string>
}

/** Bytes that an identity may have: nginx has room for 4,096 of all headers of an answer. */
const longestIdentity = 2048

/** Bytes of an identity without its variable parts, with room to spare; and of an owner, in UTF-8. */
const fixedBytes = 420
const ownerBytes = 360

/**
 * Reads policies against what is declared.
 *
 * @returns the policies, or what is wrong with them, a sentence for each fault.
 */
export function appliedPolicies(
  policies: Policies,
  { scopes, environments }: Pick<OpenKeyring, 'scopes' | 'environments'>,
  issuer: string,
): { readonly applied: readonly AppliedPolicy[]; readonly faults: readonly string[] } {
  const faults: string[] = []
  const applied = Object.entries(policies).map(([name, policy]) => {
    const { environment = environments[0] ?? '', cost = 1, credential = 'header', audience = name } = policy
    const allOf = policy.scopes === 'any' ? [] : policy.scopes
    const passed = policy.passScopes ?? allOf
    for (const scope of new Set([...allOf, ...passed])) {
      if (!Object.hasOwn(scopes, scope))
        faults.push(`The policy ${name} names the scope ${scope}, which is not declared.`)
    }
    for (const one of [environment].flat()) {
      if (!environments.includes(one))
        faults.push(`The policy ${name} names the environment ${one}, which does not exist.`)
    }
    const requirement: Requirement = Object.freeze({
      environment: typeof environment === 'string' ? environment : Object.freeze([...environment]),
      cost,
      ...(allOf.length === 0 ? {} : { allOf: Object.freeze([...allOf]) }),
    })
    if (longest({ passed, audience, issuer }) > longestIdentity) {
      faults.push(`The policy ${name} passes on more scopes than an identity has room for: name fewer in passScopes.`)
    }
    return { name, credential, requirement, audience, passed: new Set(passed) }
  })
  return { applied, faults }
}

function longest(parts: { passed: readonly string[]; audience: string; issuer: string }): number {
  const { passed, audience, issuer } = parts
  const variable = JSON.stringify([...passed, audience, issuer]).length + ownerBytes
  // Three bytes are four characters of base64.
  return fixedBytes + Math.ceil((variable * 4) / 3)
}
