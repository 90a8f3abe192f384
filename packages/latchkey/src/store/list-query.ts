// A page of a list: from places that an index of its own has, if they are few, or else from the keys in their order.

import { like } from './like.ts'
import type { KeyState, ListFilter } from '../ports.ts'
import { keyColumns } from './key-columns.ts'
import type { Bind, Walk } from './list-order.ts'
import { beyond, orderBy, orderColumn, walk } from './list-order.ts'
import type { Query, SqlValue } from './sql.ts'
import { ownerColumns, withOwner } from './sql.ts'

/** How many keys a page looks at. */
export const mostLookedAt = 10_000

/** Makes the statement that answers the places of all keys that one of the questions of a filter is about, and perhaps of others. */
export type Places = (bind: Bind) => string

/** What of a filter an index of its own answers. */
export function placesOf({ issuedBy }: ListFilter): readonly Places[] {
  const found: Places[] = []
  if (issuedBy !== undefined) {
    found.push(
      (bind) => `SELECT DISTINCT place FROM latchkey_secrets WHERE issued_by = ${bind(issuedBy)} AND ended = 0`,
    )
  }
  return found
}

/** Answers \`count\`, one more than may be looked at if there are more. */
export function countQuery(places: Places): Query {
  return query((bind) => `SELECT COUNT(*) AS count FROM (${places(bind)} LIMIT ${mostLookedAt + 1}) found`)
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
  const { order, limit, owner, environments, after } = { ...filter, ...keys }
  return query((bind) => {
    const asked = conditions(filter, bind)
    const looked = asked.length === 0 ? limit + 1 : mostLookedAt
    if (places !== undefined) {
      if (owner !== undefined) asked.push(`k.owner = ${bind(owner)}`)
      asked.push(`k.environment IN (${environments.map(bind).join(', ')})`)
      if (after !== undefined) asked.push(beyond(order, after, bind))
    }
    // CROSS: the rows of keys are looked at in this order, and no others are.
    return `SELECT k.place, ${orderColumn(order)}, k.last_used_at, ${keyColumns}, ${ownerColumns}
      FROM (${places === undefined ? `${walk(keys, bind)} LIMIT ${looked}` : places(bind)}) w
      CROSS JOIN latchkey_keys k ${withOwner}
      WHERE ${['k.place = w.place', ...asked].join(' AND ')}
      ${orderBy(order, places === undefined ? ['w.at', 'w.place'] : ['at', 'k.place'])} LIMIT ${limit + 1}`
  })
}

function query(make: (bind: Bind) => string): Query {
  const values: SqlValue[] = []
  return { text: make((value) => `$${values.push(value)}`), values }
}

function conditions({ state, grants, text, issuedBy, now }: ListFilter, bind: Bind): string[] {
  const where: string[] = []
  if (state !== undefined) where.push(inState(state, bind(now), bind))
  if (grants !== undefined) {
    // The JSON of a list of scopes has each between quotes, and no scope has a character that JSON or LIKE would escape but `_`.
    const granted = grants.map((grant) => `k.scopes LIKE ${bind(like(`"${grant}"`))} ESCAPE '\\'`)
    where.push(`(${granted.join(' OR ')})`)
  }
  if (issuedBy !== undefined) {
    const issuer = bind(issuedBy)
    where.push(`EXISTS (SELECT 1 FROM latchkey_secrets s
      WHERE s.place = k.place AND s.issued_by = ${issuer} AND s.ended = 0)`)
  }
  if (text !== undefined) {
    // Both sides are lower-cased by the engine, because engines differ: SQLite knows the capital letters of ASCII only.
    const pattern = `LOWER(${bind(like(text))})`
    const columns = ['k.id', 'k.name', 'k.owner', 'k.start']
    where.push(`(${columns.map((column) => `LOWER(${column}) LIKE ${pattern} ESCAPE '\\'`).join(' OR ')})`)
  }
  return where
}

/** As `stateOf` computes it. */
function inState(state: KeyState, now: string, bind: Bind): string {
  return `CASE
    WHEN k.revoked_at IS NOT NULL THEN 'revoked'
    WHEN k.disabled_at IS NOT NULL THEN 'disabled'
    WHEN o.disabled_at IS NOT NULL THEN 'owner_disabled'
    WHEN k.expires_at <= ${now} THEN 'expired'
    WHEN k.not_before > ${now} THEN 'pending'
    ELSE 'active' END = ${bind(state)}`
}
