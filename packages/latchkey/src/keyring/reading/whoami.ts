import { LatchkeyError } from '../../error.ts'
import type { AdminScope } from '../../policy/admin.ts'
import { adminEnvironment, adminScopes } from '../../policy/admin.ts'
import type { Delegation } from '../../policy/delegation.ts'
import { expand } from '../../policy/scopes.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { giverOf } from '../authority.ts'

/** The admin key as which a keyring acts. */
export interface ActingKey {
  readonly id: string
  readonly name: string
  readonly owner: string
  /** When it ends, in milliseconds since 1970; `null` if it never does. */
  readonly expiresAt: number | null
}

/** What a keyring may do for whoever asks. */
export interface WhoAmI {
  /** The admin key as which it acts; `null` for the holder of the keyring itself. */
  readonly key: ActingKey | null
  /** Whether it holds all rights, as only the holder of the keyring itself does. */
  readonly allRights: boolean
  /** What it may do: the scopes of the admin key, without wildcards. */
  readonly scopes: readonly AdminScope[]
  /** The environments whose keys it sees; `admin` stands for admin keys. */
  readonly environments: readonly string[]
  /** What the admin key may give, and the owner whose keys it sees; `null` if it has no delegation, or all rights. */
  readonly delegation: Delegation | null
}

/**
 * The function behind `Keyring.whoami`.
 *
 * @throws LatchkeyError `beyond_delegation`.
 */
export async function whoami<Scope extends string>(parts: KeyringParts<Scope>): Promise<WhoAmI> {
  const giver = await giverOf(parts)
  if (giver === undefined) {
    const environments = [...parts.environments, adminEnvironment]
    const scopes = Object.keys(adminScopes) as AdminScope[]
    return { key: null, allRights: true, scopes, environments, delegation: null }
  }
  const { id, name, owner, environment, expiresAt, scopes, delegation } = giver.key
  if (environment !== adminEnvironment) throw new LatchkeyError('beyond_delegation', 'This key is no admin key.')
  return {
    key: { id, name, owner, expiresAt },
    allRights: false,
    scopes: [...expand(scopes, adminScopes)] as AdminScope[],
    environments: delegation?.environments ?? [],
    delegation,
  }
}
