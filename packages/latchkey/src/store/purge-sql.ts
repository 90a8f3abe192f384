// What is deleted by age, for all engines, as in `sql.ts`.

import type { PurgeableFilter, RowsBefore } from '../ports.ts'
import type { Dialect } from './migrations.ts'

/** The longest time for which one may claim to be the only one that purges, in milliseconds. */
const longestClaim = 60_000

/** Takes the claim if nobody has it. One that is further ahead than any may be was taken with a clock that was wrong. */
export const claimPurge: string = `INSERT INTO latchkey_purging (place, holder, until) VALUES (1, $1, $3)
    ON CONFLICT (place) DO UPDATE SET holder = excluded.holder, until = excluded.until
    WHERE latchkey_purging.holder = $1 OR latchkey_purging.until <= $2
      OR latchkey_purging.until > CAST($2 AS BIGINT) + ${longestClaim}`

/** Ids of keys of which something ended before $1, $2 at most. */
export const purgeable: Readonly<Record<PurgeableFilter['of'], string>> = {
  revoked: `SELECT id FROM latchkey_keys WHERE revoked_at < $1 ORDER BY revoked_at, place LIMIT $2`,
  secrets: `SELECT k.id FROM latchkey_secrets s JOIN latchkey_keys k ON k.place = s.place
    WHERE s.ends_at < $1 ORDER BY s.ends_at, s.place LIMIT $2`,
}

/**
 * The tables that are purged by age, with their primary keys, which begin with the time or have it. Sums of the hours of
 * owners are nearly as many as the rows themselves, and go with them; those of days, and of the hours of all owners
 * together, are few.
 */
const tables: readonly { kind: keyof RowsBefore; table: string; at: string; key: string }[] = [
  { kind: 'usage', table: 'usage', at: 'hour', key: 'hour, owner, key_id, environment, outcome, limit_name' },
  { kind: 'usage', table: 'usage_owner_hours', at: 'at', key: 'owner, at, environment, outcome' },
  { kind: 'usageSums', table: 'usage_hours', at: 'at', key: 'at, environment, outcome' },
  { kind: 'usageSums', table: 'usage_owner_days', at: 'at', key: 'at, owner, environment, outcome' },
  { kind: 'usageSums', table: 'usage_key_days', at: 'at', key: 'at, owner, key_id, environment, outcome' },
  { kind: 'refusals', table: 'refusals', at: 'at', key: 'place' },
]

type OfKind = readonly (readonly [kind: keyof RowsBefore, text: string])[]

/** Asks whether there is a row from before $1. */
export const oldRows: OfKind = tables.map(({ kind, table, at }) => {
  return [kind, `SELECT 1 FROM latchkey_${table} WHERE ${at} < $1 LIMIT 1`]
})

/** Counts revoked keys from before $1. */
export const countRevoked = `SELECT COUNT(*) AS count FROM latchkey_keys WHERE revoked_at < $1`

/** Counts secrets that ended before $1, but for those of keys that were revoked before $2. */
export const countEnded = `SELECT COUNT(*) AS count FROM latchkey_secrets s JOIN latchkey_keys k ON k.place = s.place
    WHERE s.ends_at < $1 AND (k.revoked_at IS NULL OR k.revoked_at >= $2)`

/** Counts rows from before $1. */
export const countOldRows: OfKind = tables.map(({ kind, table, at }) => {
  return [kind, `SELECT COUNT(*) AS count FROM latchkey_${table} WHERE ${at} < $1`]
})

/** Deletes $2 rows at most from before $1, the oldest first. */
export const dropOldRows: OfKind = tables.map(({ kind, table, at, key }) => {
  const some = `SELECT ${key} FROM latchkey_${table} WHERE ${at} < $1 ORDER BY ${at} LIMIT $2`
  return [kind, `DELETE FROM latchkey_${table} WHERE (${key}) IN (${some})`]
})

/** The indexes by which what is old is found, and the claim. */
export function purgeTables({ integer }: Pick<Dialect, 'integer'>): readonly string[] {
  return [
    `CREATE INDEX latchkey_keys_by_revocation ON latchkey_keys (revoked_at, place) WHERE revoked_at IS NOT NULL`,
    `CREATE INDEX latchkey_secrets_by_end ON latchkey_secrets (ends_at, place) WHERE ends_at IS NOT NULL`,
    `CREATE TABLE latchkey_purging (
      place ${integer} PRIMARY KEY,
      holder TEXT NOT NULL,
      until ${integer} NOT NULL
    )`,
  ]
}
