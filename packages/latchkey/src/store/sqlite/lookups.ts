import type { DatabaseSync } from 'node:sqlite'
import type { QuotaState } from '../../ports.ts'
import { jsonOf } from '../foreign-value.ts'
import type { KeyRow } from '../key-columns.ts'
import { keyOfRow } from '../key-columns.ts'
import type { DeclaredRow, OwnerRow, SecretRow } from '../rows.ts'
import { declaredOfRow, ownerOfRow, secretOfRow } from '../rows.ts'
import { purgeable } from '../purge-sql.ts'
import * as sql from '../sql.ts'
import type { Answering } from './answering.ts'
import type { Statements } from './statements.ts'

/** The methods of a store that look up something by its name, and read few rows. */
type LookupName =
  | 'bySecret'
  | 'byId'
  | 'owner'
  | 'idempotentResult'
  | 'declared'
  | 'withoutSnapshot'
  | 'purgeable'
  | 'isErased'
  | 'isErasedUse'

/** The look-ups of one connection. */
export function lookupsOf(
  database: DatabaseSync,
  { rows, row, explained }: Pick<Statements, 'rows' | 'row' | 'explained'>,
): Answering<LookupName> {
  // The hot statement has its own variable: no look-up by text on the way to a verdict.
  const bySecret = database.prepare(sql.bySecret)

  function foundBySecret(hash: string): (KeyRow & SecretRow & OwnerRow) | undefined {
    try {
      return bySecret.get({ 1: hash }) as never
    } catch (error) {
      throw explained(error, sql.bySecret, [hash])
    }
  }

  return {
    bySecret(hash) {
      const found = foundBySecret(hash)
      if (found === undefined) return undefined
      return { key: keyOfRow(found), secret: secretOfRow(found), owner: ownerOfRow(found) }
    },

    byId(id) {
      const found = row<KeyRow & OwnerRow>(sql.byId, [id])
      if (found === undefined) return undefined
      return {
        key: keyOfRow(found),
        secrets: rows<SecretRow>(sql.secretsOf, [id]).map(secretOfRow),
        owner: ownerOfRow(found),
        quotas: rows<QuotaState>(sql.quotasOf, [id]).map(({ remaining, period }) => ({ remaining, period })),
      }
    },

    owner(owner) {
      const found = row<OwnerRow>(sql.byOwner, [owner])
      return found === undefined ? undefined : ownerOfRow(found)
    },

    idempotentResult({ actor, idempotencyKey }) {
      const found = row<{ fingerprint: string; ids: string; seq: number }>(sql.done, [actor, idempotencyKey])
      if (found === undefined) return undefined
      const { fingerprint, ids, seq } = found
      return { fingerprint, ids: jsonOf(ids, 'latchkey_once', 'ids') as readonly string[], seq }
    },

    declared() {
      const found = row<DeclaredRow>(sql.declared)
      return found === undefined ? undefined : declaredOfRow(found)
    },

    isErased(hash) {
      return row(sql.isErasedSecret, [hash]) !== undefined
    },

    isErasedUse({ key, owner }) {
      return row(sql.isErasedUse, [key, owner]) !== undefined
    },

    purgeable({ of, before, limit }) {
      return [...new Set(rows<{ id: string }>(purgeable[of], [before, limit]).map(({ id }) => id))]
    },

    withoutSnapshot(limit) {
      return rows<{ subject: string }>(sql.unrecorded, [limit]).map(({ subject }) => subject)
    },
  }
}
