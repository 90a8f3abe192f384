// Every statement, written once for all engines: `$1` parameters, whole numbers for times, JSON as text.

import type { JournalEntry, KeyState, RevocationReason, StoredKey } from '../ports.ts'

/** What may be bound to a parameter. A `Date` or an object may not: drivers disagree about them. */
export type SqlValue = string | number | null

const keyColumns = `k.id, k.name, k.owner, k.environment, k.scopes, k.metadata, k.start, k.created_at, k.not_before,
  k.expires_at, k.revoked_at, k.revoked_reason, k.revoked_note, k.revision`

const entryColumns = 'seq, at, actor, action, subject, change, previous, hash'

/** Where a key stands at $1, as `phase` and `keyOfStored` see it. */
const stateAtFirst = `CASE
  WHEN k.revoked_at IS NOT NULL THEN 'revoked'
  WHEN k.expires_at <= $1 THEN 'expired'
  WHEN k.not_before > $1 THEN 'pending'
  ELSE 'active' END`

export const bySecret: string = `SELECT ${keyColumns} FROM latchkey_secrets s JOIN latchkey_keys k ON k.place = s.place WHERE s.hash = $1`

export const byId: string = `SELECT ${keyColumns} FROM latchkey_keys k WHERE k.id = $1`

export const insertKey: string = `INSERT INTO latchkey_keys (place, id, name, owner, environment, scopes, metadata, start, created_at,
    not_before, expires_at, revoked_at, revoked_reason, revoked_note, revision)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`

export const insertSecret: string = `INSERT INTO latchkey_secrets (hash, place) VALUES ($1, $2)`

export const updateKey: string = `UPDATE latchkey_keys SET name = $3, owner = $4, scopes = $5, metadata = $6, not_before = $7,
    expires_at = $8, revoked_at = $9, revoked_reason = $10, revoked_note = $11, revision = $12
    WHERE id = $1 AND revision = $2`

export const newestRevision: string = `SELECT COALESCE(MAX(revision), 0) AS revision FROM latchkey_keys`

export const insertEntry: string = `INSERT INTO latchkey_journal (${entryColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

export const head: string = `SELECT seq, hash FROM latchkey_journal ORDER BY seq DESC LIMIT 1`

export const entries: string = `SELECT ${entryColumns} FROM latchkey_journal WHERE seq > $1 ORDER BY seq LIMIT $2`

export const changedSince: string = `SELECT seq, subject FROM latchkey_journal WHERE seq > $1 ORDER BY seq LIMIT $2`

/** The statement for a list. $1 is the moment, $2 the place to go on from, $3 the limit; owner and state follow if given. */
export function listSql(owner: string | undefined, state: KeyState | undefined): string {
  const where = ['k.place > $2']
  if (owner !== undefined) where.push('k.owner = $4')
  if (state !== undefined) where.push(`${stateAtFirst} = $${owner === undefined ? 4 : 5}`)
  // $1 must appear even where no state is asked for: engines refuse parameters that a statement does not use.
  if (state === undefined) where.push('$1 IS NOT NULL')
  return `SELECT k.place, ${keyColumns} FROM latchkey_keys k WHERE ${where.join(' AND ')} ORDER BY k.place LIMIT $3`
}

/** A row of keys as engines give it. */
export interface KeyRow {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly environment: string
  readonly scopes: string
  readonly metadata: string
  readonly start: string
  readonly created_at: number
  readonly not_before: number | null
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly revoked_reason: string | null
  readonly revoked_note: string | null
  readonly revision: number
}

/** The key in a row. */
export function keyOfRow(row: KeyRow): StoredKey {
  return {
    id: row.id,
    name: row.name,
    owner: row.owner,
    environment: row.environment,
    scopes: JSON.parse(row.scopes) as string[],
    metadata: JSON.parse(row.metadata) as Record<string, string>,
    start: row.start,
    createdAt: row.created_at,
    notBefore: row.not_before,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    revokedReason: row.revoked_reason as RevocationReason | null,
    revokedNote: row.revoked_note,
    revision: row.revision,
  }
}

/** The values of `insertKey`. */
export function insertValues(key: Omit<StoredKey, 'revision'>, seq: number): readonly SqlValue[] {
  return [
    seq,
    key.id,
    key.name,
    key.owner,
    key.environment,
    JSON.stringify(key.scopes),
    JSON.stringify(key.metadata),
    key.start,
    key.createdAt,
    key.notBefore,
    key.expiresAt,
    key.revokedAt,
    key.revokedReason,
    key.revokedNote,
    seq,
  ]
}

/** The values of `updateKey`: what identifies a key and when it was issued never changes. */
export function updateValues(key: StoredKey, seq: number): readonly SqlValue[] {
  return [
    key.id,
    key.revision,
    key.name,
    key.owner,
    JSON.stringify(key.scopes),
    JSON.stringify(key.metadata),
    key.notBefore,
    key.expiresAt,
    key.revokedAt,
    key.revokedReason,
    key.revokedNote,
    seq,
  ]
}

/** The values of `insertEntry`. */
export function entryValues(entry: JournalEntry): readonly SqlValue[] {
  const { seq, at, actor, action, subject, change, previous, hash } = entry
  return [seq, at, actor, action, subject, change, previous, hash]
}
