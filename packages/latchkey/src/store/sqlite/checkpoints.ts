import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reader } from './reader.ts'

/** Sees to it that the log does not grow without end, and that this thread does not wait while it is emptied. */
export interface Checkpoints {
  /**
   * Counts rows that were written to the log, and has it emptied if that is due. Nobody waits for it: what was committed
   * must not be taken for failed. Who writes faster than it is emptied, and does not wait before, meets `longestLog`.
   */
  readonly wrote: (rows: number) => void
  /** For what can be written later: resolves when the log is emptied, if too much was written meanwhile. */
  readonly caughtUp: () => Promise<void> | undefined
}

/** Rows after which the log is emptied; a row touches some twenty pages of 4 KiB at most. */
const due = 250

/** Rows written while the log is emptied, after which it is waited for: with those before, less than `longestLog`. */
const ahead = 500

/** Milliseconds for which it is waited for. Then it is not waited for again until it has answered. */
const longestWait = 1000

/** Pages in the log at which SQLite empties it all the same, within a commit: the thread could not, or did not keep up. */
const longestLog = 16_384

/** Pages in the log at which whoever writes is stopped for a moment, so that the log can be begun anew. */
const longLog = longestLog / 4

/**
 * Moves the log into the file, on a connection in a thread of its own. At first it waits for nobody, and nobody waits for it.
 * But if somebody writes all the time, there is always something left in the log, and it never begins anew. So the rest is
 * moved while nobody can write: whoever tries meets a lock, and tries again.
 */
export function moveLog(database: Pick<DatabaseSync, 'exec' | 'prepare'>): void {
  const moved = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()
  if (Number(moved?.['log']) < longLog) return
  // It waits no longer than this for those who read from the log.
  database.exec('PRAGMA busy_timeout = 100')
  database.exec('PRAGMA wal_checkpoint(RESTART)')
}

/**
 * Moves all of the log into the file, and cuts it off: it has the pages as they were before something was deleted.
 * Answers `false` if somebody still reads from it.
 */
export function isScrubbed(database: DatabaseSync): boolean {
  return database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()?.['busy'] === 0
}

/** @param reader - without one, SQLite empties the log by itself, within a commit. */
export function checkpointsOf(database: DatabaseSync, reader: Pick<Reader, 'checkpoint'> | undefined): Checkpoints {
  if (reader === undefined) return { wrote: () => undefined, caughtUp: () => undefined }
  database.exec(`PRAGMA wal_autocheckpoint = ${longestLog}`)
  let written = 0
  let running: Promise<void> | undefined
  let isLate = false

  async function checkpoint(): Promise<void> {
    written = 0
    // If it fails, the next one does it, or SQLite itself.
    await reader?.checkpoint().catch(() => undefined)
    running = undefined
    isLate = false
  }

  async function wait(emptied: Promise<void>): Promise<void> {
    await Promise.race([emptied, sleep(longestWait, undefined, { ref: false })])
    isLate = running === emptied
  }

  return {
    wrote(rows) {
      written += rows
      if (written >= due) running ??= checkpoint()
    },
    caughtUp: () => (running === undefined || isLate || written < ahead ? undefined : wait(running)),
  }
}
