import { setImmediate as nextTurn } from 'node:timers/promises'
import { chainFault } from '../../journal/chain-fault.ts'
import { hashEntry } from '../../journal/chain.ts'
import type { Clock, JournalHead, Store } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf, mustSeeAll } from '../authority.ts'

/** The end of the journal, and how far this process has checked it. */
export interface JournalHeadReport {
  /** The last entry, by its number and its hash: kept elsewhere, it is a checkpoint. `null` while there is none. */
  readonly head: JournalHead | null
  /** The number of the last entry that this process has checked; 0 before the first. */
  readonly checkedTo: number
  /** When it was checked, in milliseconds since 1970; `null` before the first check. */
  readonly checkedAt: number | null
  /** Whether all that was checked is as it was written. Emptied entries and rows are checked by `verifyJournal` only. */
  readonly intact: boolean
  /** If it is not: the number of the first entry that is wrong. */
  readonly faulty?: number
  /** If it is not: what is wrong with that entry. `rewritten`: it was another one when this process checked it. */
  readonly fault?: 'missing' | 'altered' | 'unchained' | 'rewritten'
}

/** A check of the journal in the background. */
export interface BackgroundCheck {
  /** What was checked until now. */
  readonly result: () => Omit<JournalHeadReport, 'head'>
  /** Checks some more, unless that is under way already. Resolves when it has; never rejects. */
  readonly goOn: () => Promise<void>
}

/** Entries in a piece, between two of which everything else has its turn. */
const piece = 200

/** Pieces in one go, of some milliseconds each: whoever asks all the time must not keep the process busy. */
const pieces = 100

/**
 * Checks the journal from where it was checked before. What was checked is remembered as long as the process runs; a fault
 * stays until then.
 */
export function backgroundCheckOf({
  store,
  clock,
}: {
  readonly store: Pick<Store, 'journal'>
  readonly clock: Pick<Clock, 'now'>
}): BackgroundCheck {
  let checked: JournalHead | undefined
  let checkedAt: number | null = null
  let wrong: Pick<JournalHeadReport, 'faulty' | 'fault'> | undefined
  let running: Promise<void> | undefined

  /** Answers whether there is more. */
  async function check(): Promise<boolean> {
    // With the last entry that was checked: if it is another one by now, all before it may be others too.
    const after = checked === undefined ? Number.MIN_SAFE_INTEGER : checked.seq - 1
    const entries = await store.journal({ after, limit: piece + 1 })
    if (checked !== undefined && entries[0]?.hash !== checked.hash) {
      wrong = { faulty: checked.seq, fault: 'rewritten' }
      return false
    }
    for (const entry of checked === undefined ? entries : entries.slice(1)) {
      const fault = chainFault(entry, checked, entry.emptiedBy !== undefined || entry.hash === hashEntry(entry))
      if (fault !== undefined) {
        wrong = { faulty: (checked?.seq ?? 0) + 1, fault }
        return false
      }
      checked = { seq: entry.seq, hash: entry.hash }
    }
    checkedAt = clock.now()
    return entries.length > piece
  }

  async function run(): Promise<void> {
    try {
      for (let done = 0; done < pieces && wrong === undefined && (await check()); done++) await nextTurn()
    } catch {
      // The store has failed, as whoever asks next is told. `checkedAt` says how old the check is.
    } finally {
      running = undefined
    }
  }

  return {
    result: () => ({ checkedTo: checked?.seq ?? 0, checkedAt, intact: wrong === undefined, ...wrong }),
    goOn: async () => (running ??= run()),
  }
}

/**
 * The function behind `Keyring.journalHead`.
 *
 * @throws LatchkeyError `beyond_delegation` for an admin key that does not see all keys: the end of the journal says how
 *   much is changed of those of others.
 */
export async function readJournalHead<Scope extends string>(
  parts: KeyringParts<Scope>,
  check: BackgroundCheck,
): Promise<JournalHeadReport> {
  mustSeeAll(await authorityOf(parts, 'journal:read'))
  const [last] = await parts.store.entries({ order: 'newest', position: undefined, limit: 1 })
  const result = check.result()
  void check.goOn()
  return { head: last === undefined ? null : { seq: last.entry.seq, hash: last.entry.hash }, ...result }
}
