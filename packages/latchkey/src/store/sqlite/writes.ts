import { LatchkeyError } from '../../error.ts'
import type { Awaitable, JournalEntry, Store } from '../../ports.ts'
import type { WriteName } from '../closing.ts'
import { commitWork } from '../commit.ts'
import { claimPurge } from '../purge-sql.ts'
import { purgeOldRows } from '../purging.ts'
import { refusingOf } from '../refusing.ts'
import * as sql from '../sql.ts'
import { forgetSomeUse, noteFirstUse, recordSomeUse } from '../using.ts'
import type { Work } from '../work.ts'
import { writersOf } from '../writers.ts'
import { commitInPieces } from './bulk.ts'
import type { Checkpoints } from './checkpoints.ts'
import type { OpenDatabase, OpenMode } from './database.ts'
import { isBusy } from './database.ts'
import type { Looks } from './looks.ts'
import { spendOf } from './spending.ts'
import type { Statements } from './statements.ts'
import { syncingOf } from './syncing.ts'
import type { Transactions } from './transactions.ts'
import { workingOf } from './working.ts'

/** How long a write waits for another process's transaction, in milliseconds, before it fails. */
const longestWait = 5000

/**
 * The same for a call that spends, which is waited for: it must fail while its caller still waits for the answer, and
 * not take from the quota afterwards.
 */
const longestSpending = 1000

/** Milliseconds between two tries. */
const pause = 10

/** The most changes of one call in one turn: each may need twenty pages from the disk. */
const mostAtOnce = 10

/** The connection to write on, and how. */
export interface Writing {
  readonly opened: OpenDatabase
  readonly file: string
  readonly mode: OpenMode
  /** Whether a call that spends is answered only when that is on the disk. */
  readonly spendsDurably: boolean
  readonly statements: Statements
  readonly transactions: Transactions
  readonly looks: Looks
  readonly checkpoints: Checkpoints
}

/** The writes of a store, and what makes them durable. */
export interface Writes extends Pick<Store, WriteName> {
  /** Resolves when everything that is committed now is on the disk, whoever committed it. */
  readonly synced: () => Awaitable<void>
  /** @throws LatchkeyError `store_unusable` once something could not be brought to the disk. */
  readonly mustSync: () => void
  /** Ends the syncs; resolves when none is under way any more. */
  readonly finish: () => Awaitable<void>
}

/** The writes of one connection. */
export function writesOf({
  opened: { mustBeThere, log },
  file,
  mode,
  spendsDurably,
  statements,
  transactions: { transact, mustBeCurrent },
  looks,
  checkpoints,
}: Writing): Writes {
  const { row, run } = statements
  const spendOnce = spendOf(statements, mustBeCurrent)
  const keepRefusals = refusingOf()
  const perform = workingOf(statements)
  const syncing = log === undefined ? undefined : syncingOf(log)
  const writing = writersOf({ isBusy, patience: longestWait, pause })
  let bulks: Promise<unknown> = Promise.resolve()

  /** A write is acknowledged only if it is in the file that the next process will open. */
  function kept<Result>(work: () => Result): Result {
    syncing?.mustSync()
    mustBeThere()
    const result = work()
    mustBeThere()
    return result
  }

  /** Answers once all that was committed is on the disk: other processes may see it earlier, and it may be lost till then. */
  function durable<Result>(committed: Awaitable<Result>): Awaitable<Result> {
    if (syncing === undefined) return committed
    return (async () => {
      const result = await committed
      // Nothing was committed where a condition did not hold.
      if (result !== undefined) await syncing.synced()
      return result
    })()
  }

  function mustBeOpenToWrite(): void {
    if (mode !== 'read') return
    const message = `The database ${file} was opened only to read it, so that nothing in it can be changed. Open it with the mode write.`
    throw new LatchkeyError('store_unusable', message)
  }

  function spend(...[id, spending]: Parameters<Store['spend']>): number | undefined {
    if (!spendsDurably) syncing?.syncSoon()
    checkpoints.wrote(1)
    return kept(() => spendOnce(id, spending))
  }

  /** Writes what nobody waits for, in a transaction that is on the disk within a second. */
  async function later<Result>(work: () => Work<Result>): Promise<Result | undefined> {
    const emptied = checkpoints.caughtUp()
    if (emptied !== undefined) await emptied
    return writing(() => {
      syncing?.syncSoon()
      return kept(() => transact(() => perform(work())))
    })
  }

  /** Bulks come one after the other: another that waited in the queue would keep up all that came after it. */
  async function bulk(commit: Parameters<Store['commit']>): Promise<readonly JournalEntry[] | undefined> {
    const asked = performance.now()
    const done = bulks.then(async () => {
      syncing?.mustSync()
      mustBeThere()
      if (performance.now() - asked < longestWait) return commitInPieces(file, writing, commit)
      const message = 'Nothing was changed: other calls with many changes have taken too long. Try again.'
      throw new LatchkeyError('unavailable', message)
    })
    const nothing = (): void => {}
    bulks = done.then(nothing, nothing)
    const entries = await done
    if (entries !== undefined) looks.committed(entries, 'beside')
    mustBeThere()
    checkpoints.wrote(commit[0].length)
    return entries
  }

  return {
    synced: () => syncing?.synced(),
    mustSync: () => syncing?.mustSync(),
    finish: () => syncing?.close(),

    async commit(...commit) {
      mustBeOpenToWrite()
      if (log !== undefined && commit[0].length > mostAtOnce) return durable(bulk(commit))
      return durable(
        writing(() => {
          const entries = kept(() => transact(() => perform(commitWork(commit, looks.readHead()))))
          looks.committed(entries ?? [])
          checkpoints.wrote(commit[0].length)
          return entries
        }),
      )
    },

    spend(id, spending) {
      mustBeOpenToWrite()
      const spent = writing(() => spend(id, spending), longestSpending)
      return spendsDurably ? durable(spent) : spent
    },

    noteFirstUse(hash, at) {
      if (mode === 'read') return true
      try {
        kept(() => transact(() => perform(noteFirstUse(hash, at))))
        return durable(true)
      } catch (error) {
        if (isBusy(error)) return false
        throw error
      }
    },

    async recordUsage({ counts, lastUsed }) {
      // A store that may not write cannot keep counts: they must not wait for a next time that never comes.
      if (mode === 'read') return { counts: [], lastUsed: new Map() }
      const uses = [...lastUsed]
      const written = await later(() => recordSomeUse(counts, uses))
      checkpoints.wrote(written ?? 0)
      return {
        counts: counts.slice(written),
        lastUsed: new Map(uses.slice(Math.max(0, (written ?? 0) - counts.length))),
      }
    },

    async recordRefusals(refusals, bounds) {
      if (mode === 'read') return []
      const written = await later(() => keepRefusals(refusals, bounds))
      checkpoints.wrote(written ?? 0)
      return refusals.slice(written)
    },

    async forgetUse(of, limit) {
      mustBeOpenToWrite()
      const forgotten = await writing(() => kept(() => transact(() => perform(forgetSomeUse(of, limit)))))
      checkpoints.wrote(forgotten ?? 0)
      return forgotten ?? 0
    },

    async purgeRows(before) {
      mustBeOpenToWrite()
      const purged = await later(() => purgeOldRows(before))
      const { usage: rows, usageSums: sums, refusals } = purged ?? { usage: 0, usageSums: 0, refusals: 0 }
      checkpoints.wrote(rows + sums + refusals)
      return { usage: rows, usageSums: sums, refusals }
    },

    async claimPurge({ holder, now, until }) {
      if (mode === 'read') return false
      return (await writing(() => kept(() => transact(() => run(claimPurge, [holder, now, until]))))) === 1
    },

    async declare({ scopes, prefix, environments }) {
      if (mode === 'write' || mode === 'read') return
      // A process that only creates a missing database must not overwrite the declarations of the application that made
      // it.
      if (mode === 'create' && row(sql.declared) !== undefined) return
      const values = [JSON.stringify(scopes), prefix, JSON.stringify(environments)]
      await durable(writing(() => kept(() => transact(() => run(sql.declare, values)))))
    },
  }
}
