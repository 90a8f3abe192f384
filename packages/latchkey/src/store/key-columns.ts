// The columns of a key, written once: every statement and every row of keys is made from this table.

import type { StoredKey } from '../ports.ts'
import { jsonOf } from './foreign-value.ts'
import type { SqlValue } from './sql.ts'

/** How a member of a key is kept. */
interface Column<Value> {
  readonly column: string
  readonly toRow: (value: Value) => SqlValue
  /** It says which key it is, or when it was issued, and never changes. */
  readonly fixed: boolean
}

/** Texts, numbers, and `null` for neither. */
function asItIs<Value extends SqlValue>(column: string, fixed = false): Column<Value> {
  return { column, toRow: (value) => value, fixed }
}

/** Lists and objects, and `null` for neither. */
function asJson<Value extends object | null>(column: string): Column<Value> {
  return { column, toRow: (value) => (value === null ? null : JSON.stringify(value)), fixed: false }
}

/** A member that has no row here does not compile. */
const columns: { readonly [Member in keyof StoredKey]: Column<StoredKey[Member]> } = {
  id: asItIs('id', true),
  name: asItIs('name'),
  owner: asItIs('owner'),
  environment: asItIs('environment', true),
  scopes: asJson('scopes'),
  metadata: asJson('metadata'),
  start: asItIs('start'),
  createdAt: asItIs('created_at', true),
  salt: asItIs('salt'),
  notBefore: asItIs('not_before'),
  expiresAt: asItIs('expires_at'),
  addresses: asJson('addresses'),
  limits: asJson('limits'),
  quota: asJson('quota'),
  delegation: asJson('delegation'),
  disabledAt: asItIs('disabled_at'),
  disabledBy: asItIs('disabled_by'),
  revokedAt: asItIs('revoked_at'),
  revokedReason: asItIs('revoked_reason'),
  revokedNote: asItIs('revoked_note'),
  revision: asItIs('revision'),
}

const members = Object.keys(columns) as readonly (keyof StoredKey)[]
const table = members.map((member) => ({ member, ...(columns[member] as Column<unknown>) }))
const changing = table.filter(({ fixed }) => !fixed)

/** A row of keys, as engines give it: a value for each column, and perhaps others. */
export type KeyRow = Readonly<Record<string, SqlValue>>

/** All columns of keys `k`. */
export const keyColumns: string = table.map(({ column }) => `k.${column}`).join(', ')

/** Its values are `insertKeyValues`. */
export const insertKey: string = `INSERT INTO latchkey_keys (place, ${table.map(({ column }) => column).join(', ')})
    VALUES ($1, ${table.map((_, index) => `$${index + 2}`).join(', ')})`

/** Its values are `updateKeyValues`; `changes` is 0 if another writer was quicker. */
export const updateKey: string = `UPDATE latchkey_keys SET
    ${changing.map(({ column }, index) => `${column} = $${index + 3}`).join(', ')} WHERE id = $1 AND revision = $2`

export function insertKeyValues(key: Omit<StoredKey, 'revision'>, seq: number): readonly SqlValue[] {
  const issued: StoredKey = { ...key, revision: seq }
  return [seq, ...table.map(({ member, toRow }) => toRow(issued[member]))]
}

/** @param key - as it will be; its revision is the one that the caller has seen. */
export function updateKeyValues(key: StoredKey, seq: number): readonly SqlValue[] {
  const changed: StoredKey = { ...key, revision: seq }
  return [key.id, key.revision, ...changing.map(({ member, toRow }) => toRow(changed[member]))]
}

/**
 * The key in a row. Written out, member by member, since every cold verification reads a row: a loop over the table above
 * takes three times as long. A member that is missing here does not compile either.
 */
export function keyOfRow(row: KeyRow): StoredKey {
  return {
    id: row['id'] as string,
    name: row['name'] as string,
    owner: row['owner'] as string,
    environment: row['environment'] as string,
    scopes: listIn(row, 'scopes'),
    metadata: objectIn(row, 'metadata'),
    start: row['start'] as string,
    createdAt: row['created_at'] as number,
    salt: row['salt'] as string,
    notBefore: row['not_before'] as number | null,
    expiresAt: row['expires_at'] as number | null,
    addresses: valueIn(row, 'addresses'),
    limits: listIn(row, 'limits'),
    quota: valueIn(row, 'quota'),
    delegation: valueIn(row, 'delegation'),
    disabledAt: row['disabled_at'] as number | null,
    disabledBy: row['disabled_by'] as string | null,
    revokedAt: row['revoked_at'] as number | null,
    revokedReason: row['revoked_reason'] as StoredKey['revokedReason'],
    revokedNote: row['revoked_note'] as string | null,
    revision: row['revision'] as number,
  }
}

// Most lists are empty, and looking is cheaper than parsing.
const nothing: readonly never[] = Object.freeze([])

function listIn<Item>(row: KeyRow, column: string): readonly Item[] {
  return row[column] === '[]' ? nothing : (parsed(row, column) as readonly Item[])
}

function objectIn<Value extends object>(row: KeyRow, column: string): Value {
  return (row[column] === '{}' ? {} : parsed(row, column)) as Value
}

function valueIn<Value>(row: KeyRow, column: string): Value | null {
  return row[column] === null ? null : (parsed(row, column) as Value)
}

function parsed(row: KeyRow, column: string): unknown {
  return jsonOf(row[column] as string, 'latchkey_keys', column)
}
