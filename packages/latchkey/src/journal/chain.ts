import { hash } from 'node:crypto'
import type { JournalDraft, JournalEntry, JournalHead } from '../ports.ts'

/** The value of `previous` in the first entry. */
export const genesis: string = '0'.repeat(64)

/**
 * Gives a draft its place after the head. The hash is over a JSON array in a fixed order, so every field is covered and
 * none can flow into the next.
 */
export function chain(draft: JournalDraft, head: JournalHead | undefined): JournalEntry {
  const { at, actor, action, subject, change } = draft
  const placed = { seq: (head?.seq ?? 0) + 1, at, actor, action, subject, change, previous: head?.hash ?? genesis }
  return { ...placed, hash: hashEntry(placed) }
}

/** The hash of an entry, over everything in it. */
export function hashEntry({ seq, at, actor, action, subject, change, previous }: Omit<JournalEntry, 'hash'>): string {
  return hash('sha256', JSON.stringify([seq, at, actor, action, subject, change, previous]), 'hex')
}
