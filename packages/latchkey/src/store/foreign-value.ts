import { LatchkeyError } from '../error.ts'

/** The advice of the error. Such a value was written by foreign SQL, and nothing in the database is certain then. */
const remedy = 'Latchkey never writes that: keep the database as it is, find out who did, and restore a backup.'

/**
 * A value that Latchkey does not write, in a place where it keeps its own.
 *
 * @param place - the table and the column, as `latchkey_journal.seq`.
 * @param what - as `a text that is not JSON`.
 */
export function foreignValue(place: string, what: string, cause?: unknown): LatchkeyError {
  return new LatchkeyError('store_unusable', `The database holds ${what} in ${place}. ${remedy}`, { cause })
}

/** @throws LatchkeyError `store_unusable` where a column of a table holds a text that is not JSON. */
export function jsonOf(text: string, table: string, column: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw foreignValue(`${table}.${column}`, 'a text that is not JSON', cause)
  }
}
