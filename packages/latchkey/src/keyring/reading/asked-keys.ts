import { bounds, oneOf, text } from '../../input.ts'
import { adminEnvironment } from '../../policy/admin.ts'
import type { ListFilter } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf } from '../authority.ts'

/** Whose keys are asked for, as far as the admin key that asks sees them. */
export interface AskedKeys extends Pick<ListFilter, 'owner' | 'environments'> {
  /** It sees none of them. */
  readonly isNone: boolean
  /** It does not see all keys that there are. */
  readonly bound: boolean
}

/**
 * The keys of an owner or an environment, or all, for an admin key that may read keys.
 *
 * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
 */
export async function askedKeys<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: { readonly owner?: string; readonly environment?: string },
): Promise<AskedKeys> {
  const asked = options.owner === undefined ? undefined : text('owner', options.owner, bounds.label)
  const known = [...parts.environments, adminEnvironment]
  const only = options.environment === undefined ? undefined : [oneOf('environment', options.environment, known)]
  const authority = await authorityOf(parts, 'keys:read')
  const owner = authority.owner ?? asked
  const environments = authority.environments?.filter((one) => only?.includes(one) ?? true) ?? only
  const isNone = environments?.length === 0 || (asked ?? owner) !== owner
  return { owner, environments, isNone, bound: authority.owner !== undefined || !authority.everywhere }
}
