import { LatchkeyError } from '../error.ts'
import type { AdminScope } from '../policy/admin.ts'
import { adminEnvironment, adminScopes } from '../policy/admin.ts'
import type { Delegable, Rights } from '../policy/delegation.ts'
import { exceeds, exceedsMembers, maySet, sees } from '../policy/delegation.ts'
import { expand } from '../policy/scopes.ts'
import type { Clock, KeyRecord, Witness } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { VerifiedKey } from '../verify/verdict.ts'
import { stateOf, works } from './key.ts'

/** The rights of the admin key for which a verb acts: the keys that it sees, and the rights that it may give. */
export interface Authority {
  readonly sees: (key: { readonly owner: string; readonly environment: string }) => boolean
  /**
   * @param before - the key as it is, if it exists already: a value that stays is not given anew.
   * @throws LatchkeyError `beyond_delegation`, naming the dimension.
   */
  readonly mustCover: (key: Rights & Delegable, before?: Delegable) => void
  /**
   * For an effect that a member has besides its value, such as the remaining amount of a quota.
   *
   * @throws LatchkeyError `beyond_delegation`.
   */
  readonly mustMaySet: (member: keyof Delegable) => void
  /** The one owner whose keys it sees; `undefined` if it is not bound to one. */
  readonly owner: string | undefined
  /** The environments whose keys it sees, of one owner or of all; `undefined` for the holder of the keyring itself. */
  readonly environments: readonly string[] | undefined
  /** Whether these are all environments. */
  readonly everywhere: boolean
  /** The conditions that must still hold when a change is made; `undefined` for the holder of the keyring itself. */
  readonly witness: Witness | undefined
}

const unbounded: Authority = {
  sees: () => true,
  mustCover() {},
  mustMaySet() {},
  owner: undefined,
  environments: undefined,
  everywhere: true,
  witness: undefined,
}

/** The parts of a keyring that decide what it may do. */
type AuthorityParts<Scope extends string> = Pick<
  KeyringParts<Scope>,
  'store' | 'clock' | 'environments' | 'authority' | 'secret'
>

/**
 * The admin key on whose behalf the verbs act, as it is now; `undefined` for the holder of the keyring itself.
 *
 * @throws LatchkeyError `beyond_delegation` when the admin key would itself be refused by now.
 */
export async function giverOf<Scope extends string>({
  store,
  clock,
  authority,
  secret,
}: AuthorityParts<Scope>): Promise<KeyRecord | undefined> {
  if (authority === undefined) return undefined
  const giver = await store.byId(authority)
  const ownerDisabled = (giver?.owner?.disabledAt ?? null) !== null
  if (giver === undefined || stateOf(giver.key, ownerDisabled, clock.now()) !== 'active') {
    throw new LatchkeyError('beyond_delegation', 'This admin key is revoked, disabled, expired or not yet valid.')
  }
  if (secret !== undefined && !giver.secrets.some((one) => one.hash === secret && works(one, clock.now()))) {
    throw new LatchkeyError('beyond_delegation', 'The secret of this admin key has ended.')
  }
  return giver
}

/**
 * The authority of the verbs of a keyring, read from the store for every verb: an admin key has the rights that it has
 * now, not those that it had a moment ago. A change takes the `witness` into its transaction.
 *
 * @param scope - the scope that an admin key needs for the verb.
 * @throws LatchkeyError `beyond_delegation` when the admin key lacks this scope, or would itself be refused by now.
 */
export async function authorityOf<Scope extends string>(
  parts: AuthorityParts<Scope>,
  scope: AdminScope,
): Promise<Authority> {
  const giver = await giverOf(parts)
  if (giver === undefined) return unbounded
  const { clock, environments, secret } = parts
  const { key } = giver
  // A key of the application may have a scope with the same name, which means something else.
  if (key.environment !== adminEnvironment || !expand(key.scopes, adminScopes).has(scope)) {
    throw lacks(scope)
  }
  const { delegation } = key
  const everywhere = [...environments, adminEnvironment].every((one) => delegation?.environments.includes(one))
  return {
    sees: (other) => sees(delegation, other),
    mustCover(other, before) {
      const beyond = exceeds(key, other) ?? exceedsMembers(delegation, other, before)
      if (beyond !== undefined) throw exceeded(beyond)
    },
    mustMaySet(member) {
      if (!maySet(delegation, member)) throw exceeded(member)
    },
    owner: delegation?.owner ?? undefined,
    environments: delegation?.environments ?? [],
    everywhere,
    witness: witnessOf(giver, clock, secret),
  }
}

/** The conditions on an admin key that must still hold in the transaction that rests on it. */
export function witnessOf({ key, owner }: KeyRecord, clock: Pick<Clock, 'now'>, secret?: string): Witness {
  const { id, revision, expiresAt } = key
  return { id, revision, ownerRevision: owner?.revision ?? 0, secret, expiresAt, now: () => clock.now() }
}

/**
 * Refuses a question whose answer is about all keys.
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

/**
 * The keys that an admin key sees when it verifies keys, if a guard has just verified the admin key.
 *
 * @throws LatchkeyError `beyond_delegation` when it may verify none.
 */
export function viewOf({ environment, scopes, delegation }: VerifiedKey): Pick<Authority, 'sees'> {
  if (environment !== adminEnvironment || !scopes.includes('keys:verify')) throw lacks('keys:verify')
  return { sees: (key) => sees(delegation, key) }
}

function exceeded(dimension: string): LatchkeyError {
  return new LatchkeyError(
    'beyond_delegation',
    `${dimension}: an admin key can give nothing that goes beyond its own delegation, lifetime and addresses.`,
  )
}

function lacks(scope: AdminScope): LatchkeyError {
  return new LatchkeyError('beyond_delegation', `This admin key needs the scope ${scope}.`)
}
