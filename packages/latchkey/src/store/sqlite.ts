/**
 * @module A store in an SQLite file or in memory, on `node:sqlite`. Several processes on one machine may share a file.
 */

import { statSync } from 'node:fs'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { invalid, membersOf, objectOf } from '../options.ts'
import type { Awaitable, Store } from '../ports.ts'
import { closingOf } from './closing.ts'
import type { LookupName } from './lookups.ts'
import { lookups } from './lookups.ts'
import type { ReadName } from './reads.ts'
import type { Work } from './work.ts'
import { copyTo } from './sqlite/backup.ts'
import { checkpointsOf, isScrubbed } from './sqlite/checkpoints.ts'
import { openDatabase } from './sqlite/database.ts'
import { mustBeWritable } from './sqlite/file.ts'
import { secretLookupOf } from './sqlite/secret-lookup.ts'
import { looksOf } from './sqlite/looks.ts'
import { hasReader, readerOf } from './sqlite/reader.ts'
import { readingOf } from './sqlite/reading.ts'
import type { MigrationStep } from './sqlite/schema.ts'
import { statementsOf } from './sqlite/statements.ts'
import { transactionsOf } from './sqlite/transactions.ts'
import { workingOf } from './sqlite/working.ts'
import { writesOf } from './sqlite/writes.ts'

export type { BackupOptions } from './sqlite/backup.ts'
export { backupSqlite } from './sqlite/backup.ts'
export { isInUse } from './sqlite/database.ts'
export type { MigrationStep } from './sqlite/schema.ts'
export { isSoundSqlite, soundSqlite } from './sqlite/version.ts'

/**
 * Milliseconds that a look at the journal is good for. `PRAGMA data_version` costs some 2 µs: too much for every
 * request, nothing every 5 ms.
 */
const lease = 5

/** The place of a store on SQLite, and the mode in which it is opened. */
export interface SqliteStoreOptions {
  /** The database file, or `:memory:`; of these, all but the first of a process can grow to 1 GiB. */
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
  /**
   * Called before each step that brings older tables up to date. With a million keys all of them take minutes, in which the
   * process does nothing else: what it says must be written at once.
   */
  readonly onMigration?: (step: MigrationStep) => void
  /**
   * When a call that spent from a quota is answered; `second` if left out.
   *
   * - `second`: at once. What was spent is on the disk within a second, so a loss of power can give a key back what it
   *   spent in the last second. A process that is killed gives back nothing.
   * - `full`: once it is on the disk, some milliseconds later. Nothing is given back.
   */
  readonly quotaDurability?: 'second' | 'full'
  /**
   * Whether what may read many rows is read in a thread of its own; `true` if left out, so that nothing else in the process
   * waits for it. A program that does one thing after the other needs none: to start it takes longer than most such reads.
   */
  readonly readerThread?: boolean
}

/** Bytes of a file that is written anew with every erasure: about a second, in which nobody else can write. */
const mostRewritten = 64 * 1024 * 1024

/** Milliseconds between two calls of `progress`. */
const tellingEvery = 250

const modes: readonly string[] = ['migrate', 'create', 'write', 'read']

const durabilities: readonly string[] = ['second', 'full']

const sqliteStoreOptions = membersOf<SqliteStoreOptions>({
  file: true,
  mode: true,
  onShared: true,
  onMigration: true,
  quotaDurability: true,
  readerThread: true,
})

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
  /**
   * Writes the file anew, however large it is, so that nothing of what was erased or purged is left in it, and it becomes as
   * small as it can be. Meanwhile everybody can read and nobody can write: about a second for 64 MiB. It needs twice as much
   * free space as the file has.
   *
   * @param progress - called some times a second with the bytes that were written back, of all bytes.
   * @returns `false` if somebody reads a state of before, and so keeps it in the log: call it again later.
   * @throws Error what SQLite says, for instance when the disk is full; then nothing was changed.
   *
   * @example
   * const store = sqliteStore({ file: 'data/latchkey.db', mode: 'create' })
   * console.log(await store.rewrite()) // true
   */
  rewrite(progress?: (written: number, total: number) => void): Promise<boolean>
}

/**
 * Opens a store in an SQLite file. Several processes on one machine may open the same file (not over a network file system);
 * each sees the changes of the others at once.
 *
 * @throws LatchkeyError `store_unusable` when the file cannot be opened, is not a database, has tables of another version
 *   than the mode allows, or when SQLite itself is a version that can lose data. Its `cause` is `newer schema` or
 *   `older schema` if it is that. While the store is open, every method fails with it once the file was deleted or
 *   replaced, and everything but a read once something could not be brought to the disk, or once a newer
 *   version has brought the tables up to date; then no key is accepted either.
 *
 * @example const keyring = await openKeyring({ store: sqliteStore({ file: 'data/latchkey.db' }), scopes })
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  objectOf('The options of sqliteStore', options, sqliteStoreOptions)
  const { file, mode = 'migrate', onShared, onMigration, quotaDurability = 'second', readerThread = true } = options
  if (!modes.includes(mode)) throw invalid('mode', `one of ${modes.join(', ')}`)
  if (onShared !== undefined && typeof onShared !== 'function') throw invalid('onShared', 'a function')
  if (onMigration !== undefined && typeof onMigration !== 'function') throw invalid('onMigration', 'a function')
  if (!durabilities.includes(quotaDurability)) throw invalid('quotaDurability', `one of ${durabilities.join(', ')}`)
  if (typeof readerThread !== 'boolean') throw invalid('readerThread', 'true or false')
  const opened = openDatabase(file, mode, onMigration)
  const { database, mustBeThere, still, migrated } = opened
  const statements = statementsOf(database, file)
  const transactions = transactionsOf(database)
  const looks = looksOf({ database, statements, transactions, onShared })
  // A database in memory is that of its connection alone.
  const reader = file === ':memory:' || !hasReader ? undefined : readerOf({ file, still })
  const reading = readingOf(statements, transactions)
  const perform = workingOf(statements)
  const bySecret = secretLookupOf(database, statements)
  const checkpoints = checkpointsOf(database, mode === 'read' ? undefined : reader)
  const spendsDurably = quotaDurability === 'full'
  const { synced, mustSync, finish, ...writes } = writesOf({
    opened,
    file,
    mode,
    spendsDurably,
    statements,
    transactions,
    looks,
    checkpoints,
  })
  const closing = closingOf(writes, `the database ${file}`)

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

  function lookup<Name extends LookupName>(name: Name): Store[Name] {
    const found = lookups[name] as (...args: unknown[]) => Work<unknown>
    return asItIs((...args: unknown[]) => perform(found(...args))) as Store[Name]
  }

  /** A read that may take long: in the thread of the reader, if there is one and it is to. */
  function longRead<Name extends ReadName>(name: Name): Store[Name] {
    const here = asItIs((...args: unknown[]) => reading(name, args))
    if (reader === undefined) return here as Store[Name]
    if (!readerThread) {
      // Signals and timers have their turn between two reads.
      const inTurn = async (...args: unknown[]): Promise<unknown> => {
        await nextTurn()
        closing.mustBeOpen()
        return here(...args)
      }
      return inTurn as unknown as Store[Name]
    }
    const inThread = async (...args: Parameters<Store[Name]>): Promise<unknown> => {
      closing.mustBeOpen()
      try {
        return await reader.read(name, args)
      } finally {
        // Of a file that is no longer there, this says more than what the thread has met.
        mustBeThere()
      }
    }
    return inThread as unknown as Store[Name]
  }

  async function scrub(most: number): Promise<boolean> {
    closing.mustBeOpen()
    if (file === ':memory:') return true
    if (reader !== undefined) {
      // Otherwise it would look like the writing of another process.
      looks.committed([], 'beside')
      return (await reader.scrub(most)) as boolean
    }
    // The pages may have copies, and to write them anew holds up everything else: only if that is asked for.
    if (most === Number.POSITIVE_INFINITY) database.exec('VACUUM')
    return isScrubbed(database) && most === Number.POSITIVE_INFINITY
  }

  function close(): Awaitable<void> {
    const shut = (): void => {
      if (database.isOpen) database.close()
    }
    const written = closing.close()
    const onDisk = written === undefined ? finish() : Promise.resolve(written).then(finish)
    const ends = [onDisk, reader?.close()].filter((end) => end !== undefined)
    return ends.length === 0 ? shut() : Promise.all(ends).then(shut)
  }

  return {
    lease,
    migrated,

    bySecret: still ? asItIs(bySecret) : bySecret,
    byId: lookup('byId'),
    owner: lookup('owner'),
    declared: lookup('declared'),
    cursorKey: lookup('cursorKey'),
    isErased: lookup('isErased'),
    isErasedUse: lookup('isErasedUse'),
    purgeable: lookup('purgeable'),
    withoutSnapshot: (limit) => (mode === 'read' ? [] : perform(lookups.withoutSnapshot(limit))),

    list: longRead('list'),
    owners: longRead('owners'),
    counts: longRead('counts'),
    journal: longRead('journal'),
    entries: longRead('entries'),
    auditFiling: longRead('auditFiling'),
    auditKeys: longRead('auditKeys'),
    auditOwners: longRead('auditOwners'),
    auditMissing: longRead('auditMissing'),
    newestRevision: longRead('newestRevision'),
    entriesNaming: longRead('entriesNaming'),
    usage: longRead('usage'),
    usageSums: longRead('usageSums'),
    refusals: longRead('refusals'),
    grants: longRead('grants'),
    countPurgeable: longRead('countPurgeable'),

    ...closing.writes,

    // Nobody is told when it has applied a change: leases are short, and a change waits until they have run out.
    follow: () => ({
      changesSince(after) {
        mustBeThere()
        return looks.changesSince(after)
      },
      applied() {},
      close() {},
    }),

    async idempotentResult(once) {
      const found = await lookup('idempotentResult')(once)
      // It is answered as done.
      if (found !== undefined) await synced()
      return found
    },

    async settled() {
      const began = performance.now()
      // One more than the lease: timers may fire up to a millisecond early by the clock that leases are measured with.
      // And what another caller has committed a moment ago must be on the disk before this one says that it is so.
      await Promise.all([sleep(lease + 1), synced()])
      const waitedMs = performance.now() - began
      return { instances: null, confirmed: 0, lapsed: 0, lapsedInstances: [], waitedMs }
    },

    scrub: async () => scrub(mostRewritten),

    async rewrite(progress) {
      const { size } = statSync(file)
      const tell = (): void => progress?.(statSync(opened.log ?? file, { throwIfNoEntry: false })?.size ?? 0, size)
      tell()
      const ticks = setInterval(tell, tellingEvery)
      try {
        return await scrub(Number.POSITIVE_INFINITY)
      } finally {
        clearInterval(ticks)
      }
    },

    ready() {
      mustSync()
      mustBeThere()
      transactions.mustBeCurrent()
      looks.readHead()
      if (file !== ':memory:' && mode !== 'read') mustBeWritable(file)
    },

    async backup(copy, progress) {
      await copyTo({ database, mustBeThere }, copy, progress)
    },

    close,
  }
}
