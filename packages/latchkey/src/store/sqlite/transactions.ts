import type { DatabaseSync } from 'node:sqlite'
import { currencyOf } from './schema.ts'

/** Transactions of one connection. Each runs from its first statement to its last without an await. */
export interface Transactions {
  /** @throws LatchkeyError `store_unusable` with the `cause` `newer schema` once another process has made the tables newer. */
  readonly mustBeCurrent: () => void
  /** Writes all of it, or nothing if the tables are newer, or if the work answers `undefined` or throws. */
  readonly transact: <Result>(work: () => Result | undefined) => Result | undefined
  /** Reads at one point in time: no other writer's change comes between the first statement and the last. */
  readonly atOneMoment: <Result>(read: () => Result) => Result
}

/** An await within a transaction would put the statements of other callers into it: it is the connection's. */
export function transactionsOf(database: DatabaseSync): Transactions {
  const mustBeCurrent = currencyOf(database)
  return {
    mustBeCurrent,
    transact(work) {
      // IMMEDIATE: a transaction that begins as a reader and then writes fails at once if another process wrote meanwhile.
      database.exec('BEGIN IMMEDIATE')
      try {
        mustBeCurrent()
        const result = work()
        database.exec(result === undefined ? 'ROLLBACK' : 'COMMIT')
        return result
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    atOneMoment(read) {
      database.exec('BEGIN')
      try {
        return read()
      } finally {
        if (database.isTransaction) database.exec('COMMIT')
      }
    },
  }
}
