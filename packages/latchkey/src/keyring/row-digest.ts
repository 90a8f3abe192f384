import { hash } from 'node:crypto'
import type { StoredKey, StoredOwner, StoredSecret } from '../ports.ts'

/**
 * What the journal says of the rows of a key after a change: SHA-256 over all that is kept of the key and of each of its
 * secrets, but for when they were used last and which entry changed them. Of the hash of a secret nothing can be learnt
 * from it, not of a guessed one either: the salt of the key is in the database only.
 */
export function digestOfKey(key: Omit<StoredKey, 'revision'>, secrets: readonly StoredSecret[]): string {
  const rows = secrets
    .toSorted((one, other) => (one.hash < other.hash ? -1 : 1))
    .map((one) => [one.hash, one.kind, one.start, one.createdAt, one.retiredAt, one.endsAt, one.ended, one.issuedBy])
  return digest([
    key.salt,
    key.id,
    key.name,
    key.owner,
    key.environment,
    key.scopes,
    key.metadata,
    key.start,
    key.createdAt,
    key.notBefore,
    key.expiresAt,
    key.addresses,
    key.limits,
    key.quota,
    key.delegation,
    key.disabledAt,
    key.disabledBy,
    key.revokedAt,
    key.revokedReason,
    key.revokedNote,
    rows,
  ])
}

/** The same of the row of an owner. */
export function digestOfOwner({ owner, disabledAt, limits }: StoredOwner): string {
  return digest([owner, disabledAt, limits])
}

/** The secrets of a key after a change of some. */
export function secretsAfter(
  kept: readonly StoredSecret[],
  changed: readonly StoredSecret[] = [],
): readonly StoredSecret[] {
  const hashes = new Set(changed.map((secret) => secret.hash))
  return [...kept.filter((secret) => !hashes.has(secret.hash)), ...changed]
}

function digest(columns: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(columns), 'hex')
}
