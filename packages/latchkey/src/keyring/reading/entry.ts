import type { EntryListItem, JournalEntry, NamedKey } from '../../ports.ts'
import type { Authority } from '../authority.ts'

/** An entry of the journal, as it is read. */
export interface Entry extends Omit<JournalEntry, 'change'> {
  /** The name of the admin key that made the change; `null` if something else did, or the reader does not see it. */
  readonly actorName: string | null
  /** The name that the key has now; `null` if the entry is on an owner, or the reader does not see the key. */
  readonly subjectName: string | null
  /**
   * What changed. The hash of the entry is over this, as `JSON.stringify` writes it. If something else than Latchkey has
   * written the entry and it is no object: `{ text }`.
   */
  readonly change: Readonly<Record<string, unknown>>
}

/** Shows an entry to those with this authority. */
export function entryOf(
  {
    entry: { seq, at, actor, action, subject, change, previous, hash, emptiedBy },
    subjectKey,
    actorKey,
  }: EntryListItem,
  { sees }: Pick<Authority, 'sees'>,
): Entry {
  const nameOf = (key: NamedKey | undefined): string | null => (key !== undefined && sees(key) ? key.name : null)
  return {
    seq,
    at,
    actor,
    actorName: nameOf(actorKey),
    action,
    subject,
    subjectName: nameOf(subjectKey),
    change: changeOf(change),
    previous,
    hash,
    ...(emptiedBy === undefined ? {} : { emptiedBy }),
  }
}

function changeOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const change: unknown = JSON.parse(text)
    if (typeof change === 'object' && change !== null && !Array.isArray(change)) return change as Entry['change']
  } catch {
    // Told as it is, below.
  }
  return { text }
}
