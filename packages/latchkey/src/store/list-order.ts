// The keys of a list in their order, whatever else is asked of them: ranges of an index, one for each environment, merged.

import type { ListFilter, ListOrder, ListPosition } from '../ports.ts'
import type { Query, SqlValue } from './sql.ts'

/** Binds a value, and answers the parameter that stands for it. */
export type Bind = (value: SqlValue) => string

/** After every date: in the order and in its index, keys that never expire have it. */
const never = 9_007_199_254_740_991

/** More than any date: a time less that is before them all, where keys stand that were never used. */
const unused = 8_640_000_000_000_001

// The engines put nulls to different ends of an order, so no order has any.
const expiry = `COALESCE(k.expires_at, ${never})`
const use = `COALESCE(k.last_used_at, k.created_at - ${unused})`

/**
 * What keys are ordered by before their place, as in the indexes, and in which direction. Those used in one second are in
 * the order in which usage is written: a transaction then moves them within few pages.
 */
const orders: Readonly<
  Record<ListOrder, { readonly at?: string; readonly byOwner?: true; readonly direction: 'ASC' | 'DESC' }>
> = {
  oldest: { direction: 'ASC' },
  newest: { direction: 'DESC' },
  last_used: { at: use, byOwner: true, direction: 'DESC' },
  expires: { at: expiry, direction: 'ASC' },
  name: { at: 'k.name', direction: 'ASC' },
}

/** The environments that keys have, each found by a step in an index. */
export const environmentsOfKeys: string = `WITH RECURSIVE e (environment) AS (
    SELECT MIN(environment) FROM latchkey_keys
    UNION ALL SELECT (SELECT MIN(k.environment) FROM latchkey_keys k WHERE k.environment > e.environment)
      FROM e WHERE e.environment IS NOT NULL)
  SELECT environment FROM e WHERE environment IS NOT NULL`

/** The keys to look at: only those that whoever asks may see. */
export interface Walk extends Pick<
  ListFilter,
  'owner' | 'order' | 'after' | 'expiresBefore' | 'neverExpires' | 'unusedSince'
> {
  readonly environments: readonly string[]
}

/** Ranges of what keys are ordered by, outside which nothing is that is asked for. */
export function expirySpans({ expiresBefore, neverExpires }: Partial<ListFilter>, bind: Bind): readonly string[] {
  const spans: string[] = []
  if (expiresBefore !== undefined) spans.push(`${expiry} < ${bind(expiresBefore)}`)
  if (neverExpires !== undefined) spans.push(`${expiry} ${neverExpires ? '=' : '<'} ${never}`)
  return spans.length === 0 ? [] : [spans.join(' AND ')]
}

/** The same of the last use: of keys that were used, and of those never used. */
export function useSpans({ unusedSince }: Partial<ListFilter>, bind: Bind): readonly string[] {
  if (unusedSince === undefined) return []
  const [used, created] = [bind(unusedSince), bind(unusedSince - unused)]
  return [`${use} >= 0 AND ${use} < ${used}`, `${use} < ${created}`]
}

/** A statement for each environment. */
export function inEach({ owner, environments }: Pick<Walk, 'owner' | 'environments'>, bind: Bind): readonly string[] {
  return environments.map((environment) => {
    const own = owner === undefined ? '' : `k.owner = ${bind(owner)} AND `
    return `${own}k.environment = ${bind(environment)}`
  })
}

/** `ORDER BY` for rows with the columns of a position, those of such a table. */
export function orderBy(order: ListOrder, table = ''): string {
  const { at, byOwner } = orders[order]
  const before = [...(at === undefined ? [] : ['at']), ...(byOwner === undefined ? [] : ['among'])]
  return ordered(
    order,
    [...before, 'place'].map((column) => `${table}${column}`),
  )
}

function ordered(order: ListOrder, columns: readonly string[]): string {
  return `ORDER BY ${columns.map((column) => `${column} ${orders[order].direction}`).join(', ')}`
}

/** The columns of the positions of keys `k`: `at`, `among` and `place`, with `null` for what the order has not. */
export function positionColumns(order: ListOrder): string {
  const { at = 'NULL', byOwner } = orders[order]
  return `${at} AS at, ${byOwner === undefined ? 'NULL' : 'k.owner'} AS among, k.place AS place`
}

/** A row in its order. */
export interface OrderedRow {
  readonly at: string | number | null
  readonly among: string | null
  readonly place: number
}

/** The position of a row. */
export function positionIn({ at, among, place }: OrderedRow): ListPosition {
  if (at === null) return [place]
  return among === null ? [at, place] : [at, among, place]
}

/** A part of an index, and the columns in which keys of it differ, if not in all of the order. */
interface Range {
  readonly where: string
  readonly differ?: readonly string[]
}

/**
 * Places, and what they are ordered by, in their order, as many as are looked at: each range is read from an index, and only
 * as far as it is needed. What equals a position and what comes after it are ranges of their own: engines do not find a pair
 * in an index on an expression. Of keys that are alike in it, SQLite would sort all, so that is said to be enough.
 */
export function walk(keys: Walk, looked: number, bind: Bind): string {
  const { order, after } = keys
  const asked = order === 'expires' ? expirySpans(keys, bind) : order === 'last_used' ? useSpans(keys, bind) : []
  const spans = asked.length === 0 ? [''] : asked
  const isAlike = order === 'expires' && keys.neverExpires === true
  // Where all are alike, a position is a place.
  const place = after?.at(-1)
  const from = isAlike && place !== undefined ? rangesAfter({ order: 'oldest' }, [Number(place)], bind) : undefined
  const ends = from ?? (after === undefined ? [{ where: '' }] : rangesAfter(keys, after, bind))
  const ranges = inEach(keys, bind).flatMap((all) =>
    ends.flatMap((end) =>
      spans.map((span) => ({
        where: [all, end.where, span].filter((condition) => condition !== '').join(' AND '),
        differ: isAlike ? ['k.place'] : end.differ,
      })),
    ),
  )
  const selects = ranges.map(({ where, differ }) => {
    const select = `SELECT ${positionColumns(order)} FROM latchkey_keys k WHERE ${where}`
    return differ === undefined ? select : `SELECT * FROM (${select} ${ordered(order, differ)} LIMIT ${looked}) alike`
  })
  return `${selects.join(' UNION ALL ')} ${orderBy(order)} LIMIT ${looked}`
}

function rangesAfter(
  { order, owner: only }: Pick<ListFilter, 'order'> & Partial<Pick<ListFilter, 'owner'>>,
  after: ListPosition,
  bind: Bind,
): readonly Range[] {
  const { at, byOwner, direction } = orders[order]
  const further = direction === 'ASC' ? '>' : '<'
  const place = `k.place ${further} ${bind(after.at(-1) ?? 0)}`
  if (at === undefined) return [{ where: place }]
  const reached = bind(after[0])
  const rest = { where: `${at} ${further} ${reached}` }
  if (byOwner === undefined) return [{ where: `${at} = ${reached} AND ${place}`, differ: ['k.place'] }, rest]
  const owner = bind(after[1] ?? '')
  const ofOwner = { where: `${at} = ${reached} AND k.owner = ${owner} AND ${place}`, differ: ['k.place'] }
  // An engine would read all keys of one owner to find those of others.
  if (only !== undefined) return [ofOwner, rest]
  const ofOthers = { where: `${at} = ${reached} AND k.owner ${further} ${owner}`, differ: ['k.owner', 'k.place'] }
  return [ofOwner, ofOthers, rest]
}

/** Of keys that were found otherwise, those that come after a position. */
export function beyond(order: ListOrder, after: ListPosition, bind: Bind): string {
  const ranges = rangesAfter({ order }, after, bind).map(({ where }) => `(${where})`)
  return `(${ranges.join(' OR ')})`
}

/** The position at which a walk stops after so many keys, and one more if there is one. */
export function endQuery(keys: Walk, looked: number): Query {
  const values: SqlValue[] = []
  const text = walk(keys, looked + 1, (value) => `$${values.push(value)}`)
  return {
    text: `SELECT at, among, place FROM (${text}) w ${orderBy(keys.order)} LIMIT 2 OFFSET ${looked - 1}`,
    values,
  }
}
