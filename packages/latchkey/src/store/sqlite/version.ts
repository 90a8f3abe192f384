import type { DatabaseSync } from 'node:sqlite'
import { LatchkeyError } from '../../error.ts'

/** The first version of SQLite from which on every version is sound. */
export const soundSqlite = '3.51.3'

/** Older releases that were mended. */
const mendedSqlite: ReadonlySet<string> = new Set(['3.50.7', '3.44.6'])

/**
 * Says whether a version of SQLite cannot corrupt its log. Versions before `soundSqlite` can, when the log is reset while
 * another process writes; two older releases were mended.
 *
 * @example
 * isSoundSqlite('3.51.3') // true
 * isSoundSqlite('3.45.0') // false
 */
export function isSoundSqlite(version: string): boolean {
  if (mendedSqlite.has(version)) return true
  const found = version.split('.').map(Number)
  const least = soundSqlite.split('.').map(Number)
  const differing = least.findIndex((number, index) => number !== found[index])
  return differing === -1 || (found[differing] ?? 0) > (least[differing] ?? 0)
}

/** @throws LatchkeyError `store_unusable` for a version that can lose data. */
export function checkVersion(database: DatabaseSync): void {
  const version = String(database.prepare('SELECT sqlite_version() AS version').get()?.['version'])
  if (isSoundSqlite(version)) return
  throw new LatchkeyError(
    'store_unusable',
    `SQLite ${version} can corrupt its log. Use a Node with SQLite ${soundSqlite}.`,
  )
}
