import { hash } from 'node:crypto'
import type { StoredKey, StoredOwner, StoredSecret } from '../ports.ts'

// Which members go into a digest: all but those that are written without an entry. One that is missing does not compile.
const ofKey = namesOf<Omit<StoredKey, 'revision'>>({
  salt: true,
  id: true,
  name: true,
  owner: true,
  environment: true,
  scopes: true,
  metadata: true,
  start: true,
  createdAt: true,
  notBefore: true,
  expiresAt: true,
  addresses: true,
  limits: true,
  quota: true,
  delegation: true,
  disabledAt: true,
  disabledBy: true,
  revokedAt: true,
  revokedReason: true,
  revokedNote: true,
})
const ofSecret = namesOf<Omit<StoredSecret, 'lastUsedAt'>>({
  hash: true,
  kind: true,
  start: true,
  createdAt: true,
  retiredAt: true,
  endsAt: true,
  ended: true,
  issuedBy: true,
})
const ofOwner = namesOf<Omit<StoredOwner, 'revision'>>({ owner: true, disabledAt: true, limits: true })

/**
 * What the journal says of the rows of a key after a change: SHA-256 over all that is kept of the key and of each of its
 * secrets, but for when they were used last and which entry changed them. Of the hash of a secret nothing can be learnt
 * from it, not of a guessed one either: the salt of the key is in the database only.
 */
export function digestOfKey(key: Omit<StoredKey, 'revision'>, secrets: readonly StoredSecret[]): string {
  const inOrder = secrets.toSorted((one, other) => (one.hash < other.hash ? -1 : 1))
  return digest([stated(key, ofKey), ...inOrder.map((secret) => stated(secret, ofSecret))])
}

/** The same of the row of an owner. */
export function digestOfOwner(owner: StoredOwner): string {
  return digest([stated(owner, ofOwner)])
}

/** The secrets of a key after a change of some. */
export function secretsAfter(
  kept: readonly StoredSecret[],
  changed: readonly StoredSecret[] = [],
): readonly StoredSecret[] {
  const hashes = new Set(changed.map((secret) => secret.hash))
  return [...kept.filter((secret) => !hashes.has(secret.hash)), ...changed]
}

/** Members by name, without those that are `null`: a member that comes later changes no digest of what has none of it. */
function stated<Row>(row: Row, names: readonly (keyof Row)[]): readonly unknown[] {
  return names.filter((name) => row[name] !== null).map((name) => [name, row[name]])
}

function namesOf<Row>(names: Readonly<Record<keyof Row, true>>): readonly (keyof Row)[] {
  return Object.keys(names) as (keyof Row)[]
}

function digest(rows: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(rows), 'hex')
}
