import { bounds, invalid, membersOf, objectOf, oneOf, text } from '../input.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Delegation } from '../policy/delegation.ts'
import { delegableMembers, everyScope } from '../policy/delegation.ts'
import type { Catalogue } from '../policy/scopes.ts'
import { grants } from './grants.ts'

const delegationMembers = membersOf<Delegation>({ owner: true, environments: true, scopes: true, members: true })

/**
 * Checks a delegation and returns it as it is stored.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_scope`.
 */
export function checkedDelegation(
  value: unknown,
  {
    scopes: catalogue,
    environments: declared,
  }: { readonly scopes: Catalogue; readonly environments: readonly string[] },
): Delegation {
  const { owner, environments, scopes, members } = objectOf('delegation', value, delegationMembers)
  if (!Array.isArray(environments)) throw invalid('delegation.environments', 'a list of environments')
  const known = [...declared, adminEnvironment]
  const isEveryScope = Array.isArray(scopes) && scopes.length === 1 && scopes[0] === everyScope
  const delegation = {
    // Left out is not "all": `null` says that the keys of all owners are meant.
    owner: owner === null ? null : text('delegation.owner', owner, bounds.label),
    environments: distinct(environments, (item, index) => oneOf(`delegation.environments[${index}]`, item, known)),
    scopes: isEveryScope ? [everyScope] : grants('delegation.scopes', scopes, catalogue),
  }
  if (members === undefined) return delegation
  if (!Array.isArray(members)) throw invalid('delegation.members', `a list of ${delegableMembers.join(', ')}`)
  const settable = distinct(members, (item, index) => oneOf(`delegation.members[${index}]`, item, delegableMembers))
  return { ...delegation, members: settable }
}

function distinct<Item>(items: readonly unknown[], check: (item: unknown, index: number) => Item): readonly Item[] {
  return [...new Set(items.map(check))]
}
