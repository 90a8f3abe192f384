import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JournalEntry, Store } from '../../ports.ts'
import { commitWork } from '../commit.ts'
import type { Writers } from '../writers.ts'
import { openToChangeBeside } from './beside.ts'
import { readHeadOf } from './looks.ts'
import { currencyOf } from './schema.ts'
import { statementsOf } from './statements.ts'
import { inPieces } from './working.ts'

/**
 * Commits very many changes in one transaction, and the event loop turns between two pieces of it. It has a connection
 * of its own: what it has not committed yet is seen by nobody, and whoever writes meanwhile waits as for another process.
 *
 * @param writing - the queue in which the transaction waits for its beginning.
 */
export async function commitInPieces(
  file: string,
  writing: Writers,
  commit: Parameters<Store['commit']>,
): Promise<readonly JournalEntry[] | undefined> {
  const database = openToChangeBeside(file)
  try {
    const statements = statementsOf(database, file)
    await writing(() => database.exec('BEGIN IMMEDIATE'))
    currencyOf(database)()
    const pieces = inPieces(statements, commitWork(commit, readHeadOf(statements)()))
    for (;;) {
      const { done, value } = pieces.next()
      // The commit has a turn of its own.
      await nextTurn()
      if (done === true) {
        database.exec(value === undefined ? 'ROLLBACK' : 'COMMIT')
        return value
      }
    }
  } finally {
    // What is not committed is undone.
    database.close()
  }
}
