import { Option } from 'commander'
import type { Delegation, KeyDetails } from 'latchkey'
import { delegableMembers } from 'latchkey'
import { Failure } from '../exit.ts'
import { words } from '../input/flags.ts'
import type { Fact } from '../terminal/table.ts'
import type { OptionValues } from './field.ts'

/** The options for the delegation of an admin key. */
export const delegationOptions: readonly [Option, ...Option[]] = [
  new Option('--give-owner <owner>', 'Admin key: the only owner whose keys it manages'),
  new Option('--give-all-owners', 'Admin key: manage keys of all owners').conflicts('giveOwner'),
  new Option('--give-environment <names>', 'Admin key: environments whose keys it manages').argParser(words),
  new Option('--give-scope <scopes>', "Admin key: scopes it may grant; '*' is all, including later ones").argParser(
    words,
  ),
  new Option('--give-member <names>', `Admin key: which of ${delegableMembers.join(', ')} it may set`).argParser(words),
]

interface GivenDelegation {
  readonly giveOwner?: string
  readonly giveAllOwners?: boolean
  readonly giveEnvironment?: readonly string[]
  readonly giveScope?: readonly string[]
  readonly giveMember?: readonly string[]
}

/** The delegation in these options. */
export function delegationOf(options: OptionValues): Delegation | undefined {
  if (delegationOptions.every((option) => options[option.attributeName()] === undefined)) return undefined
  const { giveOwner, giveAllOwners, giveEnvironment, giveScope, giveMember } = options as GivenDelegation
  // A missing owner does not mean "all": all owners must be said explicitly.
  if (giveOwner === undefined && giveAllOwners !== true) {
    throw new Failure(
      'usage',
      'An admin key needs the owner whose keys it manages. Add --give-owner <owner> or --give-all-owners.',
    )
  }
  return {
    owner: giveOwner ?? null,
    environments: giveEnvironment ?? [],
    scopes: giveScope ?? [],
    // The keyring refuses a member that does not exist.
    ...(giveMember === undefined ? {} : { members: giveMember as NonNullable<Delegation['members']> }),
  }
}

/** A row for each member of a delegation. */
export function delegationFacts({ delegation }: Pick<KeyDetails, 'delegation'>): readonly Fact[] {
  if (delegation === null) return []
  const { owner, environments, scopes, members } = delegation
  return [
    ['manages keys of', owner ?? 'all owners'],
    ['in environments', environments.join(', ')],
    ['may grant', scopes.join(', ')],
    ['may set', members?.join(', ')],
  ]
}
