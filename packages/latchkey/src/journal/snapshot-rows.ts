import type { JournalEntry } from '../ports.ts'
import { membersOfText } from './change-text.ts'
import type { Snapshot } from './snapshot.ts'

/**
 * The rows whose digests an entry tells: a snapshot, or the one that has emptied it and tells the rest anew. None if the
 * entry was emptied, because the chain no longer covers what is left of it; and none if Latchkey did not write it, so
 * that its rows stay `unrecorded`.
 */
export function rowsTold({ action, change, emptiedBy }: JournalEntry): Snapshot['rows'] {
  if (emptiedBy !== undefined || (action !== 'snapshot' && action !== 'erase')) return []
  const { rows } = membersOfText(change)
  if (!Array.isArray(rows)) return []
  return rows.filter((row): row is Snapshot['rows'][number] => {
    return Array.isArray(row) && typeof row[0] === 'string' && typeof row[1] === 'string'
  })
}
