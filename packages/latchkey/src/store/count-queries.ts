// The statements on kept counts. What a write changes is kept: how many keys of an owner and an environment are enabled,
// disabled or revoked; in rows of the owner '' that of all owners. What time and a switched owner change is counted in an
// index when it is asked for.

import type { CountFilter, OwnerFilter } from '../ports.ts'
import { lower } from './like.ts'
import type { Query, SqlValue } from './sql.ts'

/** What decides where a key is counted. */
export const countedKey: string = `SELECT owner, environment, disabled_at, revoked_at FROM latchkey_keys WHERE id = $1`

/** Adds to the counts of an owner and an environment. */
export const addToCounts: string = `INSERT INTO latchkey_counts (owner, environment, enabled, disabled, revoked)
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (owner, environment) DO UPDATE SET
    enabled = latchkey_counts.enabled + excluded.enabled, disabled = latchkey_counts.disabled + excluded.disabled,
    revoked = latchkey_counts.revoked + excluded.revoked`

/** An owner without keys is not known by its counts. */
export const dropEmptyCounts: string = `DELETE FROM latchkey_counts
    WHERE owner = $1 AND environment = $2 AND enabled = 0 AND disabled = 0 AND revoked = 0`

/** Counts of keys that time changes. The conditions are those of partial indexes. */
function timed(where: string, alias: (name: string, count: string) => string): readonly string[] {
  const count = (condition: string): string => `(SELECT COUNT(*) FROM latchkey_keys k
      WHERE ${where} AND k.revoked_at IS NULL AND k.disabled_at IS NULL AND ${condition})`
  return [
    alias('expired', count('k.expires_at <= $1')),
    alias('pending', count('k.not_before > $1 AND (k.expires_at IS NULL OR k.expires_at > $1)')),
    alias('expiring', count('k.expires_at > $1 AND k.expires_at < $2')),
  ]
}

const as = (name: string, count: string): string => `${count} AS ${name}`
const sumAs = (name: string, count: string): string => `SUM(${count}) AS ${name}`

const ofCounted = 'k.owner = c.owner AND k.environment = c.environment'

/** The counts that a filter asks for, a row for each environment. $1 is the moment, $2 the time before which keys end. */
export function countQuery({ owner, environments, now, expiresBefore }: CountFilter): Query {
  const values: SqlValue[] = [now, expiresBefore, owner ?? '']
  const among = amongOf(environments, values)
  const times = timed(owner === undefined ? 'k.environment = c.environment' : ofCounted, as)
  const text = `SELECT c.environment, c.enabled, c.disabled, c.revoked, o.disabled_at AS owner_disabled_at, ${times.join(', ')}
    FROM latchkey_counts c LEFT JOIN latchkey_owners o ON o.owner = c.owner WHERE c.owner = $3 ${among('c.')}`
  return { text, values }
}

/**
 * The enabled keys of disabled owners, a row for each environment. It begins with these owners, by an index of their own:
 * they are few, and the keys many.
 */
export function suspendedQuery({ environments, now, expiresBefore }: CountFilter): Query {
  const values: SqlValue[] = [now, expiresBefore]
  const among = amongOf(environments, values)
  const text = `SELECT c.environment, SUM(c.enabled) AS enabled, ${timed(ofCounted, sumAs).join(', ')}
    FROM latchkey_owners o CROSS JOIN latchkey_counts c
    WHERE c.owner = o.owner AND o.disabled_at IS NOT NULL AND c.enabled > 0 ${among('c.')} GROUP BY c.environment`
  return { text, values }
}

/**
 * A page of owners, in the order of their names whatever their capital letters, and for each its counts, a row for each
 * environment.
 */
export function ownerQuery({ owner, environments, withoutKeys, text, now, after, limit }: OwnerFilter): Query {
  const values: SqlValue[] = [now]
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const where: string[] = []
  // One lower bound and one upper bound: an index is entered by the first.
  if (after !== undefined || text === undefined) {
    const last = bind(lower(after ?? ''))
    where.push(`LOWER(owner) >= ${last} AND (LOWER(owner) > ${last} OR owner > ${bind(after ?? '')})`)
  }
  if (text !== undefined) {
    const start = bind(lower(text))
    if (after === undefined) where.push(`LOWER(owner) >= ${start}`)
    where.push(`LOWER(owner) < ${bind(`${lower(text)}\u{10FFFF}`)}`)
    where.push(`SUBSTR(LOWER(owner), 1, LENGTH(${start})) = ${start}`)
  }
  if (owner !== undefined) where.push(`owner = ${bind(owner)}`)
  const among = amongOf(environments, values)
  const most = `ORDER BY LOWER(owner), owner LIMIT ${bind(limit)}`
  const these = where.join(' AND ')
  const counted = (also: string): string => `SELECT owner FROM (SELECT owner FROM latchkey_counts WHERE ${these} ${also}
    GROUP BY LOWER(owner), owner ${most}) counted`
  const recorded = `SELECT owner FROM (SELECT owner FROM latchkey_owners WHERE ${these} ${most}) recorded`
  // Each environment for itself: an index has its owners in order, and the page is soon full.
  const found = environments?.map((one) => counted(`AND environment = ${bind(one)}`)) ?? [counted('')]
  if (withoutKeys) found.push(recorded)
  const [expired, pending] = timed(ofCounted, as)
  const page = `WITH found AS (${found.join(' UNION ')}),
    page AS (SELECT owner FROM found ${most})
    SELECT p.owner, o.disabled_at AS owner_disabled_at, o.limits AS owner_limits, o.revision AS owner_revision,
      c.environment, c.enabled, c.disabled, c.revoked, ${expired}, ${pending}
    FROM page p LEFT JOIN latchkey_owners o ON o.owner = p.owner
    LEFT JOIN latchkey_counts c ON c.owner = p.owner ${among('c.')} ORDER BY LOWER(p.owner), p.owner`
  return { text: page, values }
}

/** A condition on environments, after others, in which they are bound once. */
function amongOf(environments: readonly string[] | undefined, values: SqlValue[]): (table: string) => string {
  if (environments === undefined) return () => ''
  const places = environments.map((environment) => `$${values.push(environment)}`).join(', ')
  return (table) => `AND ${table}environment IN (${places})`
}
