import { hash } from 'node:crypto'
import type { StoredKey, StoredOwner, StoredSecret } from '../ports.ts'

// The members in the order in which they go into a digest. It never changes, or the rows of a database that exists would
// differ from its journal. A member that was added later has no place here: it follows, in the order of names.
const ofKey: readonly (keyof StoredKey)[] = [
  'salt',
  'id',
  'name',
  'owner',
  'environment',
  'scopes',
  'metadata',
  'start',
  'createdAt',
  'notBefore',
  'expiresAt',
  'addresses',
  'limits',
  'quota',
  'delegation',
  'disabledAt',
  'disabledBy',
  'revokedAt',
  'revokedReason',
  'revokedNote',
]
const ofSecret: readonly (keyof StoredSecret)[] = [
  'hash',
  'kind',
  'start',
  'createdAt',
  'retiredAt',
  'endsAt',
  'ended',
  'issuedBy',
]
const ofOwner: readonly (keyof StoredOwner)[] = ['owner', 'disabledAt', 'limits']

/**
 * The digest that the journal notes for the rows of a key after a change: SHA-256 over all that is kept of the key and
 * of each of its secrets, except when they were used last and which entry changed them. It reveals nothing about the
 * hash of a secret, and does not confirm a guess of it: the salt of the key is in the database only.
 */
export function digestOfKey(key: Omit<StoredKey, 'revision'>, secrets: readonly StoredSecret[]): string {
  const inOrder = secrets.toSorted((one, other) => (one.hash < other.hash ? -1 : 1))
  const rows = inOrder.map((secret) => contents(secret, { first: ofSecret, except: 'lastUsedAt' }))
  return digest([contents<StoredKey>(key, { first: ofKey, except: 'revision' }), ...rows])
}

/** The same of the row of an owner. */
export function digestOfOwner(owner: StoredOwner): string {
  return digest([contents(owner, { first: ofOwner, except: 'revision' })])
}

/** The secrets of a key after a change of some. */
export function secretsAfter(
  kept: readonly StoredSecret[],
  changed: readonly StoredSecret[] = [],
): readonly StoredSecret[] {
  const hashes = new Set(changed.map((secret) => secret.hash))
  return [...kept.filter((secret) => !hashes.has(secret.hash)), ...changed]
}

/**
 * The members of a row: first some in their order, then all others in the order of names, except one that is written
 * without an entry. Without those that are `null`: a member that is added later changes no digest of a row that has none
 * of it.
 */
function contents<Row extends object>(
  row: Partial<Row>,
  { first, except }: { readonly first: readonly (keyof Row & string)[]; readonly except: keyof Row },
): readonly unknown[] {
  const others = Object.keys(row).filter((name) => name !== except && !first.some((one) => one === name))
  return [...first, ...(others.toSorted() as (keyof Row & string)[])]
    .filter((name) => row[name] !== null)
    .map((name) => [name, row[name]])
}

function digest(rows: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(rows), 'hex')
}
