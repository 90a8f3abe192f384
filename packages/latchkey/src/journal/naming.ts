import type { JournalEntry } from '../ports.ts'
import { membersOfText } from './change-text.ts'
import type { Snapshot } from './snapshot.ts'
import { rowsTold } from './snapshot-rows.ts'
import { subjectOfOwner } from './subject.ts'

/** Whether the change of an entry names an owner: as that of the key, before or after, or in a delegation. */
export function names({ change }: Pick<JournalEntry, 'change'>, owner: string): boolean {
  const { before, after, ...members } = membersOfText(change)
  return [members, before, after].some((one) => {
    const { owner: of, delegation } = (one ?? {}) as { readonly owner?: unknown; readonly delegation?: unknown }
    return of === owner || ((delegation ?? {}) as { readonly owner?: unknown }).owner === owner
  })
}

/** The rows of a snapshot but for that of an owner; `undefined` if it has none. */
export function rowsWithout(entry: JournalEntry, owner: string): Snapshot['rows'] | undefined {
  const rows = rowsTold(entry)
  const others = rows.filter(([subject]) => subject !== subjectOfOwner(owner))
  return others.length === rows.length ? undefined : others
}
