// Rows as engines give them, and what they stand for.

import type { AuditedKey, RevocationReason, SecretKind, StoredKey, StoredOwner, StoredSecret } from '../ports.ts'

/** The columns of a key. */
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
  readonly addresses: string | null
  readonly limits: string
  readonly quota: string | null
  readonly delegation: string | null
  readonly disabled_at: number | null
  readonly disabled_by: string | null
  readonly salt: string
}

/** The columns of a secret, beside others. */
export interface SecretRow {
  readonly hash: string
  readonly kind: string
  readonly secret_start: string
  readonly secret_created_at: number
  readonly retired_at: number | null
  readonly ends_at: number | null
  readonly ended: number
  readonly last_used_at: number | null
  readonly issued_by: string | null
}

/** The columns of an owner, beside a key's; all `null` where nothing but its name is kept. */
export interface OwnerRow {
  readonly owner: string
  readonly owner_disabled_at: number | null
  readonly owner_limits: string | null
  readonly owner_revision: number | null
}

/** The last journal entry on something, beside its columns; all `null` where there is none. */
export interface LastRow {
  readonly last_seq: number | null
  readonly last_change: string | null
}

/** The last entry in a row, if there is one. */
export function lastOfRow({ last_seq: seq, last_change: change }: LastRow): AuditedKey['last'] {
  return seq === null || change === null ? undefined : { seq, change }
}

/** The key in a row. */
export function keyOfRow(row: KeyRow): StoredKey {
  return {
    id: row.id,
    name: row.name,
    owner: row.owner,
    environment: row.environment,
    scopes: listIn(row.scopes),
    metadata: row.metadata === '{}' ? {} : (JSON.parse(row.metadata) as Record<string, string>),
    start: row.start,
    createdAt: row.created_at,
    salt: row.salt,
    notBefore: row.not_before,
    expiresAt: row.expires_at,
    addresses: valueIn(row.addresses),
    limits: listIn(row.limits),
    quota: valueIn(row.quota),
    delegation: valueIn(row.delegation),
    disabledAt: row.disabled_at,
    disabledBy: row.disabled_by,
    revokedAt: row.revoked_at,
    revokedReason: row.revoked_reason as RevocationReason | null,
    revokedNote: row.revoked_note,
    revision: row.revision,
  }
}

/** The secret in a row. */
export function secretOfRow(row: SecretRow): StoredSecret {
  return {
    hash: row.hash,
    kind: row.kind as SecretKind,
    start: row.secret_start,
    createdAt: row.secret_created_at,
    retiredAt: row.retired_at,
    endsAt: row.ends_at,
    ended: row.ended !== 0,
    lastUsedAt: row.last_used_at,
    issuedBy: row.issued_by,
  }
}

/** The owner in a row, if more than its name is kept. */
export function ownerOfRow(row: OwnerRow): StoredOwner | undefined {
  if (row.owner_revision === null) return undefined
  return {
    owner: row.owner,
    disabledAt: row.owner_disabled_at,
    limits: listIn(row.owner_limits ?? '[]'),
    revision: row.owner_revision,
  }
}

// Most lists are empty, and looking is cheaper than parsing: this is on the way of every cold verify.
const nothing: readonly never[] = Object.freeze([])

function listIn<Item>(json: string): readonly Item[] {
  return json === '[]' ? nothing : (JSON.parse(json) as readonly Item[])
}

function valueIn<Value>(json: string | null): Value | null {
  return json === null ? null : (JSON.parse(json) as Value)
}
