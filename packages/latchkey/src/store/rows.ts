// Rows as engines give them, and the records that they stand for.

import { jsonOf } from './foreign-value.ts'
import type {
  Action,
  AuditedKey,
  Declared,
  EntryListItem,
  JournalEntry,
  NamedKey,
  SecretKind,
  StoredOwner,
  StoredRefusal,
  StoredSecret,
} from '../ports.ts'

/** The columns of a secret, beside others. */
export interface SecretRow {
  readonly hash: string
  readonly kind: string
  readonly text_before: string | null
  readonly secret_start: string
  readonly secret_created_at: number
  readonly retired_at: number | null
  readonly ends_at: number | null
  readonly ended: number
  readonly last_used_at: number | null
  readonly issued_by: string | null
  /** The last use of its key, where that is its own too. */
  readonly only_used_at?: number | null
}

/** The columns of an owner, beside a key's; all `null` where nothing but its name is kept. */
export interface OwnerRow {
  readonly owner: string
  readonly owner_disabled_at: number | null
  readonly owner_limits: string | null
  readonly owner_revision: number | null
}

/** The last journal entry on a subject, beside its columns; all `null` if it has no entry. */
export interface LastRow {
  readonly last_seq: number | null
  readonly last_action: string | null
  readonly last_change: string | null
}

/** The last entry in a row, if there is one. */
export function lastOfRow({ last_seq: seq, last_action: action, last_change: change }: LastRow): AuditedKey['last'] {
  return seq === null || action === null || change === null ? undefined : { seq, action: action as Action, change }
}

/** An entry on a page, and the columns of the keys that it names; all `null` where there is none. */
export interface EntryRow extends Omit<JournalEntry, 'emptiedBy'> {
  readonly emptiedBy: number | null
  readonly subject_name: string | null
  readonly subject_owner: string | null
  readonly subject_environment: string | null
  readonly actor_name: string | null
  readonly actor_owner: string | null
  readonly actor_environment: string | null
}

/** The keys that an entry names. */
export function namedKeysOfRow(row: EntryRow): Pick<EntryListItem, 'subjectKey' | 'actorKey'> {
  return {
    subjectKey: namedKey(row.subject_name, row.subject_owner, row.subject_environment),
    actorKey: namedKey(row.actor_name, row.actor_owner, row.actor_environment),
  }
}

function namedKey(name: string | null, owner: string | null, environment: string | null): NamedKey | undefined {
  return name === null || owner === null || environment === null ? undefined : { name, owner, environment }
}

/** The columns of the declarations. */
export interface DeclaredRow {
  readonly scopes: string
  readonly prefix: string
  readonly environments: string
}

/** The declarations in a row. */
export function declaredOfRow({ scopes, prefix, environments }: DeclaredRow): Declared {
  return {
    scopes: jsonOf(scopes, 'latchkey_declared', 'scopes') as Declared['scopes'],
    prefix,
    environments: jsonOf(environments, 'latchkey_declared', 'environments') as Declared['environments'],
  }
}

/** The secret in a row. */
export function secretOfRow(row: SecretRow): StoredSecret {
  return {
    hash: row.hash,
    kind: row.kind as SecretKind,
    before: row.text_before,
    start: row.secret_start,
    createdAt: row.secret_created_at,
    retiredAt: row.retired_at,
    endsAt: row.ends_at,
    ended: row.ended !== 0,
    lastUsedAt: row.only_used_at ?? row.last_used_at,
    issuedBy: row.issued_by,
  }
}

/** The owner in a row, if more than its name is kept. */
export function ownerOfRow(row: OwnerRow): StoredOwner | undefined {
  if (row.owner_revision === null) return undefined
  return {
    owner: row.owner,
    disabledAt: row.owner_disabled_at,
    limits: jsonOf(row.owner_limits ?? '[]', 'latchkey_owners', 'limits') as StoredOwner['limits'],
    revision: row.owner_revision,
  }
}

/** The columns of a refusal. */
export interface RefusalRow {
  readonly place: number
  readonly at: number
  readonly request_id: string
  readonly instance: string
  readonly address: string | null
  readonly route: string | null
  readonly requirement: string | null
  readonly code: string
  readonly key_id: string
  readonly owner: string
  readonly environment: string
  readonly missing: string | null
  readonly exceeded: string | null
  readonly count: number
}

/** The refusal in a row. */
export function refusalOfRow(row: RefusalRow): StoredRefusal {
  const { request_id: requestId, key_id: key, requirement, missing, exceeded, ...same } = row
  const read = (column: string, text: string | null): unknown =>
    text === null ? null : jsonOf(text, 'latchkey_refusals', column)
  return {
    ...same,
    requestId,
    key,
    requirement: read('requirement', requirement) as StoredRefusal['requirement'],
    missing: read('missing', missing) as StoredRefusal['missing'],
    limit: read('exceeded', exceeded) as StoredRefusal['limit'],
  }
}
