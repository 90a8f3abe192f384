import { chmodSync, closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { StatementSync } from 'node:sqlite'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { LatchkeyError } from '../error.ts'
import type { JournalEntry, JournalHead, Look, Store } from '../ports.ts'
import { migrations } from './migrations.ts'
import type { SqlValue } from './sql.ts'
import * as sql from './sql.ts'

/**
 * Milliseconds that a look at the journal is good for. `PRAGMA data_version` costs some 2 µs: too much for every
 * request, nothing every 5 ms.
 */
const lease = 5

/** How many keys a look names before it says `many`. */
const namedChanges = 1000

/** How long a change waits for another process's transaction, in milliseconds, before it fails. */
const longestWait = 5000

/** How long SQLite itself waits for a lock, in milliseconds. While it does, nothing else happens in this process. */
const patience = 10

/** Where a store on SQLite is. */
export interface SqliteStoreOptions {
  /** The database file, made if it does not exist, readable by its owner only; or `:memory:`. */
  readonly file: string
}

/**
 * A store in an SQLite file. Several processes may open the same file on one machine (not over a network file system);
 * each sees the changes of the others at once.
 *
 * @throws LatchkeyError `store_unusable` when the file cannot be opened, is not a database, was written by a newer
 *   version, or SQLite itself is one that can lose data.
 *
 * @example const keyring = await openKeyring({ store: sqliteStore({ file: 'data/latchkey.db' }), scopes })
 */
export function sqliteStore({ file }: SqliteStoreOptions): Store {
  const database = open(file)
  const statements = new Map<string, StatementSync>()

  function prepared(text: string): StatementSync {
    let statement = statements.get(text)
    if (statement === undefined) {
      statement = database.prepare(text)
      statements.set(text, statement)
    }
    return statement
  }

  function rows<Row>(text: string, values: readonly SqlValue[] = []): readonly Row[] {
    return prepared(text).all(bound(values)) as unknown as readonly Row[]
  }

  function row<Row>(text: string, values: readonly SqlValue[] = []): Row | undefined {
    return prepared(text).get(bound(values)) as unknown as Row | undefined
  }

  function run(text: string, values: readonly SqlValue[] = []): number {
    return Number(prepared(text).run(bound(values)).changes)
  }

  // The hot statements have their own variables: no look-up by text on the way to a verdict.
  const bySecret = database.prepare(sql.bySecret)
  const dataVersion = database.prepare('PRAGMA data_version')
  let seenVersion: unknown
  let head = 0

  function readHead(): JournalHead | undefined {
    return row<JournalHead>(sql.head)
  }

  /** From the first statement to the last without an await: a transaction is the connection's, not the caller's. */
  function transact(...[changes, seal]: Parameters<Store['commit']>): readonly JournalEntry[] | undefined {
    // IMMEDIATE: a transaction that begins as a reader and then writes fails at once if another process wrote meanwhile.
    database.exec('BEGIN IMMEDIATE')
    try {
      const entries: JournalEntry[] = []
      let last = readHead()
      for (const change of changes) {
        const entry = seal(change.draft, last)
        if (change.kind === 'insert') {
          run(sql.insertKey, sql.insertValues(change.key, entry.seq))
          run(sql.insertSecret, [change.secretHash, entry.seq])
        } else if (run(sql.updateKey, sql.updateValues(change.key, entry.seq)) === 0) {
          database.exec('ROLLBACK')
          return undefined
        }
        run(sql.insertEntry, sql.entryValues(entry))
        entries.push(entry)
        last = entry
      }
      database.exec('COMMIT')
      head = Math.max(head, last?.seq ?? 0)
      return entries
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    lease,

    bySecret(hash) {
      const found = bySecret.get({ 1: hash }) as unknown as sql.KeyRow | undefined
      return found === undefined ? undefined : sql.keyOfRow(found)
    },

    byId(id) {
      const found = row<sql.KeyRow>(sql.byId, [id])
      return found === undefined ? undefined : sql.keyOfRow(found)
    },

    list({ owner, state, now, after, limit }) {
      const values = [now, after, limit, owner, state].filter((value) => value !== undefined)
      const found = rows<sql.KeyRow & { place: number }>(sql.listSql(owner, state), values)
      return found.map((listed) => ({ place: listed.place, key: sql.keyOfRow(listed) }))
    },

    async commit(changes, seal) {
      const deadline = performance.now() + longestWait
      for (;;) {
        try {
          return transact(changes, seal)
        } catch (error) {
          if (!isBusy(error) || performance.now() > deadline) throw error
        }
        // Another process is writing. Waiting for it must not keep this one from answering those who only verify.
        await sleep(patience)
      }
    },

    look(after): Look {
      const version = dataVersion.get()?.['data_version']
      if (version !== seenVersion) {
        head = readHead()?.seq ?? 0
        // Only now: if reading failed, the next look must not believe that it had seen this version.
        seenVersion = version
      }
      if (head <= after) return { seq: after, changed: [] }
      const changed = rows<{ seq: number; subject: string }>(sql.changedSince, [after, namedChanges + 1])
      if (changed.length > namedChanges) return { seq: head, changed: 'many' }
      return { seq: changed.at(-1)?.seq ?? head, changed: changed.map(({ subject }) => subject) }
    },

    async settled() {
      // One more than the lease: timers may fire up to a millisecond early by the clock that leases are measured with.
      await sleep(lease + 1)
    },

    journal(after, limit) {
      return rows<JournalEntry>(sql.entries, [after, limit]).map((entry) => ({ ...entry }))
    },

    newestRevision() {
      return row<{ revision: number }>(sql.newestRevision)?.revision ?? 0
    },

    close() {
      if (database.isOpen) database.close()
    },
  }
}

/** SQLITE_BUSY, whatever its extended code: somebody else holds the lock. */
function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 5
}

/** `$1` parameters bind by name in `node:sqlite`; values given in order would skip them. */
function bound(values: readonly SqlValue[]): Record<string, SqlValue> {
  return Object.fromEntries(values.map((value, index) => [index + 1, value]))
}

function open(file: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    if (file !== ':memory:') makeFile(file)
    // Opening may wait for others that open, and has nothing else to do meanwhile.
    database = new DatabaseSync(file, { timeout: longestWait })
    checkVersion(database)
    // Reads the header: what is not a database must be found out before anything of it is changed.
    database.exec('PRAGMA schema_version')
    if (file !== ':memory:' && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
    // The log first: the pragmas below speak of it. FULL: an acknowledged change survives the loss of power.
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec('PRAGMA foreign_keys = ON')
    // Key ids and hashes are random, so every look-up touches other pages: 64 MiB of them are held.
    database.exec('PRAGMA cache_size = -65536')
    migrate(database)
    database.exec(`PRAGMA busy_timeout = ${patience}`)
    return database
  } catch (error) {
    database?.close()
    if (error instanceof LatchkeyError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be used: ${reason}.`, { cause: error })
  }
}

/** Makes the file if it is not there, for its owner only. SQLite gives its companions the same mode. */
function makeFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
}

/** SQLite before 3.51.3 can corrupt a database when its log is reset while another process writes; two older releases were mended. */
function checkVersion(database: DatabaseSync): void {
  const version = String(database.prepare('SELECT sqlite_version() AS version').get()?.['version'])
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  const sound = major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)))
  if (!sound && version !== '3.50.7' && version !== '3.44.6') {
    throw new LatchkeyError('store_unusable', `SQLite ${version} can corrupt its log. Use a Node with SQLite 3.51.3.`)
  }
}

function migrate(database: DatabaseSync): void {
  const steps = migrations({ integer: 'INTEGER', byPrimaryKey: 'WITHOUT ROWID' })
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec('CREATE TABLE IF NOT EXISTS latchkey_migrations (version INTEGER PRIMARY KEY)')
    const reached = Number(
      database.prepare('SELECT COALESCE(MAX(version), 0) AS version FROM latchkey_migrations').get()?.['version'],
    )
    if (reached > steps.length) {
      const advice = 'Use that version, or another file'
      throw new LatchkeyError('store_unusable', `The database was written by a newer version of Latchkey. ${advice}.`)
    }
    for (const [index, step] of steps.entries()) {
      if (index < reached) continue
      for (const statement of step) database.exec(statement)
      database.prepare('INSERT INTO latchkey_migrations (version) VALUES ($1)').run({ 1: index + 1 })
    }
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
