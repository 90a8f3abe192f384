import { DatabaseSync } from 'node:sqlite'
import { isSoundSqlite, soundSqlite } from 'latchkey/store/sqlite'
import type { Finding } from './finding.ts'
import { fail, ok, reasonOf } from './finding.ts'

/** Node and the SQLite in it. */
export function platformFindings(): readonly Finding[] {
  // One that will not do has not come so far.
  return [ok('Node.js', process.versions.node), sqliteFinding()]
}

function sqliteFinding(): Finding {
  // In memory, with the library's own judgement of versions: it refuses those that can lose data.
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

/** When this was written: no clock that is right is before it. */
const written = Date.UTC(2026, 10, 1)

/** Milliseconds by which clocks may differ without anybody minding: an answer takes a moment, and `Date` has whole seconds. */
export const clockTolerance = 5000

/**
 * The clock, as far as one machine can tell: ends of keys and of secrets are judged by it.
 *
 * @param future - when something was done that is still to come by this clock.
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
