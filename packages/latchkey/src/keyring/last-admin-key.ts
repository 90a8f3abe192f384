import { LatchkeyError } from '../error.ts'
import { adminEnvironment, adminScopes } from '../policy/admin.ts'
import { expand } from '../policy/scopes.ts'
import type { Kept, StoredKey } from '../ports.ts'
import { bounds } from './input.ts'
import { stateOf } from './key.ts'
import type { KeyringParts } from './parts.ts'

type Parts = Pick<KeyringParts<string>, 'store' | 'clock' | 'environments' | 'authority'>

/**
 * Refuses what an admin key does to the last one that reaches everything: afterwards nobody could issue another but
 * beside the database. Who holds the keyring itself always can, and is not asked.
 *
 * @throws LatchkeyError `conflict`.
 */
export async function mustLeaveAnAdminKey(parts: Parts, kept: Kept, after: StoredKey): Promise<void> {
  const { key, owner } = kept
  if (parts.authority === undefined || key.environment !== adminEnvironment) return
  const now = parts.clock.now()
  const ownerDisabled = (owner?.disabledAt ?? null) !== null
  const reaches = (one: StoredKey): boolean => stateOf(one, ownerDisabled, now) === 'active' && reachesAll(parts, one)
  const endsSooner = after.expiresAt !== null && (key.expiresAt === null || after.expiresAt < key.expiresAt)
  if (!reaches(key) || (reaches(after) && !endsSooner)) return
  if (!(await isThereOne(parts, (other) => other.id !== key.id))) throw last()
}

/**
 * The same for the owner of admin keys, all of which would be refused.
 *
 * @throws LatchkeyError `conflict`.
 */
export async function mustLeaveAnotherOwner(parts: Parts, owner: string): Promise<void> {
  if (parts.authority === undefined) return
  const ofThisOne = await isThereOne(parts, (key) => key.owner === owner)
  if (ofThisOne && !(await isThereOne(parts, (key) => key.owner !== owner))) throw last()
}

/** Whether an admin key can issue any key, another of its own kind among them. */
function reachesAll({ environments }: Parts, { scopes, delegation }: StoredKey): boolean {
  if (delegation === null || delegation.owner !== null || !expand(scopes, adminScopes).has('keys:write')) return false
  return [...environments, adminEnvironment].every((one) => delegation.environments.includes(one))
}

async function isThereOne(parts: Parts, which: (key: StoredKey) => boolean): Promise<boolean> {
  const { store, clock } = parts
  const wanted = {
    owner: undefined,
    environments: [adminEnvironment],
    state: 'active',
    scope: 'keys:write',
    text: undefined,
    now: clock.now(),
    limit: bounds.page,
  } as const
  for (let after = 0; ;) {
    const page = await store.list({ ...wanted, after })
    if (page.some(({ key }) => reachesAll(parts, key) && which(key))) return true
    after = page.at(-1)?.place ?? 0
    if (page.length < bounds.page) return false
  }
}

function last(): LatchkeyError {
  return new LatchkeyError(
    'conflict',
    'It is the last admin key that can issue any key: issue another first, or do this beside the database.',
  )
}
