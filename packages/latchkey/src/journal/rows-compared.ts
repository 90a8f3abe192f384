import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Action, AuditedKey, JournalEntry, Store } from '../ports.ts'
import { membersOfText } from './change-text.ts'
import { digestOfKey, digestOfOwner } from './row-digest.ts'
import { rowsTold } from './snapshot-rows.ts'
import { subjectOfOwner } from './subject.ts'

/** The faults of a key or an owner, compared with the journal. */
export const rowFaults: readonly ['altered', 'added', 'missing', 'unrecorded', 'misfiled'] = [
  'altered',
  'added',
  'missing',
  'unrecorded',
  'misfiled',
]

/** A key or an owner that is not as the journal says. */
export interface RowFault {
  /** The id of a key, or `owner:` and the name of an owner. */
  readonly subject: string
  /**
   * - `altered`: the row, or a secret of the key, is not as its last entry says.
   * - `added`: no entry is about it, or the last one says that it was erased or purged.
   * - `missing`: the journal has entries about it, but it does not exist.
   * - `misfiled`: an entry about it is in the journal of an owner that did not have it then, or not in that of one that had.
   * - `unrecorded`: an older version has stored it, and the journal does not say how it stood; `latchkey migrate` makes it so.
   */
  readonly fault: (typeof rowFaults)[number]
}

/** Rows that are read at a time. */
const page = 500

/** Faults that are named. */
const most = 1000

/** The actions after which the rows of a key or an owner are no longer there. */
const endings: ReadonlySet<Action> = new Set(['erase', 'purge'])

/** The digests in snapshots, for rows whose own entries have none. */
export interface Snapshots {
  readonly read: (entry: JournalEntry) => void
  readonly of: (subject: string) => { readonly seq: number; readonly state: string } | undefined
}

/** Held in memory: there are snapshots only in a database that is older than they are. */
export function openSnapshots(): Snapshots {
  const states = new Map<string, { readonly seq: number; readonly state: string }>()
  return {
    read(entry) {
      for (const [subject, state] of rowsTold(entry)) states.set(subject, { seq: entry.seq, state })
    },
    of: (subject) => states.get(subject),
  }
}

/**
 * Compares rows with their entries in the journal, which was found intact. A row that changes meanwhile is read
 * together with its last entry, so it is not a fault.
 */
export async function compareRows(
  store: Store,
  snapshots: Snapshots,
): Promise<{ readonly rows: number; readonly faults: readonly RowFault[]; readonly more: boolean }> {
  const faults: RowFault[] = []
  let rows = 0

  /** @param of - with the digest and the revision of its row; without, where the row cannot be read. */
  function compare(of: { subject: string; revision?: number; state?: string; last: AuditedKey['last'] }): void {
    const { subject, revision, last } = of
    rows++
    if (last === undefined || endings.has(last.action)) return void faults.push({ subject, fault: 'added' })
    const snapshot = snapshots.of(subject)
    // The entry of the row itself comes first: a snapshot could vouch for anything that is added to the list of the unrecorded.
    const expected =
      stateIn(last.change) ?? (snapshot !== undefined && snapshot.seq > last.seq ? snapshot.state : undefined)
    if (expected === undefined) faults.push({ subject, fault: 'unrecorded' })
    else if (expected !== of.state || revision !== last.seq) faults.push({ subject, fault: 'altered' })
  }

  for (let after: number | undefined; faults.length <= most;) {
    const audited = await store.auditKeys(after, page)
    for (const { place, id, key, secrets, last } of audited) {
      after = place
      const row = key === undefined ? {} : { revision: key.revision, state: digestOfKey(key, secrets) }
      compare({ subject: id, ...row, last })
    }
    if (audited.length < page) break
    await nextTurn()
  }
  for (let after: string | undefined; faults.length <= most;) {
    const audited = await store.auditOwners(after, page)
    for (const { name, owner, last } of audited) {
      after = name
      const row = owner === undefined ? {} : { revision: owner.revision, state: digestOfOwner(owner) }
      compare({ subject: subjectOfOwner(name), ...row, last })
    }
    if (audited.length < page) break
    await nextTurn()
  }
  const missing = new Set<string>()
  for (let after = 0; faults.length + missing.size <= most;) {
    const found = await store.auditMissing(after, page)
    for (const { seq, subject } of found) {
      after = seq
      missing.add(subject)
    }
    if (found.length < page) break
    await nextTurn()
  }
  for (const subject of missing) faults.push({ subject, fault: 'missing' })
  const named = new Set(faults.map(({ subject }) => subject))
  const misfiled = new Set<string>()
  for (let after = 0; faults.length + misfiled.size <= most;) {
    const audited = await store.auditFiling(after, page)
    for (const { seq, subject, sound } of audited) {
      after = seq
      if (!sound && !named.has(subject)) misfiled.add(subject)
    }
    if (audited.length < page) break
    await nextTurn()
  }
  for (const subject of misfiled) faults.push({ subject, fault: 'misfiled' })
  return { rows, faults: faults.slice(0, most), more: faults.length > most }
}

/** How the rows stood after an entry; `undefined` if it does not say. */
function stateIn(change: string): string | undefined {
  const state = membersOfText(change)['state']
  return typeof state === 'string' ? state : undefined
}
