// The statements on usage, for all engines, as in `sql.ts`.

import type { UsageCount, UsageFilter, UsagePlace } from '../ports.ts'
import type { Query, SqlValue } from './sql.ts'

/** The columns by which rows of usage are found and ordered, with the members that they stand for. */
const placeColumns: Readonly<Record<keyof UsagePlace, string>> = {
  hour: 'hour',
  owner: 'owner',
  key: 'key_id',
  environment: 'environment',
  outcome: 'outcome',
  limitName: 'limit_name',
}

const columns = Object.values(placeColumns)

const shown = Object.entries(placeColumns).map(([member, column]) => `${column} AS "${member}"`)

export const addUsage: string = `INSERT INTO latchkey_usage (${columns.join(', ')}, count, cost)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
    ON CONFLICT (${columns.join(', ')}) DO UPDATE SET
    count = latchkey_usage.count + excluded.count, cost = latchkey_usage.cost + excluded.cost`

/** Some rows of a key or of an owner ($1), $2 at most. */
export const usageOf: Readonly<Record<'key' | 'owner', string>> = { key: rowsOf('key_id'), owner: rowsOf('owner') }

function rowsOf(column: string): string {
  return `SELECT ${shown.join(', ')}, count, cost FROM latchkey_usage WHERE ${column} = $1 LIMIT $2`
}

/** Takes out one row; its values are those of `addUsage` without the last two. */
export const dropUsage: string = `DELETE FROM latchkey_usage
    WHERE ${columns.map((column, index) => `${column} = $${index + 1}`).join(' AND ')}`

/** The values of `addUsage`. */
export function usageValues(usage: UsageCount): readonly SqlValue[] {
  return [...placeValues(usage), usage.count, usage.cost]
}

/** The page of usage that a filter asks for. */
export function usageQuery(filter: UsageFilter): Query {
  const { key, owner, outcome, limitName, environments, from, to, order, after, limit } = filter
  const values: SqlValue[] = [from, to]
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const where = ['hour >= $1', 'hour < $2']
  const isRefusal = outcome !== undefined && outcome !== 'accepted'
  // The rows of a key are the fewest, then those of refusals, then those of an owner: everything else is looked up in them.
  const unindexed = (column: string): string => `COALESCE(${column}, '')`
  const isNarrow = key !== undefined || isRefusal
  if (key !== undefined) where.push(`key_id = ${bind(key)}`)
  if (owner !== undefined) where.push(`${isNarrow ? unindexed('owner') : 'owner'} = ${bind(owner)}`)
  if (outcome !== undefined) where.push(`${key === undefined ? 'outcome' : unindexed('outcome')} = ${bind(outcome)}`)
  // It seems to say nothing new, and lets the engine use the index, which leaves out what most rows are.
  if (isRefusal) where.push(`outcome <> 'accepted'`)
  if (limitName !== undefined) where.push(`limit_name = ${bind(limitName)}`)
  // A place says more than the time, and the engine looks for one beginning only.
  if (after !== undefined) {
    const isWithin = after.hour >= from && after.hour < to
    if (isWithin) where[order === 'oldest' ? 0 : 1] = 'CAST($1 AS BIGINT) <= CAST($2 AS BIGINT)'
    const position = placeValues(after).map(bind).join(', ')
    where.push(`(${columns.join(', ')}) ${order === 'oldest' ? '>' : '<'} (${position})`)
  }
  // Elsewhere a branch for each environment: the engine reads each in the order of the page, and stops at its end.
  const among = (): string => `${unindexed('environment')} IN (${(environments ?? []).map(bind).join(', ')})`
  const each = isNarrow || owner !== undefined ? undefined : environments
  const one = environments === undefined || each !== undefined ? where : [...where, among()]
  const branches = each?.map((environment) => [...where, `environment = ${bind(environment)}`]) ?? [one]
  const text = branches.map(
    (terms) => `SELECT ${shown.join(', ')}, count, cost FROM latchkey_usage
    WHERE ${terms.join(' AND ')}`,
  )
  const direction = order === 'oldest' ? 'ASC' : 'DESC'
  const ordered = Object.keys(placeColumns).map((member) => `"${member}" ${direction}`)
  return { text: `${text.join(' UNION ALL ')} ORDER BY ${ordered.join(', ')} LIMIT ${bind(limit)}`, values }
}

function placeValues({ hour, owner, key, environment, outcome, limitName }: UsagePlace): readonly SqlValue[] {
  return [hour, owner, key, environment, outcome, limitName]
}
