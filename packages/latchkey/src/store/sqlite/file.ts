import type { BigIntStats } from 'node:fs'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import { LatchkeyError } from '../../error.ts'

/**
 * Throws when the file that was opened by a path is no longer the file that other processes find there. It costs some 4
 * µs.
 */
export type Presence = () => void

/** A database in memory is wherever its process is. */
export const always: Presence = () => undefined

/** The companion of a database that holds changes not yet written into the file itself. */
export const logOf = (file: string): string => `${file}-wal`

/** The companion of a database without a log: it holds the content of the file before an unfinished change. */
const journalOf = (file: string): string => `${file}-journal`

/**
 * Notes which file a path names. SQLite goes on in a file that was deleted, or that another was put in the place of, and
 * every change would be acknowledged and lost.
 *
 * @throws LatchkeyError `store_unusable` where there is no file.
 */
export function presenceOf(file: string): Presence {
  const opened = statusOf(file)
  const presence: Presence = () => {
    if (!isSame(opened, statusOf(file))) throw gone(file)
  }
  presence()
  return presence
}

/**
 * Notes the log of an open database too: if the log is removed under a process, the process is cut off from all others,
 * and from later content of the file.
 */
export function presenceWithLog(file: string, ofFile: Presence): Presence {
  const log = logOf(realpathSync(file))
  const opened = statusOf(log)
  // If the file system has no log, SQLite works without one.
  if (opened === undefined) return ofFile
  return () => {
    ofFile()
    if (!isSame(opened, statusOf(log))) throw gone(log)
  }
}

function gone(path: string): LatchkeyError {
  return new LatchkeyError(
    'store_unusable',
    `The database file ${path} was deleted or replaced while it was open: put it back, then start anew.`,
  )
}

/**
 * Notes what is in a file, by its size and when it was written last: for a database that is read as if it could not
 * change, which SQLite would not notice.
 *
 * @throws LatchkeyError `store_unusable` where there is no file.
 */
export function stillnessOf(file: string): Presence {
  letAge(file)
  const real = realpathSync(file)
  const opened = statusOf(file)
  const stillness: Presence = () => {
    const found = statusOf(file)
    const same = isSame(opened, found) && found?.size === opened?.size && found?.mtimeNs === opened?.mtimeNs
    if (same && !hasLog(real)) return
    throw new LatchkeyError('store_unusable', `The database ${file} was changed since it was opened: open it again.`)
  }
  stillness()
  return stillness
}

/**
 * Finds out that a file system is read-only, or that a file belongs to another user, before a change fails.
 *
 * @throws LatchkeyError `store_unusable`.
 */
export function mustBeWritable(file: string): void {
  try {
    accessSync(file, constants.W_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be written to (${code}).`, { cause })
  }
}

/** Whether the log has content: a process is writing, or was writing when the machine stopped. */
export function hasLog(file: string): boolean {
  return (statusOf(logOf(file))?.size ?? 0n) > 0n
}

/** Whether a change was begun by a program that keeps no log: it goes on, or was interrupted and is half in the file. */
export function hasJournal(file: string): boolean {
  return (statusOf(journalOf(file))?.size ?? 0n) > 0n
}

/** Milliseconds within which a file system may give two changes one time. */
const coarseness = 50

/** Waits until a file that was written a moment ago would show that it was written again. */
function letAge(file: string): void {
  const age = Date.now() - Number(statusOf(file)?.mtimeMs ?? 0n)
  if (age >= 0 && age < coarseness) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, coarseness - age)
}

function isSame(one: BigIntStats | undefined, other: BigIntStats | undefined): boolean {
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev
}

/** In bigints: the inode numbers of some file systems are too large for a number to distinguish. */
function statusOf(file: string): BigIntStats | undefined {
  try {
    return statSync(file, { bigint: true, throwIfNoEntry: false })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new LatchkeyError('store_unusable', `The database ${file} cannot be reached (${code}).`, { cause })
  }
}

/** The address of a file as SQLite takes it, with the mode of opening. */
export function asUri(file: string, parameters: string): string {
  return `file:${realpathSync(file).split(sep).map(encodeURIComponent).join('/')}?${parameters}`
}
