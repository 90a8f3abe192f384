// A page of a list: from places that an index of its own has, if they are few, or else from the keys in their order.

import type { ListFilter } from '../ports.ts'
import { keyColumns } from './key-columns.ts'
import { conditions, oldSecret } from './list-conditions.ts'
import type { Bind, Walk } from './list-order.ts'
import { beyond, expirySpans, inEach, orderBy, orderColumn, useSpans, walk } from './list-order.ts'
import type { Query, SqlValue } from './sql.ts'
import { ownerColumns, withOwner } from './sql.ts'

/** How many keys a page looks at. */
export const mostLookedAt = 5000

/** The number up to which keys are counted. */
export const mostCounted = 1000

/** Makes the statement that answers the places of all keys that one of the questions of a filter is about, and perhaps of others. */
export type Places = (bind: Bind) => string

/** What of a filter an index of its own answers. */
export function placesOf(
  filter: ListFilter,
  keys: Walk,
  textPlaces: (text: string, bind: Bind) => string | undefined,
): readonly Places[] {
  const { issuedBy, rotating, states, text, now } = filter
  const all: (Places | undefined)[] = [
    issuedBy === undefined
      ? undefined
      : (bind) => `SELECT place FROM latchkey_secrets WHERE issued_by = ${bind(issuedBy)} AND ended = 0`,
    rotating !== true ? undefined : (bind) => `SELECT s.place FROM latchkey_secrets s WHERE ${oldSecret(bind(now))}`,
    text === undefined || textPlaces(text, () => '') === undefined ? undefined : (bind) => textPlaces(text, bind) ?? '',
    spansOf(filter, keys, expirySpans),
    spansOf(filter, keys, useSpans),
    states?.length !== 1 || states[0] !== 'expired'
      ? undefined
      : spansOf({ ...filter, expiresBefore: now + 1 }, keys, expirySpans),
    ...ended(filter),
  ]
  return all.filter((places) => places !== undefined)
}

/** Keys that were ended or disabled have an index of their own. */
function ended({ states = [] }: ListFilter): readonly Places[] {
  const columns = { revoked: 'revoked_at', disabled: 'disabled_at' } as const
  const asked = states.map((state) => (state === 'revoked' || state === 'disabled' ? columns[state] : undefined))
  if (asked.length === 0 || asked.includes(undefined)) return []
  return [() => asked.map((column) => `SELECT place FROM latchkey_keys WHERE ${column} IS NOT NULL`).join(' UNION ')]
}

function spansOf(filter: ListFilter, keys: Walk, spans: typeof useSpans): Places | undefined {
  if (spans(filter, () => '').length === 0) return undefined
  return (bind) =>
    inEach(keys, bind)
      .flatMap((all) =>
        spans(filter, bind).map((span) => `SELECT k.place FROM latchkey_keys k WHERE ${all} AND ${span}`),
      )
      .join(' UNION ALL ')
}

/** Answers `count` of those places that whoever asks may see, or one more than may be looked at. */
export function placesQuery(places: Places, keys: Walk): Query {
  return query(
    (bind) => `SELECT COUNT(*) AS count FROM (
      SELECT 1 FROM (${places(bind)}) w CROSS JOIN latchkey_keys k
      WHERE k.place = w.place AND ${seen(keys, bind)} LIMIT ${mostLookedAt + 1}) found`,
  )
}

/** Whether anything is asked that the indexes of the orders do not answer. */
export function asksForMore(filter: ListFilter): boolean {
  return conditions(filter, () => '').length > 0
}

/**
 * The rows of a page, and one more if there is one.
 *
 * @param places - where they are; if left out, so many as may be looked at are taken in their order.
 */
export function pageQuery(filter: ListFilter, keys: Walk, places?: Places): Query {
  const { order, limit } = filter
  return query((bind) => {
    const columns = `k.place, ${orderColumn(order)}, k.last_used_at, ${keyColumns}, ${ownerColumns}`
    const sorted = orderBy(order, places === undefined ? ['w.at', 'w.place'] : ['at', 'k.place'])
    return `SELECT ${columns} ${found(filter, { keys, places, bind, most: limit + 1 })} ${sorted} LIMIT ${limit + 1}`
  })
}

/** Answers `count` of the keys that are found, wherever a page begins; one more than is counted if there are more. */
export function countQuery(filter: ListFilter, keys: Walk, places?: Places): Query {
  const all = { ...keys, after: undefined }
  return query((bind) => {
    const rows = found(filter, { keys: all, places, bind, most: mostCounted + 1 })
    return `SELECT COUNT(*) AS count FROM (SELECT 1 ${rows} LIMIT ${mostCounted + 1}) found`
  })
}

/** CROSS: the rows of keys are looked at in this order, and no others are. */
function found(
  filter: ListFilter,
  {
    keys,
    places,
    bind,
    most,
  }: { readonly keys: Walk; readonly places: Places | undefined; readonly bind: Bind; readonly most: number },
): string {
  const asked = ['k.place = w.place', ...conditions(filter, bind)]
  const looked = asksForMore(filter) ? mostLookedAt : most
  if (places !== undefined) {
    asked.push(seen(keys, bind))
    if (keys.after !== undefined) asked.push(beyond(keys.order, keys.after, bind))
  }
  const from =
    places === undefined ? `${walk(keys, bind)} LIMIT ${looked}` : `SELECT DISTINCT place FROM (${places(bind)}) p`
  return `FROM (${from}) w CROSS JOIN latchkey_keys k ${withOwner} WHERE ${asked.join(' AND ')}`
}

function seen(keys: Walk, bind: Bind): string {
  return `(${inEach(keys, bind)
    .map((all) => `(${all})`)
    .join(' OR ')})`
}

function query(make: (bind: Bind) => string): Query {
  const values: SqlValue[] = []
  return { text: make((value) => `$${values.push(value)}`), values }
}
