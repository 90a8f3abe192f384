// What rights mean, said by trying them out: slow, and knowing nothing of how the library compares them.
import fc from 'fast-check'
import { addressMatcher } from '../../src/policy/addresses.ts'
import { delegableMembers } from '../../src/policy/delegation.ts'
import type { Delegation, Rights } from '../../src/policy/delegation.ts'

/** Scopes of the application, one of them declared only some day. */
const applicationScopes = ['orders:read', 'orders:write', 'reports:read', 'orders:some-day']
const adminScopes = ['keys:read', 'keys:write', 'journal:read', 'keys:some-day']
const owners = ['acme', 'umbrella', 'ops']
const environments = ['live', 'test', 'admin']
const places = ['192.0.2.1', '192.0.2.200', '198.51.100.1', '2001:db8::1', '2001:db8:1::1', '10.0.0.1']

function may(granted: readonly string[], scope: string): boolean {
  return ['*', scope, `${scope.split(':')[0]}:*`].some((grant) => granted.includes(grant))
}

/** All that a delegation allows, as sentences. */
function allowedBy({ owner, environments: within, scopes, members }: Delegation): readonly string[] {
  const said: string[] = (members ?? (owner === null ? delegableMembers : [])).map((member) => `${member} of keys`)
  for (const environment of environments.filter((one) => within.includes(one))) {
    for (const one of owners) {
      if (owner !== null && owner !== one) continue
      said.push(`keys of ${one} in ${environment}`)
      for (const scope of applicationScopes) {
        if (may(scopes, scope)) said.push(`${scope} for ${one} in ${environment}`)
      }
    }
  }
  return said
}

/** The first thing that `wanted` is, or may do, and `giver` could not have given it; `undefined` if there is none. */
export function beyond(giver: Rights, wanted: Rights): string | undefined {
  const { delegation } = giver
  if (delegation === null) return 'anything'
  if (!delegation.environments.includes(wanted.environment)) return wanted.environment
  if (delegation.owner !== null && delegation.owner !== wanted.owner) return wanted.owner
  const [universe, given] =
    wanted.environment === 'admin' ? [adminScopes, giver.scopes] : [applicationScopes, delegation.scopes]
  const scope = universe.find((one) => may(wanted.scopes, one) && !may(given, one))
  if (scope !== undefined) return scope
  const ends = ({ expiresAt }: Rights): number => expiresAt ?? Infinity
  if (ends(wanted) > ends(giver)) return `life until ${ends(wanted)}`
  const lets = ({ addresses }: Rights): ((place: string) => boolean) =>
    addresses === null ? () => true : addressMatcher(addresses)
  const place = [...places, 'from anywhere'].find((one) => lets(wanted)(one) && !lets(giver)(one))
  if (place !== undefined) return place
  if (wanted.delegation === null) return undefined
  const allowed = new Set(allowedBy(delegation))
  return allowedBy(wanted.delegation).find((one) => !allowed.has(one))
}

/** One value often, so that much can be given, and otherwise any. */
function often<Value>(value: Value, any: fc.Arbitrary<Value>): fc.Arbitrary<Value> {
  return fc.oneof(fc.constant(value), any)
}

const applicationGrants = often(
  ['orders:read'],
  fc.subarray(['orders:read', 'orders:write', 'orders:*', 'reports:read', 'reports:*']),
)
const adminGrants = often(['keys:read'], fc.subarray(['keys:read', 'keys:write', 'keys:*', 'journal:read']))

export const delegations: fc.Arbitrary<Delegation> = fc.record(
  {
    owner: often(null, fc.constantFrom(...owners)),
    environments: often(environments, fc.subarray(environments)),
    scopes: fc.oneof(fc.constant(['orders:*', 'reports:*']), fc.constant(['*']), applicationGrants),
    members: fc.subarray([...delegableMembers]),
  },
  { noNullPrototype: true, requiredKeys: ['owner', 'environments', 'scopes'] },
)

const ranges = fc.subarray(
  ['192.0.2.0/24', '192.0.2.0/25', '192.0.2.1/32', '198.51.100.0/24', '2001:db8::/32', '::/0'],
  {
    minLength: 1,
  },
)

/** Members of keys, admin keys and others, as somebody may ask for them. */
export function rights(moments: fc.Arbitrary<number>): fc.Arbitrary<Rights> {
  const members = {
    owner: fc.constantFrom(...owners),
    notBefore: fc.constant(null),
    expiresAt: fc.option(moments),
    addresses: often<readonly string[] | null>(['192.0.2.1/32'], fc.option(ranges)),
  }
  return fc.oneof(
    fc.record(
      {
        ...members,
        environment: fc.constantFrom('live', 'test'),
        scopes: applicationGrants,
        delegation: fc.constant(null),
      },
      { noNullPrototype: true },
    ),
    fc.record(
      { ...members, environment: fc.constant('admin'), scopes: adminGrants, delegation: fc.option(delegations) },
      { noNullPrototype: true },
    ),
  )
}
