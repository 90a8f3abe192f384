import type { JournalEntry, JournalHead } from '../ports.ts'
import { genesis } from './chain.ts'

/** What can be wrong with an entry in its place. */
type ChainFault = 'missing' | 'altered' | 'unchained'

/**
 * The fault of an entry, after the one before it; `undefined` if there is none.
 *
 * @param isAsWritten - whether the entry matches its hash.
 */
export function chainFault(
  entry: JournalEntry,
  before: JournalHead | undefined,
  isAsWritten: boolean,
): ChainFault | undefined {
  if (entry.seq !== (before?.seq ?? 0) + 1) return 'missing'
  if (!isAsWritten) return 'altered'
  return entry.previous === (before?.hash ?? genesis) ? undefined : 'unchained'
}
