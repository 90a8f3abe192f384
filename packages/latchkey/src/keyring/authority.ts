import { LatchkeyError } from '../error.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Rights } from '../policy/delegation.ts'
import { exceeds, sees } from '../policy/delegation.ts'
import type { Witness } from '../ports.ts'
import { stateOf } from './key.ts'
import type { KeyringParts } from './parts.ts'

/** On whose behalf a verb acts: what it sees, and what it may give. */
export interface Authority {
  readonly sees: (key: { readonly owner: string; readonly environment: string }) => boolean
  /** @throws LatchkeyError `beyond_delegation`, naming the dimension. */
  readonly mustCover: (key: Rights) => void
  /** The one owner whose keys it sees; `undefined` where it is not bound to one. */
  readonly owner: string | undefined
  /** The environments whose keys it sees, of one owner or of all; `undefined` for whoever holds the keyring itself. */
  readonly environments: readonly string[] | undefined
  /** Whether these are all that there are. */
  readonly everywhere: boolean
  /** What must still be so when a change is made; `undefined` for whoever holds the keyring itself. */
  readonly witness: Witness | undefined
}

const unbounded: Authority = {
  sees: () => true,
  mustCover() {},
  owner: undefined,
  environments: undefined,
  everywhere: true,
  witness: undefined,
}

/**
 * The authority that the verbs of a keyring have. Read from the store for every verb: what an admin key may give is
 * what it may give now, and not what it could when somebody looked.
 *
 * @throws LatchkeyError `beyond_delegation` when the admin key would itself be refused by now.
 */
export async function authorityOf<Scope extends string>({
  store,
  clock,
  environments,
  authority,
}: Pick<KeyringParts<Scope>, 'store' | 'clock' | 'environments' | 'authority'>): Promise<Authority> {
  if (authority === undefined) return unbounded
  const giver = await store.byId(authority)
  const ownerDisabled = (giver?.owner?.disabledAt ?? null) !== null
  if (giver === undefined || stateOf(giver.key, ownerDisabled, clock.now()) !== 'active') {
    throw new LatchkeyError('beyond_delegation', 'The admin key that asks for this may do nothing any more.')
  }
  const { key } = giver
  const { delegation } = key
  const everywhere = [...environments, adminEnvironment].every((one) => delegation?.environments.includes(one))
  return {
    sees: (other) => sees(delegation, other),
    mustCover(wanted) {
      const beyond = exceeds(key, wanted)
      if (beyond !== undefined) {
        throw new LatchkeyError(
          'beyond_delegation',
          `${beyond}: an admin key can give nothing that goes beyond its own delegation, lifetime and addresses.`,
        )
      }
    },
    owner: delegation?.owner ?? undefined,
    environments: delegation?.environments ?? [],
    everywhere,
    witness: {
      id: authority,
      revision: key.revision,
      ownerRevision: giver.owner?.revision ?? 0,
      expiresAt: key.expiresAt,
      now: () => clock.now(),
    },
  }
}

/**
 * Some things are told as a whole or not at all.
 *
 * @throws LatchkeyError `beyond_delegation` for an admin key that does not see all keys.
 */
export function mustSeeAll({ owner, everywhere }: Authority): void {
  if (owner === undefined && everywhere) return
  throw new LatchkeyError(
    'beyond_delegation',
    'This admin key does not see all keys: ask for one key, or for its own owner.',
  )
}
