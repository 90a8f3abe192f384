// Sums of usage, and the tables in which they are kept, for all engines as in `sql.ts`.

import type { UsageCount, UsageSumsFilter } from '../ports.ts'
import type { Query, SqlValue } from './sql.ts'

export const dayLength = 86_400_000

/** By what usage is summed up: the columns, as the members are called. */
const columnOf = { key: 'key_id', owner: 'owner', environment: 'environment', outcome: 'outcome' } as const

type Grain = keyof typeof columnOf

/** A table of sums, written with the usage itself: a sum over a month would otherwise read millions of rows. */
interface RollUp {
  readonly table: string
  readonly step: 'hour' | 'day'
  /** In the order of its primary key. `at` is when the hour or the day (UTC) begins. */
  readonly columns: readonly ('at' | Grain)[]
}

const hours = { table: 'latchkey_usage_hours', step: 'hour', columns: ['at', 'environment', 'outcome'] } as const
const ownerHours = {
  table: 'latchkey_usage_owner_hours',
  step: 'hour',
  columns: ['owner', 'at', 'environment', 'outcome'],
} as const
const ownerDays = {
  table: 'latchkey_usage_owner_days',
  step: 'day',
  columns: ['at', 'owner', 'environment', 'outcome'],
} as const
// Like the rows themselves in the order of owners, in which they are written: those of one batch are in few pages.
const keyDays = {
  table: 'latchkey_usage_key_days',
  step: 'day',
  columns: ['at', 'owner', 'key', 'environment', 'outcome'],
} as const

const rollUps: readonly RollUp[] = [hours, ownerHours, ownerDays, keyDays]

function named(member: 'at' | Grain): string {
  return member === 'at' ? 'at' : columnOf[member]
}

/** The statements that add to a row of a roll-up, or make it. */
export const addTo: Readonly<Record<'ofKeys' | 'shared', ReadonlyMap<RollUp, string>>> = {
  ofKeys: new Map([[keyDays, adding(keyDays)]]),
  /** Many rows that are written at once go into one of these. */
  shared: new Map([hours, ownerHours, ownerDays].map((rollUp) => [rollUp, adding(rollUp)])),
}

function adding({ table, columns }: RollUp): string {
  const place = columns.map(named).join(', ')
  const values = [...columns, 'count', 'cost'].map((_, index) => `$${index + 1}`)
  const sum = (column: string): string => `${column} = ${table}.${column} + excluded.${column}`
  return `INSERT INTO ${table} (${place}, count, cost) VALUES (${values.join(', ')})
    ON CONFLICT (${place}) DO UPDATE SET ${sum('count')}, ${sum('cost')}`
}

/** Takes out a row of a roll-up of which nothing is left. */
export function dropEmpty({ table, columns }: RollUp): string {
  const place = columns.map((member, index) => `${named(member)} = $${index + 1}`)
  return `DELETE FROM ${table} WHERE ${place.join(' AND ')} AND count = 0`
}

/** What a batch of counts adds to a roll-up: the values of `addTo`, each place once. */
export function rolledUp({ step, columns }: RollUp, counts: readonly UsageCount[]): readonly (readonly SqlValue[])[] {
  const sums = new Map<string, { readonly place: readonly SqlValue[]; count: number; cost: number }>()
  for (const counted of counts) {
    const at = step === 'hour' ? counted.hour : counted.hour - (counted.hour % dayLength)
    const place = columns.map((member) => (member === 'at' ? at : counted[member]))
    const name = JSON.stringify(place)
    const sum = sums.get(name) ?? { place, count: 0, cost: 0 }
    sum.count += counted.count
    sum.cost += counted.cost
    sums.set(name, sum)
  }
  // In the same order everywhere, so that no two transactions wait for each other.
  const inOrder = [...sums].toSorted(([one], [other]) => (one < other ? -1 : 1))
  return inOrder.map(([, { place, count, cost }]) => [...place, count, cost])
}

/** The statements that make the roll-ups from the usage that is there. */
export function rollUpTables({
  integer,
  byPrimaryKey,
}: {
  readonly integer: string
  readonly byPrimaryKey: string
}): readonly string[] {
  const tables = rollUps.flatMap(({ table, step, columns }) => {
    const place = columns.map(named).join(', ')
    const at = step === 'hour' ? 'hour' : `hour - hour % ${dayLength}`
    const read = columns.map((member) => (member === 'at' ? at : columnOf[member]))
    const types = columns.map((member) => `${named(member)} ${member === 'at' ? integer : 'TEXT'} NOT NULL`)
    return [
      `CREATE TABLE ${table} (${types.join(', ')}, count ${integer} NOT NULL, cost ${integer} NOT NULL,
        PRIMARY KEY (${place})) ${byPrimaryKey}`,
      `INSERT INTO ${table} (${place}, count, cost) SELECT ${read.join(', ')}, SUM(count), SUM(cost)
        FROM latchkey_usage GROUP BY ${read.join(', ')} ORDER BY ${read.join(', ')}`,
    ]
  })
  return [
    ...tables,
    `CREATE INDEX latchkey_usage_owner_hours_by_at ON latchkey_usage_owner_hours (at)`,
    `CREATE INDEX latchkey_usage_owner_days_most ON latchkey_usage_owner_days (at, environment, outcome, count, owner)`,
    `CREATE INDEX latchkey_usage_owner_days_by_owner ON latchkey_usage_owner_days (owner, at, environment, outcome)`,
    `CREATE INDEX latchkey_usage_key_days_by_key ON latchkey_usage_key_days (key_id, at, owner, environment, outcome)`,
    `CREATE INDEX latchkey_usage_key_days_most
      ON latchkey_usage_key_days (at, environment, outcome, count, owner, key_id)`,
    `CREATE INDEX latchkey_usage_key_days_most_of_owner
      ON latchkey_usage_key_days (owner, at, environment, outcome, count, key_id)`,
  ]
}

/** What is read to sum up: a roll-up, or the rows of one hour and key each. */
interface Source {
  readonly table: string
  readonly at: string
}

/** The smallest table that has what a filter asks for. */
function sourceOf(
  { step, key, owner }: Pick<UsageSumsFilter, 'step' | 'key' | 'owner'>,
  by: Grain | undefined,
): Source {
  const { table } =
    by === 'key' || key !== undefined
      ? step === 'day'
        ? keyDays
        : { table: 'latchkey_usage' }
      : by === 'owner' || owner !== undefined
        ? step === 'day'
          ? ownerDays
          : ownerHours
        : hours
  const column = table === 'latchkey_usage' ? 'hour' : 'at'
  // The hours of all owners are few: their days are summed up when they are read.
  return { table, at: step === 'day' && table === hours.table ? `at - at % ${dayLength}` : column }
}

/** Sums by step, and by group if one is given. `among` are the groups to read; all of them if left out. */
export function sumsQuery(filter: UsageSumsFilter, by: Grain | undefined, among?: readonly string[]): Query {
  const { table, at } = sourceOf(filter, by)
  const ofKeys = filter.key !== undefined || (by === 'key' && among !== undefined)
  const { where, values, bind } = conditionsOf(filter, table === 'latchkey_usage' ? 'hour' : 'at', ofKeys)
  if (by !== undefined && among !== undefined) where.push(`${columnOf[by]} IN (${among.map(bind).join(', ')})`)
  const group = by === undefined ? [] : [`${columnOf[by]} AS name`]
  const text = `SELECT ${[`${at} AS at`, ...group].join(', ')}, ${sums} FROM ${table}
    WHERE ${where.join(' AND ')} GROUP BY ${by === undefined ? '1' : '1, 2'}`
  return { text, values }
}

// An engine may sum up whole numbers as decimals, which drivers give as texts.
const sums = 'CAST(SUM(count) AS BIGINT) AS count, CAST(SUM(cost) AS BIGINT) AS cost'

/** The owners of one key that were used most on some days, or that key; or the one owner. */
export function mostOfOne(filter: UsageSumsFilter, by: 'key' | 'owner'): Query {
  const { where, values, bind } = conditionsOf(filter, 'at', filter.key !== undefined)
  const text = `SELECT ${columnOf[by]} AS name, CAST(SUM(count) AS BIGINT) AS count
    FROM ${filter.key === undefined ? ownerDays.table : keyDays.table} WHERE ${where.join(' AND ')}
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${bind(filter.top)}`
  return { text, values }
}

/**
 * The lists in which is ranked, of all or of one owner: one for each day, environment and outcome in which something was
 * counted.
 */
export function listsQuery(filter: UsageSumsFilter): Query {
  const { where, values } = conditionsOf(filter, 'at', false)
  const text = `SELECT at - at % ${dayLength} AS day, environment, outcome
    FROM ${filter.owner === undefined ? hours.table : ownerDays.table}
    WHERE ${where.join(' AND ')} GROUP BY 1, 2, 3`
  return { text, values }
}

/**
 * The first of a list: the keys or owners with the highest counts of a day ($1), environment ($2) and outcome ($3), $4 at
 * most; or the keys of an owner ($5).
 */
export const first: Readonly<Record<'key' | 'owner' | 'keyOfOwner', string>> = {
  key: firstIn(keyDays.table, ['owner', 'key_id'], ''),
  owner: firstIn(ownerDays.table, ['owner'], ''),
  keyOfOwner: firstIn(keyDays.table, ['key_id'], 'owner = $5 AND'),
}

/** @param columns - the order of those with the same count. The last is that of the names. */
function firstIn(table: string, columns: readonly string[], also: string): string {
  const order = ['count', ...columns].map((column) => `${column} DESC`)
  return `SELECT ${columns.at(-1)} AS name, count FROM ${table} WHERE ${also} at = $1 AND environment = $2 AND outcome = $3
    ORDER BY ${order.join(', ')} LIMIT $4`
}

/** @param ofKeys - whether keys are named: they have the fewest rows, so those are not looked for by anything else. */
function conditionsOf(
  { key, owner, environments, outcome, by, from, to }: UsageSumsFilter,
  at: 'at' | 'hour',
  ofKeys: boolean,
): { readonly where: string[]; readonly values: SqlValue[]; readonly bind: (value: SqlValue) => string } {
  const values: SqlValue[] = [from, to]
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const where = [`${at} >= $1`, `${at} < $2`]
  if (key !== undefined) where.push(`key_id = ${bind(key)}`)
  const unindexed = (column: string): string => (ofKeys ? `COALESCE(${column}, '')` : column)
  if (owner !== undefined) where.push(`${unindexed('owner')} = ${bind(owner)}`)
  if (environments !== undefined) where.push(`${unindexed('environment')} IN (${environments.map(bind).join(', ')})`)
  if (outcome !== undefined) where.push(`outcome = ${bind(outcome)}`)
  // Those calls are among the accepted ones already.
  else if (by !== 'outcome') where.push(`outcome <> 'over_limit_reported'`)
  return { where, values, bind }
}
