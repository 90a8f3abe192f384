import { DatabaseSync } from 'node:sqlite'
import { isSoundSqlite, soundSqlite } from 'latchkey/store/sqlite'
import type { Finding } from './finding.ts'
import { fail, ok, reasonOf } from './finding.ts'

/** Node and the SQLite in it. */
export function platformFindings(): readonly Finding[] {
  // The program ends earlier on a version that is too old.
  return [ok('Node.js', process.versions.node), sqliteFinding()]
}

function sqliteFinding(): Finding {
  // The library knows the versions that can lose data. The database is in memory, so that nothing is written.
  try {
    const database = new DatabaseSync(':memory:')
    const version = String(database.prepare('SELECT sqlite_version() AS version').get()?.['version'])
    database.close()
    return isSoundSqlite(version)
      ? ok('SQLite', version)
      : fail({
          what: 'SQLite',
          found: `${version} can corrupt the database`,
          remedy: `Install a Node.js with SQLite ${soundSqlite} or later.`,
        })
  } catch (error) {
    return fail({ what: 'SQLite', found: reasonOf(error), remedy: 'Install a Node.js with node:sqlite.' })
  }
}

/** The date of this code: a correct clock is never before it. */
const written = Date.UTC(2026, 10, 1)

/** Milliseconds by which two clocks may differ: an answer takes some time, and `Date` has whole seconds. */
export const clockTolerance = 5000

/**
 * Checks the clock, as far as one machine can: keys and secrets end by it.
 *
 * @param future - the time of a journal entry that lies in the future of this clock.
 */
export function clockFinding(future: number | undefined, now: number): Finding {
  const remedy = 'Set the clock, and keep it set with NTP: it decides when keys expire.'
  if (now < written)
    return fail({ what: 'clock', found: `it says ${new Date(now).toISOString()}, which is in the past`, remedy })
  if (future === undefined) return ok('clock', new Date(now).toISOString())
  const ahead = Math.round((future - now) / 1000)
  const found = `the journal has an entry ${ahead} s in the future: the clock was ahead then, or it is behind now`
  return fail({ what: 'clock', found, remedy })
}
