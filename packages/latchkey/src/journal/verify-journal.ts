import { setImmediate as nextTurn } from 'node:timers/promises'
import { invalid, membersOf, objectOf, integer } from '../input.ts'
import type { JournalHead, Store } from '../ports.ts'
import { chainFault } from './chain-fault.ts'
import { hashEntry } from './chain.ts'
import { openEmptyings } from './emptied.ts'
import type { RowFault } from './rows-compared.ts'
import { compareRows, openSnapshots } from './rows-compared.ts'

const page = 1000

/**
 * The faults of the journal itself: an entry is missing or altered, its hash is not chained to the one before, the end
 * was cut off, or all of it is not the one that the checkpoint was noted in.
 */
export const journalFaults: readonly ['missing', 'altered', 'unchained', 'cut', 'rewritten'] = [
  'missing',
  'altered',
  'unchained',
  'cut',
  'rewritten',
]

/** The result of a check of the journal. */
export type JournalReport =
  | {
      readonly intact: true
      readonly entries: number
      readonly head: JournalHead | undefined
      /** The number of keys and owners that match the journal, if the call compared them. */
      readonly compared?: number
    }
  | {
      readonly intact: false
      /** How many entries are sound before the fault. */
      readonly entries: number
      /** The sequence number from which the journal is no longer as it was written. */
      readonly at: number
      readonly fault: (typeof journalFaults)[number]
      /**
       * With `rows` and `cut`: the rows whose entry number lies beyond the end of the journal, and the other rows that
       * do not match it.
       */
      readonly rows?: readonly RowFault[]
      readonly more?: boolean
    }
  | {
      /** The journal is as it was written, but rows do not match it. */
      readonly intact: false
      readonly entries: number
      readonly head: JournalHead | undefined
      readonly fault: 'rows'
      /** The first of them; `more` where there are others. */
      readonly rows: readonly RowFault[]
      readonly more: boolean
    }

/** The checks to make besides that of the chain. */
export interface VerifyJournalOptions {
  /**
   * A head that was noted earlier and kept elsewhere. A program that can write to the database can also compute a new
   * chain; only a head kept where it cannot write reveals that.
   */
  readonly checkpoint?: JournalHead
  /** Compares keys, their secrets and owners with their journal entries. */
  readonly rows?: boolean
}

const verifyJournalOptions = membersOf<VerifyJournalOptions>({ checkpoint: true, rows: true })

/**
 * Reads the whole journal and checks that it is as it was written: numbered without a gap, every entry matching its
 * hash or emptied as a later entry says, every hash chained to the one before, and not shorter than the keys say. With
 * `rows`, also that keys, secrets and owners are what it says.
 *
 * @throws LatchkeyError `invalid_input` for a checkpoint that is not one.
 */
export async function verifyJournal(store: Store, options: VerifyJournalOptions = {}): Promise<JournalReport> {
  objectOf('The options of verifyJournal', options, verifyJournalOptions)
  const { checkpoint, rows = false } = options
  if (typeof rows !== 'boolean') throw invalid('rows', 'true or false')
  if (checkpoint !== undefined) {
    const { seq, hash: text } = objectOf('checkpoint', checkpoint, ['seq', 'hash'])
    // A checkpoint that no entry can meet would be passed over, and the journal called intact.
    integer('checkpoint.seq', seq, { least: 1, most: Number.MAX_SAFE_INTEGER })
    if (typeof text !== 'string' || !/^[0-9a-f]{64}$/.test(text))
      throw invalid('checkpoint.hash', '64 hexadecimal digits')
  }
  // Read first: keys that change while the journal is being read must not look newer than its end.
  const newest = await store.newestRevision()
  let head: JournalHead | undefined
  const snapshots = openSnapshots()
  const emptyings = openEmptyings()
  const faulty = (
    at: number,
    fault: (typeof journalFaults)[number],
  ): Extract<JournalReport, { readonly at: number }> => {
    return { intact: false, entries: at - 1, at, fault }
  }
  for (;;) {
    // From below the first number on: an entry in front of the first one is a fault, too.
    const entries = await store.journal({ after: head?.seq ?? Number.MIN_SAFE_INTEGER, limit: page })
    for (const entry of entries) {
      const expected = (head?.seq ?? 0) + 1
      const isAsWritten = entry.emptiedBy === undefined ? entry.hash === hashEntry(entry) : emptyings.emptied(entry)
      const fault = chainFault(entry, head, isAsWritten)
      if (fault !== undefined) return faulty(expected, fault)
      if (checkpoint?.seq === entry.seq && checkpoint.hash !== entry.hash) return faulty(expected, 'rewritten')
      const misstated = emptyings.read(entry)
      if (misstated !== undefined) return faulty(misstated, 'altered')
      head = { seq: entry.seq, hash: entry.hash }
      if (rows) snapshots.read(entry)
    }
    if (entries.length < page) break
    // If the store answers at once, all other work would otherwise wait until the end.
    await nextTurn()
  }
  const unanswered = emptyings.unanswered()
  if (unanswered !== undefined) return faulty(unanswered, 'altered')
  const reached = head?.seq ?? 0
  const cut = reached < newest || reached < (checkpoint?.seq ?? 0) ? faulty(reached + 1, 'cut') : undefined
  if (!rows) return cut ?? { intact: true, entries: reached, head }
  const compared = await compareRows(store, snapshots)
  // The end of the journal was cut off, or a row was given a later entry number by hand.
  if (cut !== undefined) return { ...cut, rows: compared.faults, more: compared.more }
  if (compared.faults.length === 0) return { intact: true, entries: reached, head, compared: compared.rows }
  return { intact: false, entries: reached, head, fault: 'rows', rows: compared.faults, more: compared.more }
}
