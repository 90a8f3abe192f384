// Further connections to a file that this process has open already.

import { DatabaseSync } from 'node:sqlite'
import { asUri } from './file.ts'

/** How long a thread that nobody else waits for may wait for a lock, in milliseconds. */
const longestWait = 5000

/**
 * A connection that only reads.
 *
 * @param still - whether the file is read as it stands.
 */
export function openBeside(file: string, still: boolean): DatabaseSync {
  return new DatabaseSync(still ? asUri(file, 'immutable=1') : file, { timeout: longestWait, readOnly: true })
}

/** A connection that moves what is in the log into the file. */
export function openToCheckpoint(file: string): DatabaseSync {
  const database = new DatabaseSync(asUri(file, 'mode=rw'), { timeout: longestWait })
  // The log is synced before, and the file after.
  database.exec('PRAGMA synchronous = NORMAL')
  return database
}

/** A connection that changes a file which has a log. It waits for no lock. */
export function openToChangeBeside(file: string): DatabaseSync {
  const database = new DatabaseSync(asUri(file, 'mode=rw'), { timeout: 0 })
  database.exec('PRAGMA synchronous = NORMAL')
  database.exec('PRAGMA foreign_keys = ON')
  database.exec('PRAGMA secure_delete = ON')
  // Its commit would take long: the thread that moves the log is told of it.
  database.exec('PRAGMA wal_autocheckpoint = 0')
  // What does not fit in 1 MiB is written to the log before the commit, which would otherwise take long.
  database.exec('PRAGMA cache_size = -1024')
  return database
}
