import { LatchkeyError } from '../../error.ts'
import { bounds, integer, membersOf, objectOf, oneOf, text, timestamp } from '../../input.ts'
import { adminEnvironment } from '../../policy/admin.ts'
import type { UsageCount, UsageFilter, UsagePlace } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { Authority } from '../authority.ts'
import { authorityOf } from '../authority.ts'
import { cursorsOf } from './cursor.ts'
import type { UsageOutcome } from './usage-outcome.ts'
import { usageOutcomes } from './usage-outcome.ts'

/** The filter of usage to read, and its page. */
export interface UsageOptions {
  /** Only the key with this id. */
  readonly key?: string
  /** Only keys that had this owner at the time. */
  readonly owner?: string
  /** Only keys of this environment. */
  readonly environment?: string
  /** `accepted`, the code of a refusal, or `over_limit_reported`. */
  readonly outcome?: UsageOutcome
  /** Only calls for which this limit had no room, by its name. A limit of the owner is `owner:` and its name. */
  readonly limitName?: string
  /** Only hours from this time on, in milliseconds since 1970. If left out, a day before `to`. */
  readonly from?: number
  /** Only hours before this time, in milliseconds since 1970. Now if left out; give it if you read more than one page. */
  readonly to?: number
  /** Which rows come first, `newest` or `oldest`; `oldest` if left out. */
  readonly order?: UsageFilter['order']
  /** `cursor` of the page before, with the same order; the first page if left out. */
  readonly cursor?: string
  /** Rows on a page, 1 to 10,000; 1000 if left out. */
  readonly limit?: number
}

/** One page of usage. */
export interface UsagePage {
  readonly usage: readonly UsageCount[]
  /** Leads to the next page; `null` on the last. */
  readonly cursor: string | null
}

const usageOptions = membersOf<UsageOptions>({
  key: true,
  owner: true,
  environment: true,
  outcome: true,
  limitName: true,
  from: true,
  to: true,
  order: true,
  cursor: true,
  limit: true,
})

const orders: readonly UsageFilter['order'][] = ['newest', 'oldest']

const aDay = 86_400_000

/** The function behind `Keyring.usage`. */
export async function readUsage<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: UsageOptions,
): Promise<UsagePage> {
  objectOf('The options of usage', options, usageOptions)
  const { from, to, cursor, order = 'oldest', limit = 1000 } = options
  const until = timestamp('to', to) ?? parts.clock.now() + 1
  const page = {
    from: timestamp('from', from) ?? Math.max(0, until - aDay),
    to: until,
    order: oneOf('order', order, orders),
    after: placeIn(parts, cursor, order),
    limit: integer('limit', limit, { least: 1, most: bounds.usage }),
  }
  const authority = await authorityOf(parts, 'usage:read')
  const filter = await visibleUsage(parts, authority, options)
  if (filter === undefined) return { usage: [], cursor: null }
  // One row more than the page shows whether another page follows.
  const found = await parts.store.usage({ ...filter, ...page, limit: page.limit + 1 })
  const usage = found.slice(0, page.limit)
  const last = usage.at(-1)
  return { usage, cursor: found.length > page.limit && last !== undefined ? cursorAt(parts, last, page.order) : null }
}

/** The usage that a filter asks for, and that an admin key sees; `undefined` if that is none. */
export async function visibleUsage<Scope extends string>(
  parts: KeyringParts<Scope>,
  authority: Authority,
  options: Pick<UsageOptions, 'key' | 'owner' | 'environment' | 'outcome' | 'limitName'>,
): Promise<Pick<UsageFilter, 'key' | 'owner' | 'environments' | 'outcome' | 'limitName'> | undefined> {
  const { outcome } = options
  const key = labelOf('key', options.key)
  const owner = labelOf('owner', options.owner)
  const known = [...parts.environments, adminEnvironment]
  const environment = options.environment === undefined ? undefined : oneOf('environment', options.environment, known)
  const filter = {
    key,
    outcome: outcome === undefined ? undefined : oneOf('outcome', outcome, usageOutcomes),
    limitName: labelOf('limitName', options.limitName),
  }
  if (owner !== undefined && authority.owner !== undefined && owner !== authority.owner) return undefined
  if (key !== undefined && parts.authority !== undefined) {
    const kept = await parts.store.byId(key)
    if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
  }
  // Some counts belong to no key, and so to no environment: they are for admin keys that see all.
  const seen = authority.owner === undefined && authority.everywhere ? undefined : authority.environments
  const asked = environment === undefined ? undefined : [environment]
  const environments = seen === undefined ? asked : seen.filter((one) => asked?.includes(one) ?? true)
  if (environments?.length === 0) return undefined
  return { ...filter, owner: authority.owner ?? owner, environments }
}

function labelOf(name: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : text(name, value, bounds.label)
}

type CursorParts = Parameters<typeof cursorsOf>[0]

function cursorAt(parts: CursorParts, place: UsagePlace, order: UsageFilter['order']): string {
  const { hour, key, owner, environment, outcome, limitName } = place
  return cursorsOf(parts).cursorOf(`usage ${order}`, [hour, key, owner, environment, outcome, limitName])
}

function placeIn(parts: CursorParts, cursor: unknown, order: UsageFilter['order']): UsagePlace | undefined {
  const position = cursorsOf(parts).positionOf(cursor, `usage ${order}`, [
    'integer',
    'text',
    'text',
    'text',
    'text',
    'text',
  ])
  if (position === undefined) return undefined
  const [hour, ...texts] = position
  const [key = '', owner = '', environment = '', outcome = '', limitName = ''] = texts.map(String)
  return { hour: Number(hour), key, owner, environment, outcome, limitName }
}
