import { hash } from 'node:crypto'
import type { StoredKey, StoredOwner, StoredSecret } from '../ports.ts'

/**
 * What the journal says of the rows of a key after a change: SHA-256 over all that is kept of the key and of each of its
 * secrets, except when they were used last and which entry changed them. It shows nothing of the hash of a secret, not
 * even to somebody who guesses it: the salt of the key is in the database only.
 */
export function digestOfKey(key: Omit<StoredKey, 'revision'>, secrets: readonly StoredSecret[]): string {
  const inOrder = secrets.toSorted((one, other) => (one.hash < other.hash ? -1 : 1))
  return digest([contents<StoredKey>(key, 'revision'), ...inOrder.map((secret) => contents(secret, 'lastUsedAt'))])
}

/** The same of the row of an owner. */
export function digestOfOwner(owner: StoredOwner): string {
  return digest([contents(owner, 'revision')])
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
 * The members of a row in the order of their names, except one that is written without an entry. Without those that are
 * `null`: a member that is added later changes no digest of a row that has none of it.
 */
function contents<Row extends object>(row: Partial<Row>, except: keyof Row): readonly unknown[] {
  const members = Object.entries(row).filter(([name, value]) => name !== except && value !== null)
  return members.toSorted(([one], [other]) => (one < other ? -1 : 1))
}

function digest(rows: readonly unknown[]): string {
  return hash('sha256', JSON.stringify(rows), 'hex')
}
