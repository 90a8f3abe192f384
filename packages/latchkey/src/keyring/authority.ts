import { LatchkeyError } from '../error.ts'
import type { Rights } from '../policy/delegation.ts'
import { exceeds, sees } from '../policy/delegation.ts'
import type { KeyringParts } from './parts.ts'

/** On whose behalf a verb acts: what it sees, and what it may give. */
export interface Authority {
  readonly sees: (key: { readonly owner: string; readonly environment: string }) => boolean
  /** @throws LatchkeyError `beyond_delegation`, naming the dimension. */
  readonly mustCover: (key: Rights) => void
  /** Whether it sees what is of all owners. */
  readonly seesAll: boolean
  /** The one owner that it is bound to. Where there is none and it does not see all, it sees nothing. */
  readonly owner: string | undefined
}

const unbounded: Authority = { sees: () => true, mustCover() {}, seesAll: true, owner: undefined }

/**
 * The authority that the verbs of a keyring have. Read from the store for every verb: what an admin key may give is
 * what it may give now, and not what it could when somebody looked.
 *
 * @throws LatchkeyError `beyond_delegation` when the admin key is gone, revoked or disabled by now.
 */
export async function authorityOf<Scope extends string>({
  store,
  authority,
}: Pick<KeyringParts<Scope>, 'store' | 'authority'>): Promise<Authority> {
  if (authority === undefined) return unbounded
  const giver = await store.byId(authority)
  if (giver === undefined || giver.key.revokedAt !== null || giver.key.disabledAt !== null) {
    throw new LatchkeyError('beyond_delegation', 'The admin key that asks for this may do nothing any more.')
  }
  const { key } = giver
  return {
    sees: (other) => sees(key.delegation, other),
    mustCover(wanted) {
      const beyond = exceeds(key, wanted)
      if (beyond !== undefined) {
        throw new LatchkeyError(
          'beyond_delegation',
          `${beyond}: an admin key can give nothing that goes beyond its own delegation, lifetime and addresses.`,
        )
      }
    },
    seesAll: key.delegation !== null && key.delegation.owner === null,
    owner: key.delegation?.owner ?? undefined,
  }
}
