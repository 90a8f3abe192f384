// A page of a list: from places that an index of its own has, if they are few, or else from the keys in their order.

import type { ListFilter } from '../ports.ts'
import { keyColumns } from './key-columns.ts'
import type { AskedFilter } from './list-conditions.ts'
import { conditions, oldSecret } from './list-conditions.ts'
import type { Bind, Walk } from './list-order.ts'
import { beyond, expirySpans, inEach, orderBy, positionColumns, useSpans, walk } from './list-order.ts'
import { beginningPlaces, isShort } from './short-text.ts'
import type { Query, SqlValue } from './sql.ts'
import { ownerColumns, withOwner } from './sql.ts'

/** How many keys a page looks at. Of metadata the JSON is read, 16 KiB at most: 2,000 of these are 100 ms of CPU. */
export function mostLookedAt({ metadata }: Pick<ListFilter, 'metadata'>): number {
  return metadata === undefined ? 5000 : 2000
}

/**
 * How many keys an index of all of them may have, if whoever asks may see only some: it takes as long as there are keys of
 * others in it.
 */
export const mostOfAll = 20_000

/** The number up to which keys are counted. */
export const mostCounted = 1000

/** A limit that is none: without it, SQLite may read another index of the same table, all of it, because it is in order. */
const every = Number.MAX_SAFE_INTEGER

/** The places of all keys that one of the questions of a filter is about, and perhaps of others. */
export interface Places {
  /** Makes the statement that answers them. */
  readonly places: (bind: Bind) => string
  /** All of them may be seen by whoever asks. */
  readonly seen: boolean
}

/** What of a filter an index of its own answers, if the order is by something else. */
export function placesOf(filter: AskedFilter, keys: Walk): readonly Places[] {
  const { issuedBy, rotating, states, text, now, order, engine } = filter
  const seen = filter.owner === undefined && filter.environments === undefined
  const all: Places[] = [...ended(filter)]
  // All keys of an owner that has few of them: whatever is asked, no key of another is looked at.
  const own: Places = { seen: true, places: (bind) => ownPlaces(keys, bind) }
  if (issuedBy !== undefined) {
    const made = 'SELECT place FROM latchkey_secrets WHERE ended = 0 AND issued_by ='
    all.push({ seen, places: (bind) => `${made} ${bind(issuedBy)}` })
  }
  if (rotating === true) {
    all.push({ seen, places: (bind) => `SELECT s.place FROM latchkey_secrets s WHERE ${oldSecret(bind(now))}` })
  }
  if (text !== undefined) {
    const begins = isShort(text)
    const of = (bind: Bind): string | undefined =>
      begins ? beginningPlaces(text, keys, bind) : engine.textPlaces(text, bind)
    if (of(() => '') !== undefined) all.push({ seen: seen || begins, places: (bind) => of(bind) ?? '' })
  }
  if (order !== 'expires') all.push(...spansOf(filter, keys, expirySpans))
  if (order !== 'last_used') all.push(...spansOf(filter, keys, useSpans))
  if (states?.length === 1 && states[0] === 'expired') {
    all.push(...spansOf({ ...filter, expiresBefore: now + 1 }, keys, expirySpans))
  }
  return seen ? all : [...all.filter((places) => places.seen), own, ...all.filter((places) => !places.seen)]
}

function ownPlaces(keys: Walk, bind: Bind): string {
  return inEach(keys, bind)
    .map((all) => `SELECT k.place FROM latchkey_keys k WHERE ${all}`)
    .join(' UNION ALL ')
}

/** Keys that were ended or disabled have an index of their own. */
function ended({ states = [], owner, environments }: ListFilter): readonly Places[] {
  const columns = { revoked: 'revoked_at', disabled: 'disabled_at' } as const
  const asked = states.map((state) => (state === 'revoked' || state === 'disabled' ? columns[state] : undefined))
  if (asked.length === 0 || asked.includes(undefined)) return []
  const places = asked.map((column) => `SELECT place FROM latchkey_keys WHERE ${column} IS NOT NULL`).join(' UNION ')
  return [{ seen: owner === undefined && environments === undefined, places: () => places }]
}

function spansOf(filter: ListFilter, keys: Walk, spans: typeof useSpans): readonly Places[] {
  if (spans(filter, () => '').length === 0) return []
  const select = 'SELECT k.place FROM latchkey_keys k WHERE'
  const places = (bind: Bind): string =>
    inEach(keys, bind)
      .flatMap((all) => spans(filter, bind).map((span) => `${select} ${all} AND ${span}`))
      .join(' UNION ALL ')
  return [{ seen: true, places }]
}

/** Answers `count` of those places, whoever may see them, or one more than may be looked through. */
export function allPlacesQuery({ places }: Places): Query {
  return query(
    (bind) => `SELECT COUNT(*) AS count FROM (SELECT 1 FROM (${places(bind)}) w LIMIT ${mostOfAll + 1}) found`,
  )
}

/** Answers `count` of those places that whoever asks may see, or one more than may be looked at. */
export function placesQuery({ places, seen }: Places, keys: Walk, most: number): Query {
  return query((bind) => {
    const from = `SELECT 1 FROM (${places(bind)}) w`
    const joined = seen ? '' : `CROSS JOIN latchkey_keys k WHERE k.place = w.place AND ${visible(keys, bind)}`
    return `SELECT COUNT(*) AS count FROM (${from} ${joined} LIMIT ${most + 1}) found`
  })
}

/** Whether anything is asked that the indexes of the orders do not answer. */
export function asksForMore(filter: AskedFilter): boolean {
  return conditions(filter, () => '').length > 0
}

/**
 * The rows of a page, and one more if there is one.
 *
 * @param places - where they are; if left out, so many as may be looked at are taken in their order.
 */
export function pageQuery(filter: AskedFilter, keys: Walk, places?: Places): Query {
  const { order, limit } = filter
  return query((bind) => {
    const columns = `${positionColumns(order)}, k.last_used_at, ${keyColumns}, ${ownerColumns}`
    const sorted = orderBy(order, places === undefined ? 'w.' : '')
    const page = `SELECT ${columns} ${found(filter, { keys, places, bind, most: limit + 1 })} ${sorted} LIMIT ${limit + 1}`
    return withOldSecret(page, filter, bind)
  })
}

/** The rows of a page, each with the old secret that works, if there is one: only those of the page are looked for. */
function withOldSecret(page: string, { order, now }: ListFilter, bind: Bind): string {
  const last = `SELECT s.hash FROM latchkey_secrets s WHERE s.place = p.place AND ${oldSecret(bind(now))}
    ORDER BY s.ends_at DESC LIMIT 1`
  return `SELECT p.*, old.ends_at AS old_ends_at, old.last_used_at AS old_last_used_at FROM (${page}) p
    LEFT JOIN latchkey_secrets old ON old.hash = (${last}) ${orderBy(order, 'p.')}`
}

/** Answers `count` of the keys that are found, wherever a page begins; one more than is counted if there are more. */
export function countQuery(filter: AskedFilter, keys: Walk, places?: Places): Query {
  const all = { ...keys, after: undefined }
  return query((bind) => {
    const rows = found(filter, { keys: all, places, bind, most: mostCounted + 1 })
    return `SELECT COUNT(*) AS count FROM (SELECT 1 ${rows} LIMIT ${mostCounted + 1}) found`
  })
}

/** CROSS: the rows of keys are looked at in this order, and no others are. */
function found(
  filter: AskedFilter,
  {
    keys,
    places,
    bind,
    most,
  }: { readonly keys: Walk; readonly places: Places | undefined; readonly bind: Bind; readonly most: number },
): string {
  const asked = ['k.place = w.place', ...conditions(filter, bind)]
  const looked = asksForMore(filter) ? mostLookedAt(filter) : most
  if (places !== undefined) {
    asked.push(visible(keys, bind))
    if (keys.after !== undefined) asked.push(beyond(keys.order, keys.after, bind))
  }
  const from =
    places === undefined
      ? walk(keys, looked, bind)
      : `SELECT DISTINCT place FROM (SELECT place FROM (${places.places(bind)}) p LIMIT ${every}) p`
  return `FROM (${from}) w CROSS JOIN latchkey_keys k ${withOwner} WHERE ${asked.join(' AND ')}`
}

function visible(keys: Walk, bind: Bind): string {
  return `(${inEach(keys, bind)
    .map((all) => `(${all})`)
    .join(' OR ')})`
}

function query(make: (bind: Bind) => string): Query {
  const values: SqlValue[] = []
  return { text: make((value) => `$${values.push(value)}`), values }
}
