// What of a filter is asked of each key that is looked at.

import type { ListFilter } from '../ports.ts'
import type { Engine } from './engine.ts'
import { like, lower } from './like.ts'
import type { Bind } from './list-order.ts'
import { isShort } from './short-text.ts'

/** Of secrets `s`: whether it is an old one that works. */
export function oldSecret(now: string): string {
  return `s.retired_at IS NOT NULL AND s.ended = 0 AND s.ends_at > ${now}`
}

/** A filter, and the engine that it is asked of. */
export interface AskedFilter extends ListFilter {
  readonly engine: Engine
}

/** Conditions on keys `k` and their owners `o`. */
export function conditions(filter: AskedFilter, bind: Bind): readonly string[] {
  const { states, grants, text, issuedBy, metadata, rotating, now, engine } = filter
  const { expiresBefore, neverExpires, unusedSince } = filter
  const where: string[] = []
  if (states !== undefined) where.push(inStates(states, bind(now), bind))
  if (grants !== undefined) {
    // The JSON of a list of scopes has each between quotes, and no scope has a character that JSON or LIKE would escape but `_`.
    const granted = grants.map((grant) => `k.scopes LIKE ${bind(like(`"${grant}"`))} ESCAPE '!'`)
    where.push(`(${granted.join(' OR ')})`)
  }
  if (issuedBy !== undefined) {
    const issuer = bind(issuedBy)
    where.push(`EXISTS (SELECT 1 FROM latchkey_secrets s
      WHERE s.place = k.place AND s.issued_by = ${issuer} AND s.ended = 0)`)
  }
  if (expiresBefore !== undefined) where.push(`k.expires_at < ${bind(expiresBefore)}`)
  if (neverExpires !== undefined) where.push(`k.expires_at IS ${neverExpires ? '' : 'NOT '}NULL`)
  if (unusedSince !== undefined) where.push(`COALESCE(k.last_used_at, k.created_at) < ${bind(unusedSince)}`)
  for (const [name, value] of metadata ?? []) where.push(engine.memberIs(name, value, bind))
  if (rotating !== undefined) {
    const old = `SELECT 1 FROM latchkey_secrets s WHERE s.place = k.place AND ${oldSecret(bind(now))}`
    where.push(`${rotating ? '' : 'NOT '}EXISTS (${old})`)
  }
  if (text !== undefined) {
    const begins = isShort(text)
    const pattern = bind(begins ? like(lower(text)).slice(1) : like(lower(text)))
    const columns = [...(begins ? [] : ['k.id']), 'k.name', 'k.owner', 'k.start']
    where.push(`(${columns.map((column) => `LOWER(${column}) LIKE ${pattern} ESCAPE '!'`).join(' OR ')})`)
  }
  return where
}

/** As `stateOf` computes it. */
function inStates(states: readonly string[], now: string, bind: Bind): string {
  return `CASE
    WHEN k.revoked_at IS NOT NULL THEN 'revoked'
    WHEN k.disabled_at IS NOT NULL THEN 'disabled'
    WHEN o.disabled_at IS NOT NULL THEN 'owner_disabled'
    WHEN k.expires_at <= ${now} THEN 'expired'
    WHEN k.not_before > ${now} THEN 'pending'
    ELSE 'active' END IN (${states.map(bind).join(', ')})`
}
