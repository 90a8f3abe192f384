import type { QuotaState, SecretMatch } from '../ports.ts'
import { foreignValue, jsonOf } from './foreign-value.ts'
import type { KeyRow } from './key-columns.ts'
import { keyOfRow } from './key-columns.ts'
import type { DeclaredRow, OwnerRow, SecretRow } from './rows.ts'
import { declaredOfRow, ownerOfRow, secretOfRow } from './rows.ts'
import { purgeable } from './purge-sql.ts'
import * as sql from './sql.ts'
import type { Working } from './work.ts'
import { row, rows } from './work.ts'

/** The methods of a store that look up something by its name, and read few rows. */
export type LookupName =
  | 'bySecret'
  | 'byId'
  | 'owner'
  | 'idempotentResult'
  | 'declared'
  | 'cursorKey'
  | 'withoutSnapshot'
  | 'purgeable'
  | 'isErased'
  | 'isErasedUse'

/** The secret, the key and the owner in a row of `bySecret`. */
export function matchOfRow(found: KeyRow & SecretRow & OwnerRow): SecretMatch {
  return { key: keyOfRow(found), secret: secretOfRow(found), owner: ownerOfRow(found) }
}

/** The look-ups of all engines. */
export const lookups: Working<LookupName> = {
  *bySecret(hash) {
    const found = yield* row<KeyRow & SecretRow & OwnerRow>(sql.bySecret, [hash])
    return found === undefined ? undefined : matchOfRow(found)
  },

  *byId(id) {
    const found = yield* row<KeyRow & OwnerRow>(sql.byId, [id])
    if (found === undefined) return undefined
    return {
      key: keyOfRow(found),
      secrets: (yield* rows<SecretRow>(sql.secretsOf, [id])).map(secretOfRow),
      owner: ownerOfRow(found),
      quotas: (yield* rows<QuotaState>(sql.quotasOf, [id])).map(({ remaining, period }) => ({ remaining, period })),
    }
  },

  *owner(owner) {
    const found = yield* row<OwnerRow>(sql.byOwner, [owner])
    return found === undefined ? undefined : ownerOfRow(found)
  },

  *idempotentResult({ actor, idempotencyKey }) {
    const found = yield* row<{ fingerprint: string; ids: string; seq: number }>(sql.done, [actor, idempotencyKey])
    if (found === undefined) return undefined
    const { fingerprint, ids, seq } = found
    return { fingerprint, ids: jsonOf(ids, 'latchkey_once', 'ids') as readonly string[], seq }
  },

  *declared() {
    const found = yield* row<DeclaredRow>(sql.declared)
    return found === undefined ? undefined : declaredOfRow(found)
  },

  *cursorKey() {
    const found = yield* row<{ key: string }>(sql.cursorKey)
    // Nobody but another program takes it out. What is missing must not become a key that everybody knows.
    if (found === undefined) throw foreignValue('latchkey_cursor_key.key', 'no text')
    return found.key
  },

  *isErased(hash) {
    return (yield* row(sql.isErasedSecret, [hash])) !== undefined
  },

  *isErasedUse({ key, owner }) {
    return (yield* row(sql.isErasedUse, [key, owner])) !== undefined
  },

  *purgeable({ of, before, limit }) {
    return [...new Set((yield* rows<{ id: string }>(purgeable[of], [before, limit])).map(({ id }) => id))]
  },

  *withoutSnapshot(limit) {
    return (yield* rows<{ subject: string }>(sql.unrecorded, [limit])).map(({ subject }) => subject)
  },
}
