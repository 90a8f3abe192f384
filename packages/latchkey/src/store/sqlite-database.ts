import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname, sep } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LatchkeyError } from '../error.ts'
import { migrations } from './migrations.ts'
import { always, presenceOf } from './sqlite-file.ts'
import type { Presence } from './sqlite-file.ts'

/** How long the opening of a file may wait for others that open it, in milliseconds. */
const longestWait = 5000

/** How long SQLite itself waits for a lock, in milliseconds. While it does, nothing else happens in this process. */
const patience = 10

/** Told as the `cause`, for who looks at a database and must say what to do. */
const olderSchema = 'older schema'
const newerSchema = 'newer schema'

/** A database that is open. */
export interface OpenDatabase {
  readonly database: DatabaseSync
  /** Throws when its file was deleted or replaced since. */
  readonly mustBeThere: Presence
}

/**
 * Opens a database file, made if it does not exist, and brings its tables up to date.
 *
 * @param readOnly - changes nothing: neither the file, nor its mode, nor its tables, which must be up to date already.
 * @throws LatchkeyError `store_unusable`; with the `cause` `older schema` or `newer schema` where it is that.
 */
export function openDatabase(file: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): OpenDatabase {
  let database: DatabaseSync | undefined
  try {
    if (file !== ':memory:') checkFile(file)
    if (file !== ':memory:' && !readOnly) makeFile(file)
    // Noted before it is opened: if another is put in its place in between, that is found at the first look.
    const mustBeThere = file === ':memory:' ? always : presenceOf(file)
    // Opening may wait for others that open, and has nothing else to do meanwhile.
    database = new DatabaseSync(readOnly ? unchanging(file) : file, { timeout: longestWait, readOnly })
    checkVersion(database)
    // Reads the header: what is not a database must be found out before anything of it is changed.
    database.exec('PRAGMA schema_version')
    if (readOnly) {
      if (schemaOf(database) < steps.length) {
        const message = `The database ${file} is not of this version of Latchkey yet.`
        throw new LatchkeyError('store_unusable', message, { cause: olderSchema })
      }
      return { database, mustBeThere }
    }
    if (file !== ':memory:' && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
    // The log first: the pragmas below speak of it. FULL: an acknowledged change survives the loss of power.
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec('PRAGMA foreign_keys = ON')
    // Key ids and hashes are random, so every look-up touches other pages: 64 MiB of them are held.
    database.exec('PRAGMA cache_size = -65536')
    migrate(database)
    database.exec(`PRAGMA busy_timeout = ${patience}`)
    return { database, mustBeThere }
  } catch (error) {
    database?.close()
    if (error instanceof LatchkeyError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be used: ${reason}.`, { cause: error })
  }
}

/** A device or a pipe would be opened, waited for, and given another mode. */
function checkFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) {
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be used: it is not a file.`)
  }
}

/**
 * Even who only reads makes a log and its index, and leaves them behind. With no log there is nobody who writes, and
 * the file itself is all there is: read as one that does not change, it needs neither.
 */
function unchanging(file: string): string {
  if (file === ':memory:') return file
  const path = realpathSync(file)
  if (existsSync(`${path}-wal`)) return path
  return `file:${path.split(sep).map(encodeURIComponent).join('/')}?immutable=1`
}

/** Makes the file if it is not there, for its owner only. SQLite gives its companions the same mode. */
function makeFile(file: string): void {
  makeFolder(dirname(file))
  closeSync(openSync(file, 'a', 0o600))
}

/** Step by step: `recursive` does not end where nothing can be made, as in /proc. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Somebody else was quicker.
    if (!existsSync(folder)) throw error
  }
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

const steps = migrations({ integer: 'INTEGER', byPrimaryKey: 'WITHOUT ROWID' })

/** The version of the tables in a database; 0 while there are none. */
function schemaOf(database: DatabaseSync): number {
  const table = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'latchkey_migrations'").get()
  if (table === undefined) return 0
  const reached = Number(
    database.prepare('SELECT COALESCE(MAX(version), 0) AS version FROM latchkey_migrations').get()?.['version'],
  )
  if (reached > steps.length) {
    const message = 'The database was written by a newer version of Latchkey. Use that version, or another file.'
    throw new LatchkeyError('store_unusable', message, { cause: newerSchema })
  }
  return reached
}

function migrate(database: DatabaseSync): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec('CREATE TABLE IF NOT EXISTS latchkey_migrations (version INTEGER PRIMARY KEY)')
    const reached = schemaOf(database)
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
