import { closeSync, openSync, rmSync } from 'node:fs'
import { backup } from 'node:sqlite'
import { membersOf, objectOf } from '../../options.ts'
import type { OpenDatabase } from './database.ts'
import { openToCopy } from './database.ts'

/** The place of a database, and the place for its copy. */
export interface BackupOptions {
  /** The database file. */
  readonly file: string
  /** A file that is not there yet. */
  readonly copy: string
  /** Called between steps with how many pages are left of how many. */
  readonly progress?: (left: number, total: number) => void
}

const backupOptions = membersOf<BackupOptions>({ file: true, copy: true, progress: true })

/**
 * Copies a database that is not open, whatever version its tables are, and changes nothing about it: do this before a newer
 * version brings it up to date.
 *
 * @throws LatchkeyError `store_unusable`.
 * @throws Error what the file system says, `EEXIST` when the copy is there already.
 *
 * @example
 * sqliteStore({ file: 'data/latchkey.db' }).close()
 * await backupSqlite({ file: 'data/latchkey.db', copy: 'latchkey-backup.db' })
 */
export async function backupSqlite(options: BackupOptions): Promise<void> {
  objectOf('The options of backupSqlite', options, backupOptions)
  const { file, copy, progress } = options
  const original = openToCopy(file)
  try {
    await copyTo(original, copy, progress)
  } finally {
    original.database.close()
  }
}

/**
 * Copies an open database into a new file.
 *
 * @throws Error what the file system says, `EEXIST` when the copy is there already.
 */
export async function copyTo(
  { database, mustBeThere }: Pick<OpenDatabase, 'database' | 'mustBeThere'>,
  copy: string,
  progress: BackupOptions['progress'],
): Promise<void> {
  // Create the file with our mode before SQLite opens it, so that other users can never read it; and never overwrite
  // another file.
  closeSync(openSync(copy, 'wx', 0o600))
  try {
    await backup(database, copy, {
      rate: 1000,
      progress: ({ remainingPages, totalPages }) => progress?.(remainingPages, totalPages),
    })
    mustBeThere()
  } catch (error) {
    // Remove half a copy: it looks like a whole one.
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(copy + end, { force: true })
    throw error
  }
}
