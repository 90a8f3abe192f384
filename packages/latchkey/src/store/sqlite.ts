/**
 * @module A store in an SQLite file or in memory, on `node:sqlite`. Several processes on one machine may share a file.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { LatchkeyError } from '../error.ts'
import { invalid, membersOf, objectOf } from '../options.ts'
import type { Store } from '../ports.ts'
import * as sql from './sql.ts'
import { copyTo } from './sqlite/backup.ts'
import { commitOf } from './sqlite/commit.ts'
import { isBusy, openDatabase } from './sqlite/database.ts'
import { mustBeWritable } from './sqlite/file.ts'
import { lookupsOf } from './sqlite/lookups.ts'
import { looksOf } from './sqlite/looks.ts'
import { readsOf } from './sqlite/reads.ts'
import { spendOf } from './sqlite/spending.ts'
import { statementsOf } from './sqlite/statements.ts'
import { transactionsOf } from './sqlite/transactions.ts'
import { writersOf } from './writers.ts'

export type { BackupOptions } from './sqlite/backup.ts'
export { backupSqlite } from './sqlite/backup.ts'
export { isInUse } from './sqlite/database.ts'
export { isSoundSqlite, soundSqlite } from './sqlite/version.ts'

/**
 * Milliseconds that a look at the journal is good for. `PRAGMA data_version` costs some 2 µs: too much for every
 * request, nothing every 5 ms.
 */
const lease = 5

/** How long a write waits for another process's transaction, in milliseconds, before it fails. */
const longestWait = 5000

/**
 * The same for a call that spends, which is waited for: it must fail while its caller still waits for the answer, and
 * not take from the quota afterwards.
 */
const longestSpending = 1000

/** Milliseconds between two tries. */
const pause = 10

/** The place of a store on SQLite, and the mode in which it is opened. */
export interface SqliteStoreOptions {
  /** The database file, or `:memory:`. */
  readonly file: string
  /**
   * The mode in which the file is opened; `migrate` if left out.
   *
   * - `migrate`: a file that does not exist is made, readable by its owner only; older tables are brought up to date.
   * - `create`: a file that does not exist is made; older tables are `store_unusable`. The declarations stay.
   * - `write`: the file must exist, with tables of this version. The declarations stay.
   * - `read`: the same, and nothing is changed, not even the mode of the file: every change fails, and usage is not
   *   written. While another process has the file open to write, its changes are seen. Otherwise the file is read as it
   *   stood, and every answer fails once it has changed.
   */
  readonly mode?: 'migrate' | 'create' | 'write' | 'read'
  /**
   * Called once when another process is seen to accept calls on the same file: what it writes of them is no change of a
   * key. Limits in memory are counted by each process for itself.
   */
  readonly onShared?: () => void
}

const modes: readonly string[] = ['migrate', 'create', 'write', 'read']

const sqliteStoreOptions = membersOf<SqliteStoreOptions>({ file: true, mode: true, onShared: true })

/** A store in an SQLite file. */
export interface SqliteStore extends Store {
  /** How many steps brought the tables up to date when it was opened. */
  readonly migrated: number
  /**
   * Copies the database, as it is at one point in time, into a new file, readable by its owner only. Verifying and
   * changing go on meanwhile.
   *
   * @param progress - called between steps with how many pages are left of how many.
   * @throws Error what the file system says, `EEXIST` when the file is there already.
   *
   * @example
   * const store = sqliteStore({ file: ':memory:' })
   * await store.backup('backup.db', (left, total) => console.log(`${total - left} of ${total} pages`))
   */
  backup(file: string, progress?: (left: number, total: number) => void): Promise<void>
}

/**
 * Opens a store in an SQLite file. Several processes on one machine may open the same file (not over a network file system);
 * each sees the changes of the others at once.
 *
 * @throws LatchkeyError `store_unusable` when the file cannot be opened, is not a database, has tables of another version
 *   than the mode allows, or when SQLite itself is a version that can lose data. Its `cause` is `newer schema` or
 *   `older schema` if it is that. While the store is open, every method fails with it once the file was deleted or
 *   replaced.
 *
 * @example const keyring = await openKeyring({ store: sqliteStore({ file: 'data/latchkey.db' }), scopes })
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  objectOf('The options of sqliteStore', options, sqliteStoreOptions)
  const { file, mode = 'migrate', onShared } = options
  if (!modes.includes(mode)) throw invalid('mode', `one of ${modes.join(', ')}`)
  if (onShared !== undefined && typeof onShared !== 'function') throw invalid('onShared', 'a function')
  const { database, mustBeThere, still, migrated } = openDatabase(file, mode)
  const statements = statementsOf(database, file)
  const { row, run } = statements
  const transactions = transactionsOf(database)
  const looks = looksOf({ database, statements, transactions, onShared })
  const lookups = lookupsOf(database, statements)
  const reads = readsOf({ statements, transactions })
  const commit = commitOf({ statements, readHead: looks.readHead })
  const spend = spendOf(statements)
  const writing = writersOf({ isBusy, patience: longestWait, pause })

  /**
   * Reads, and checks that the file is still the one that other processes open. A verification does not need this: a
   * look has just checked it.
   */
  function asItIs<Args extends unknown[], Result>(read: (...args: Args) => Result): (...args: Args) => Result {
    return (...args) => {
      const result = read(...args)
      mustBeThere()
      return result
    }
  }

  /** A write is acknowledged only if it is in the file that the next process will open. */
  function kept<Result>(work: () => Result): Result {
    mustBeThere()
    const result = work()
    mustBeThere()
    return result
  }

  function mustBeOpenToWrite(): void {
    if (mode !== 'read') return
    const message = `The database ${file} was opened only to read it, so that nothing in it can be changed. Open it with the mode write.`
    throw new LatchkeyError('store_unusable', message)
  }

  return {
    lease,
    migrated,

    bySecret: still ? asItIs(lookups.bySecret) : lookups.bySecret,
    byId: asItIs(lookups.byId),
    owner: asItIs(lookups.owner),
    idempotentResult: asItIs(lookups.idempotentResult),
    declared: asItIs(lookups.declared),
    withoutSnapshot: (limit) => (mode === 'read' ? [] : lookups.withoutSnapshot(limit)),

    list: asItIs(reads.list),
    journal: asItIs(reads.journal),
    auditKeys: asItIs(reads.auditKeys),
    auditOwners: asItIs(reads.auditOwners),
    auditMissing: asItIs(reads.auditMissing),
    newestRevision: asItIs(reads.newestRevision),
    usage: asItIs(reads.usage),
    grants: asItIs(reads.grants),

    changesSince(after) {
      mustBeThere()
      return looks.changesSince(after)
    },

    async commit(...change) {
      mustBeOpenToWrite()
      return writing(() => {
        const entries = kept(() => transactions.transact(() => commit(...change)))
        looks.committed(entries ?? [])
        return entries
      })
    },

    async settled() {
      // One more than the lease: timers may fire up to a millisecond early by the clock that leases are measured with.
      await sleep(lease + 1)
    },

    spend(id, spending) {
      mustBeOpenToWrite()
      return writing(() => kept(() => spend(id, spending)), longestSpending)
    },

    noteFirstUse(hash, at) {
      if (mode === 'read') return true
      try {
        kept(() => run(sql.noteFirstUse, [hash, at]))
        return true
      } catch (error) {
        if (isBusy(error)) return false
        throw error
      }
    },

    async recordUsage({ counts, lastUsed }) {
      // A store that may not write cannot keep counts: they must not wait for a next time that never comes.
      if (mode === 'read') return
      await writing(() =>
        kept(() =>
          transactions.transact(() => {
            for (const { hour, key, owner, outcome, count } of counts)
              run(sql.addUsage, [hour, key, owner, outcome, count])
            for (const [hash, at] of lastUsed) run(sql.moveLastUsed, [hash, at])
            return true
          }),
        ),
      )
    },

    async declare({ scopes, prefix, environments }) {
      if (mode === 'write' || mode === 'read') return
      // A process that only creates a missing database must not overwrite the declarations of the application that made
      // it.
      if (mode === 'create' && row(sql.declared) !== undefined) return
      const values = [JSON.stringify(scopes), prefix, JSON.stringify(environments)]
      await writing(() => kept(() => run(sql.declare, values)))
    },

    ready() {
      mustBeThere()
      looks.readHead()
      if (file !== ':memory:' && mode !== 'read') mustBeWritable(file)
    },

    async backup(copy, progress) {
      await copyTo({ database, mustBeThere }, copy, progress)
    },

    close() {
      if (database.isOpen) database.close()
    },
  }
}
