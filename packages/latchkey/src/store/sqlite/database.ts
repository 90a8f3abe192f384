import { chmodSync, closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { LatchkeyError } from '../../error.ts'
import type { Presence } from './file.ts'
import { always, asUri, hasJournal, hasLog, logOf, presenceOf, presenceWithLog, stillnessOf } from './file.ts'
import { memory, openInMemory } from './in-memory.ts'
import type { MigrationStep } from './schema.ts'
import { migrate, mustBeOfThisVersion } from './schema.ts'
import { checkVersion } from './version.ts'

/** How long the opening of a file may wait for others that open it, in milliseconds. */
const longestWait = 5000

/** How a database is opened: to bring its tables up to date, to make it, to change its content, or only to read it. */
export type OpenMode = 'migrate' | 'create' | 'write' | 'read'

/** A database that is open. */
export interface OpenDatabase {
  readonly database: DatabaseSync
  /** Throws when its file was deleted or replaced since, or has changed where that cannot be followed. */
  readonly mustBeThere: Presence
  /** Whether it is read as it stood when it was opened. */
  readonly still: boolean
  /** The path of its log, if what is committed must be synced by whoever commits. */
  readonly log: string | undefined
  /** How many steps brought its tables up to date. */
  readonly migrated: number
}

/**
 * Opens a database file. To `migrate` it is made if it does not exist, and its tables are brought up to date; to
 * `create` only the former. Otherwise it must be there, with the tables of this version. To `read` changes nothing:
 * neither the file, nor its mode.
 *
 * @throws LatchkeyError `store_unusable`; with the `cause` `older schema` or `newer schema` where it is that.
 */
export function openDatabase(file: string, mode: OpenMode, onStep?: (step: MigrationStep) => void): OpenDatabase {
  if (mode === 'write' || mode === 'read') mustExist(file)
  return opening(file, mode === 'read' ? openToRead : openToChange(mode, onStep), ({ database }) => {
    mustBeOfThisVersion(database, file)
  })
}

/**
 * Opens a database file to copy it, of whatever version its tables are.
 *
 * @throws LatchkeyError `store_unusable`.
 */
export function openToCopy(file: string): OpenDatabase {
  mustExist(file)
  return opening(file, openToRead, () => undefined)
}

function opening(
  file: string,
  open: (file: string) => OpenDatabase,
  check: (opened: OpenDatabase) => void,
): OpenDatabase {
  let opened: OpenDatabase | undefined
  try {
    checkFile(file)
    opened = open(file)
    check(opened)
    return opened
  } catch (error) {
    opened?.database.close()
    if (error instanceof LatchkeyError) throw error
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be used: ${reasonOf(error)}.`, {
      cause: error,
    })
  }
}

/** The system's message, with an absolute path: a relative path would depend on the working directory. */
function reasonOf(error: unknown): string {
  const { path, message = String(error) } = (error ?? {}) as { readonly path?: unknown; readonly message?: string }
  return typeof path === 'string' && !isAbsolute(path) ? message.replace(`'${path}'`, `'${resolve(path)}'`) : message
}

function openToChange(
  mode: 'migrate' | 'create' | 'write',
  onStep?: (step: MigrationStep) => void,
): (file: string) => OpenDatabase {
  return (file) => {
    if (file === memory) {
      const opened = openInMemory((database) => {
        checkVersion(database)
        setUp(database)
      })
      return { ...opened, mustBeThere: always, still: false, log: undefined }
    }
    const make = mode !== 'write'
    if (make) makeFile(file)
    // Noted before it is opened: if another is put in its place in between, that is found at the first look.
    const fileIsThere = presenceOf(file)
    // Opening may wait for others that open, and has nothing else to do meanwhile.
    const database = new DatabaseSync(make ? file : asUri(file, 'mode=rw'), { timeout: longestWait })
    try {
      checkVersion(database)
      // Reads the header: a file that is not a database must be recognised before any part of it is changed.
      database.exec('PRAGMA schema_version')
      if (make && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
      // The log first: the pragmas below speak of it.
      const kept = database.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']
      const log = kept === 'wal' ? logOf(realpathSync(file)) : undefined
      database.exec('PRAGMA synchronous = FULL')
      setUp(database)
      const migrated = make ? migrate(database, { file, fresh: mode === 'create', onStep }) : 0
      // From now on SQLite does not wait for locks: while it waits, nothing else happens in this process.
      database.exec('PRAGMA busy_timeout = 0')
      // Nor does it wait for the disk, where it has a log: whoever commits syncs that, before a change is acknowledged.
      if (log !== undefined) database.exec('PRAGMA synchronous = NORMAL')
      return { database, mustBeThere: presenceWithLog(file, fileIsThere), still: false, log, migrated }
    } catch (error) {
      database.close()
      throw error
    }
  }
}

/** The settings of every database that is changed. */
function setUp(database: DatabaseSync): void {
  database.exec('PRAGMA foreign_keys = ON')
  // What is deleted is overwritten: an erased name must not be found in the file.
  database.exec('PRAGMA secure_delete = ON')
  // Key ids and hashes are random, so every look-up touches other pages: 64 MiB of them are held.
  database.exec('PRAGMA cache_size = -65536')
}

/**
 * Even a process that only reads makes a log and its index, and leaves them behind. With nothing in a log, and no
 * change that was begun without one, the file itself is all there is: read as one that does not change, it needs
 * neither. That it did not is then seen to by looking at the file.
 */
function openToRead(file: string): OpenDatabase {
  const real = realpathSync(file)
  const still = !hasLog(real) && !hasJournal(real)
  if (still && existsSync(logOf(real))) {
    // Whoever ends the use of a log removes it: it is empty, and a process that may write to it any time has it open.
    try {
      return openAs(file, { still: false })
    } catch (error) {
      // Or it was left behind where files may not be made.
      if (!isUnopened((error as Error).cause ?? error)) throw error
    }
  }
  return openAs(file, { still })
}

function openAs(file: string, { still }: { readonly still: boolean }): OpenDatabase {
  const mustBeThere = still ? stillnessOf(file) : presenceOf(file)
  const path = still ? asUri(file, 'immutable=1') : file
  const database = new DatabaseSync(path, { timeout: longestWait, readOnly: true })
  try {
    checkVersion(database)
    database.exec('PRAGMA schema_version')
    database.exec('PRAGMA busy_timeout = 0')
    return {
      database,
      mustBeThere: still ? mustBeThere : presenceWithLog(file, mustBeThere),
      still,
      log: undefined,
      migrated: 0,
    }
  } catch (error) {
    database.close()
    if (still || !isUnopened(error)) throw error
    if (isInterrupted(error)) {
      const advice = 'Open it once to write, as latchkey serve does: that takes the change out again.'
      const message = `The database ${file} cannot be read: a change was interrupted, and is half in the file. ${advice}`
      throw new LatchkeyError('store_unusable', message, { cause: error })
    }
    const reason = `what was written last is still in ${logOf(file)}, which can only be read where files may be made`
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be used: ${reason}.`, { cause: error })
  }
}

/**
 * Says whether any process has a database open at present, this one included; `false` if that cannot be known. Ask before you
 * open a second store on a file: each process counts limits for itself.
 *
 * @example if (isInUse('data/latchkey.db')) console.warn('limits are counted by each process for itself')
 */
export function isInUse(file: string): boolean {
  if (file === memory || statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(asUri(file, 'mode=rw'), { timeout: 0 })
    // A process that has a database open keeps a lock on its file. The lock taken here excludes every other one, and is
    // released at once.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    database.exec('BEGIN IMMEDIATE')
    database.exec('ROLLBACK')
    return false
  } catch (error) {
    return isBusy(error)
  } finally {
    database?.close()
  }
}

/** SQLITE_BUSY, whatever its extended code: another process holds the lock. */
export function isBusy(error: unknown): boolean {
  return ((error as { errcode?: number }).errcode ?? 0) % 256 === 5
}

/** SQLITE_CANTOPEN, SQLITE_READONLY: the index of the log is not there, and may not be made. */
function isUnopened(error: unknown): boolean {
  return [8, 14].includes(((error as { errcode?: number }).errcode ?? 0) % 256)
}

/** SQLITE_READONLY_ROLLBACK: a half-written change must be rolled back, which a reader may not do. */
function isInterrupted(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === 776
}

function mustExist(file: string): void {
  if (!existsSync(file)) throw new LatchkeyError('store_unusable', `There is no database at ${file}.`)
}

/** A device or a pipe would be opened, waited for, and given another mode. */
function checkFile(file: string): void {
  if (file === memory) return
  const found = statSync(file, { throwIfNoEntry: false })
  if (found !== undefined && !found.isFile()) {
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be used: it is not a file.`)
  }
  // SQLite takes it for an empty one, and writes over it: the shortest database has a page of 512 bytes.
  if (found !== undefined && found.size > 0 && found.size < 512) {
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be used: file is not a database.`)
  }
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
    // Another process was quicker.
    if (!existsSync(folder)) throw error
  }
}
