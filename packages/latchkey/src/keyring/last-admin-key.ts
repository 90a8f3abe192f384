import { LatchkeyError } from '../error.ts'
import { bounds } from '../input.ts'
import { rangesCover } from '../policy/addresses.ts'
import { adminEnvironment, adminScopes } from '../policy/admin.ts'
import { expand, wildcardOf } from '../policy/scopes.ts'
import type { KeyRecord, ListPosition, StoredKey, Witness } from '../ports.ts'
import type { KeyringParts } from '../verify/parts.ts'
import { witnessOf } from './authority.ts'
import { stateOf } from './key.ts'

type Parts = Pick<KeyringParts<string>, 'store' | 'clock' | 'environments' | 'authority'>

/**
 * Refuses a change by an admin key that would end the last one that reaches everything: afterwards no admin key could
 * issue another. The holder of the keyring itself always can, and is not checked.
 *
 * @param going - the ids of admin keys that will go with it.
 * @returns another one, which must still be there when the change is made; `undefined` if none is needed.
 * @throws LatchkeyError `conflict`.
 */
export async function mustLeaveAnAdminKey(
  parts: Parts,
  {
    kept,
    after,
    going,
  }: { readonly kept: KeyRecord; readonly after: StoredKey; readonly going?: ReadonlySet<string> | undefined },
): Promise<Witness | undefined> {
  const { key, owner } = kept
  if (parts.authority === undefined || key.environment !== adminEnvironment) return undefined
  const now = parts.clock.now()
  const ownerDisabled = (owner?.disabledAt ?? null) !== null
  const reaches = (one: StoredKey): boolean => stateOf(one, ownerDisabled, now) === 'active' && reachesAll(parts, one)
  const endsSooner = after.expiresAt !== null && (key.expiresAt === null || after.expiresAt < key.expiresAt)
  if (!reaches(key) || (reaches(after) && !endsSooner && !isBoundAnew(key, after))) return undefined
  const other = await another(parts, ({ id }) => id !== key.id && going?.has(id) !== true)
  if (other === undefined) throw last()
  return other
}

/** Whether calls with a key may now be refused that were not before: for their address, or for how many they are. */
function isBoundAnew(before: StoredKey, after: StoredKey): boolean {
  const { addresses, limits, quota } = after
  const narrower = addresses !== null && (before.addresses === null || !rangesCover(addresses, before.addresses))
  const counted = (one: StoredKey): string => JSON.stringify([one.limits, one.quota])
  return narrower || ((limits.length > 0 || quota !== null) && counted(after) !== counted(before))
}

/**
 * The same for the owner of admin keys, all of which would be refused.
 *
 * @returns as `mustLeaveAnAdminKey`.
 * @throws LatchkeyError `conflict`.
 */
export async function mustLeaveAnotherOwner(parts: Parts, owner: string): Promise<Witness | undefined> {
  if (parts.authority === undefined) return undefined
  if ((await another(parts, (key) => key.owner === owner)) === undefined) return undefined
  const other = await another(parts, (key) => key.owner !== owner)
  if (other === undefined) throw last()
  return other
}

/** Whether an admin key can issue any key, another of its own kind among them. */
function reachesAll({ environments }: Parts, { scopes, delegation }: StoredKey): boolean {
  if (delegation === null || delegation.owner !== null || !expand(scopes, adminScopes).has('keys:write')) return false
  return [...environments, adminEnvironment].every((one) => delegation.environments.includes(one))
}

/** An admin key that reaches everything. */
async function another(parts: Parts, which: (key: StoredKey) => boolean): Promise<Witness | undefined> {
  const { store, clock } = parts
  const filter = {
    owner: undefined,
    environments: [adminEnvironment],
    states: ['active'],
    grants: ['keys:write', wildcardOf('keys:write')],
    text: undefined,
    now: clock.now(),
    order: 'oldest',
    limit: bounds.page,
    urgent: true,
  } as const
  for (let after: ListPosition | undefined; ;) {
    const { items, next } = await store.list({ ...filter, after })
    for (const { key } of items) {
      const found = reachesAll(parts, key) && which(key) ? await store.byId(key.id) : undefined
      if (found !== undefined && found.key.revision === key.revision) return witnessOf(found, clock)
    }
    if (next === undefined) return undefined
    after = next
  }
}

function last(): LatchkeyError {
  return new LatchkeyError(
    'conflict',
    'It is the last admin key that can issue any key: issue another first, or do this beside the database.',
  )
}
