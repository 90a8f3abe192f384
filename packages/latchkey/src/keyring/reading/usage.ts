import { LatchkeyError } from '../../error.ts'
import { bounds, integer, membersOf, objectOf, text, timestamp } from '../../input.ts'
import type { UsageCount } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf } from '../authority.ts'

/** The filter of usage to read. */
export interface UsageOptions {
  /** Only the key with this id. */
  readonly key?: string
  /** Only keys of this owner. */
  readonly owner?: string
  /** `accepted`, or the code of a refusal. */
  readonly outcome?: string
  /** Only hours from this time on, in milliseconds since 1970. If left out, a day before `to`. */
  readonly from?: number
  /** Only hours before this time, in milliseconds since 1970. Now if left out. */
  readonly to?: number
  /** How many rows at most, 1 to 10,000; 1000 if left out. */
  readonly limit?: number
}

const usageOptions = membersOf<UsageOptions>({
  key: true,
  owner: true,
  outcome: true,
  from: true,
  to: true,
  limit: true,
})

const aDay = 86_400_000

/** The function behind `Keyring.usage`. */
export async function readUsage<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: UsageOptions,
): Promise<readonly UsageCount[]> {
  const { store, clock } = parts
  objectOf('The options of usage', options, usageOptions)
  const { key, outcome, from, to, limit = 1000 } = options
  const owner = options.owner === undefined ? undefined : text('owner', options.owner, bounds.label)
  const authority = await authorityOf(parts, 'usage:read')
  if (owner !== undefined && authority.owner !== undefined && owner !== authority.owner) return []
  const id = key === undefined ? undefined : text('key', key, bounds.label)
  if (id !== undefined && parts.authority !== undefined) {
    const kept = await store.byId(id)
    if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
  }
  const until = timestamp('to', to) ?? clock.now() + 1
  return store.usage({
    key: id,
    owner: authority.owner ?? owner,
    // Some counts belong to no key, and so to no environment: they are for admin keys that see all.
    environments: authority.owner === undefined && authority.everywhere ? undefined : authority.environments,
    outcome: outcome === undefined ? undefined : text('outcome', outcome, bounds.label),
    from: timestamp('from', from) ?? Math.max(0, until - aDay),
    to: until,
    limit: integer('limit', limit, { least: 1, most: bounds.usage }),
  })
}
