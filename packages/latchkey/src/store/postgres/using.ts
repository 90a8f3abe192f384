import { LatchkeyError } from '../../error.ts'
import type { Store, UsagePlace } from '../../ports.ts'
import { purgeOldRows } from '../purging.ts'
import { claimPurge } from '../purge-sql.ts'
import { refusingOf } from '../refusing.ts'
import * as sql from '../sql.ts'
import { forgetSomeUse, recordSomeUse } from '../using.ts'
import type { Work } from '../work.ts'
import { row, run } from '../work.ts'
import type { OpenMode } from './schema.ts'
import { mustBeCurrent } from './schema.ts'
import type { Sessions } from './sessions.ts'

/** Milliseconds for a batch of what is written behind the answers. */
const longestBatch = 10_000

const place = `hashtext('latchkey use'), hashtext(current_schema())`

const version = 'SELECT MAX(version) AS version FROM latchkey_migrations'

/** Use is written by many at once, but not while something is erased: what was counted before would come back. */
function* writing<Result>(work: Work<Result>): Work<Result> {
  yield* row(`SELECT pg_advisory_xact_lock_shared(${place})`)
  mustBeCurrent((yield* row<{ version: number }>(version))?.version ?? 0)
  return yield* work
}

/** Waits for those who write use, and keeps others from it until the transaction ends. */
export function* erasing(): Work<void> {
  yield* row(`SELECT pg_advisory_xact_lock(${place})`)
}

/**
 * Notes a first use, if no other transaction holds the rows. Answers `noted`, and `free`: whether there is nothing left to
 * note.
 */
const noteFirstUse = `WITH secret AS (
      SELECT hash, place FROM latchkey_secrets WHERE hash = $1 AND last_used_at IS NULL FOR UPDATE SKIP LOCKED),
    held AS (SELECT place FROM latchkey_keys WHERE place IN (SELECT place FROM secret) FOR UPDATE SKIP LOCKED),
    noted AS (UPDATE latchkey_secrets s SET last_used_at = $2 FROM secret, held WHERE s.hash = secret.hash RETURNING 1),
    moved AS (UPDATE latchkey_keys k SET last_used_at = $2 FROM held
      WHERE k.place = held.place AND (k.last_used_at IS NULL OR k.last_used_at < $2) RETURNING 1)
    SELECT 1 WHERE EXISTS (SELECT 1 FROM noted)
      OR NOT EXISTS (SELECT 1 FROM latchkey_secrets WHERE hash = $1 AND last_used_at IS NULL)`

/** The use of keys, which is written without an entry in the journal. */
export function usingOf(
  sessions: Pick<Sessions, 'perform' | 'write'>,
  mode: OpenMode,
): Pick<
  Store,
  'noteFirstUse' | 'recordUsage' | 'recordRefusals' | 'forgetUse' | 'purgeRows' | 'claimPurge' | 'declare'
> {
  const keepRefusals = refusingOf()

  return {
    async noteFirstUse(hash, at) {
      if (mode === 'read') return true
      return (await sessions.perform(longestBatch, () => row(noteFirstUse, [hash, at]))) !== undefined
    },

    async recordUsage({ counts, lastUsed }) {
      if (mode === 'read') return { counts: [], lastUsed: new Map() }
      // In the same order everywhere, so that no two wait for each other.
      const inOrder = counts.toSorted((one, other) => (textOf(one) < textOf(other) ? -1 : 1))
      const uses = [...lastUsed].toSorted(([one], [other]) => (one < other ? -1 : 1))
      const written = await sessions.write(longestBatch, () => writing(recordSomeUse(inOrder, uses)))
      return {
        counts: inOrder.slice(written),
        lastUsed: new Map(uses.slice(Math.max(0, (written ?? 0) - counts.length))),
      }
    },

    async recordRefusals(refusals, bounds) {
      if (mode === 'read') return []
      const written = await sessions.write(longestBatch, () => writing(keepRefusals(refusals, bounds)))
      return refusals.slice(written)
    },

    async forgetUse(of, limit) {
      mustWrite(mode)
      return (await sessions.write(longestBatch, () => writing(forgetSomeUse(of, limit)))) ?? 0
    },

    async purgeRows(before) {
      mustWrite(mode)
      const nothing = { usage: 0, usageSums: 0, refusals: 0 }
      return (await sessions.write(longestBatch, () => writing(purgeOldRows(before)))) ?? nothing
    },

    async claimPurge({ holder, now, until }) {
      if (mode === 'read') return false
      return (await sessions.perform(longestBatch, () => run(claimPurge, [holder, now, until]))) === 1
    },

    async declare({ scopes, prefix, environments }) {
      if (mode === 'write' || mode === 'read') return
      const values = [JSON.stringify(scopes), prefix, JSON.stringify(environments)]
      await sessions.write(longestBatch, () => writing(declaring(mode, values)))
    },
  }
}

function* declaring(mode: OpenMode, values: readonly string[]): Work<number> {
  // A process that only makes missing tables must not overwrite the declarations of the application that made them.
  if (mode === 'create' && (yield* row(sql.declared)) !== undefined) return 0
  return yield* run(sql.declare, values)
}

/** What the sums of a key have comes first, so that those are in order too. */
function textOf({ hour, key, owner, environment, outcome, limitName }: UsagePlace): string {
  return JSON.stringify([key, owner, environment, outcome, hour, limitName])
}

export function mustWrite(mode: OpenMode): void {
  if (mode !== 'read') return
  const message = 'The database was opened only to read it. Open it with the mode write.'
  throw new LatchkeyError('store_unusable', message)
}
