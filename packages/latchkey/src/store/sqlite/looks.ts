import type { DatabaseSync } from 'node:sqlite'
import type { ChangesSince, JournalEntry, JournalHead, Touched } from '../../ports.ts'
import { foreignValue } from '../foreign-value.ts'
import * as sql from '../sql.ts'
import type { Statements } from './statements.ts'
import type { Transactions } from './transactions.ts'

/** How many changes a look names before it says `everything`. */
const namedChanges = 1000

/** Looks at the end of the journal. */
export interface Looks {
  readonly changesSince: (after: JournalHead | undefined) => ChangesSince
  /** The end of the journal, read anew. */
  readonly readHead: () => JournalHead | undefined
  /** Called with the entries of every commit of this store itself; `beside` if on another connection of its own. */
  readonly committed: (entries: readonly JournalEntry[], beside?: 'beside') => void
}

/** @param onShared - called once when another process is seen to accept calls on the same file. */
export function looksOf({
  database,
  statements: { rows, row },
  transactions: { atOneMoment, mustBeCurrent },
  onShared,
}: {
  readonly database: DatabaseSync
  readonly statements: Pick<Statements, 'rows' | 'row'>
  readonly transactions: Pick<Transactions, 'atOneMoment' | 'mustBeCurrent'>
  readonly onShared: (() => void) | undefined
}): Looks {
  const others = sharing(onShared)
  const dataVersion = database.prepare('PRAGMA data_version')
  let seenVersion: unknown
  let head: JournalHead | undefined
  let imported: ChangesSince['imported'] = []

  const readHead = readHeadOf({ row })

  function readImported(): ChangesSince['imported'] {
    return rows<{ kind: ChangesSince['imported'][number] }>(sql.imported).map(({ kind }) => kind)
  }

  return {
    readHead,

    changesSince(after) {
      if (seenVersion === dataVersion.get()?.['data_version'] && isSame(head, after)) {
        return { head, changed: [], imported }
      }
      return atOneMoment(() => {
        mustBeCurrent()
        const version = dataVersion.get()?.['data_version']
        const latest = readHead()
        if (version !== seenVersion) imported = readImported()
        others.seen(latest?.seq ?? 0, seenVersion !== undefined && version !== seenVersion)
        head = latest
        // Only now: if reading failed, the next look must not believe that it had seen this version.
        seenVersion = version
        if (after !== undefined && row<JournalHead>(sql.hashAt, [after.seq])?.hash !== after.hash) {
          return { head, changed: 'everything', imported }
        }
        const changed = rows<Touched>(sql.changedSince, [after?.seq ?? 0, namedChanges + 1])
        if (changed.length > namedChanges) return { head, changed: 'everything', imported }
        const named = changed.map(({ seq, action, subject, previous, hash }) => ({
          seq,
          action,
          subject,
          previous,
          hash,
        }))
        return { head, changed: named, imported }
      })
    },

    committed(entries, beside) {
      // Our own commits do not change `data_version` for us, except those beside.
      if (beside !== undefined) others.committedBeside()
      const last = entries.at(-1)
      if (last !== undefined) head = { seq: last.seq, hash: last.hash }
      others.committed(entries.length)
      if (entries.some(({ action }) => action === 'import')) seenVersion = undefined
    },
  }
}

/**
 * Finds out whether other processes write data that is not in the journal (usage, quotas, first uses), as a process
 * that accepts calls does.
 */
function sharing(tell: (() => void) | undefined): {
  /** Called after a commit of this store itself. */
  readonly committed: (entries: number) => void
  /** Called after a commit on another connection of this store, which looks like another process. */
  readonly committedBeside: () => void
  /** @param written - whether another process has written since the look before. */
  readonly seen: (seq: number, written: boolean) => void
} {
  let reported = tell === undefined
  let [reached, ours] = [0, 0]
  let beside = false
  return {
    committed(entries) {
      ours += entries
    },
    committedBeside() {
      beside = true
    },
    seen(seq, written) {
      const unclear = beside
      beside = false
      const theirs = seq - reached - ours
      reached = seq
      ours = 0
      if (reported || unclear || !written || theirs !== 0) return
      reported = true
      // After the look, because the callback may do anything.
      queueMicrotask(() => tell?.())
    },
  }
}

function isSame(one: JournalHead | undefined, other: JournalHead | undefined): boolean {
  return one?.seq === other?.seq && one?.hash === other?.hash
}

/** Reads the end of the journal on one connection. */
export function readHeadOf({ row }: Pick<Statements, 'row'>): () => JournalHead | undefined {
  return () => {
    const found = row<JournalHead>(sql.head)
    if (found === undefined) return undefined
    // The sequence number of the entry after it could not be read.
    if (found.seq >= Number.MAX_SAFE_INTEGER)
      throw foreignValue('latchkey_journal.seq', `a number that is too large (${found.seq})`)
    return { seq: found.seq, hash: found.hash }
  }
}
