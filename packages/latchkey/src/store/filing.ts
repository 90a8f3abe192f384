import type { AuditedFiling, JournalEntry } from '../ports.ts'
import type { SqlValue } from './sql.ts'
import * as sql from './sql.ts'
import type { Work } from './work.ts'
import { row, rows, run } from './work.ts'

/** The owner of a key, and its environment. */
export interface Holder {
  readonly owner: string
  readonly environment: string
}

/** A place of an entry: in the journal of an owner. */
export interface Filing extends Holder {
  /** -1 if the owner gives the key away with this entry, 1 if it gets it, 0 otherwise. */
  readonly moved: -1 | 0 | 1
}

type Written = Pick<JournalEntry, 'seq' | 'at' | 'action' | 'subject' | 'change'> & {
  readonly emptied_by: number | null
}

/** The environment of an entry on an owner itself. */
const ofOwnerItself = ''

/** Where an entry on an owner is filed. */
export function filingOfOwner(owner: string): readonly Filing[] {
  return [{ owner, environment: ofOwnerItself, moved: 0 }]
}

/**
 * Where an entry on a key is filed.
 *
 * @param before - the owner that the key had until then; the same for a new key.
 */
export function filingOfKey({ owner, environment }: Holder, before: string): readonly Filing[] {
  if (owner === before) return [{ owner, environment, moved: 0 }]
  return [
    { owner: before, environment, moved: -1 },
    { owner, environment, moved: 1 },
  ]
}

/** Files the entries that a version before this one has written, in pieces. */
export function* fileAll(): Work<void> {
  for (let after = 0; ;) {
    const entries = yield* rows<Written>(sql.entriesToFile, [after, piece])
    for (const entry of entries) {
      after = entry.seq
      const filings = yield* filingSaid(entry)
      for (const one of filings ?? []) yield* run(sql.fileEntry, filingValues(one, entry))
    }
    if (entries.length < piece) return
  }
}

const piece = 1000

/** The entries after one, each with whether it is filed as it says. What an emptied one no longer says is not judged. */
export function* auditFiling(after: number, limit: number): Work<readonly AuditedFiling[]> {
  const entries = yield* rows<Written>(sql.writtenEntries, [after, limit])
  const filed = yield* rows<Filing & Pick<JournalEntry, 'seq' | 'action'>>(sql.filings, [
    after,
    entries.at(-1)?.seq ?? after,
  ])
  const bySeq = Map.groupBy(filed, ({ seq }) => seq)
  const audited: AuditedFiling[] = []
  for (const entry of entries) {
    const expected = yield* filingSaid(entry)
    const found = bySeq.get(entry.seq) ?? []
    // An entry that erased a key is in nobody's journal once its owner is erased too.
    const unfiled = entry.action === 'erase' && found.length === 0
    const sound = expected === undefined || unfiled || isSilent(entry) || isFiled(entry, expected, found)
    audited.push({ seq: entry.seq, subject: entry.subject, sound })
  }
  return audited
}

function isFiled(
  { action }: Written,
  expected: readonly Filing[],
  found: readonly (Filing & Pick<JournalEntry, 'action'>)[],
): boolean {
  return textOf(expected) === textOf(found) && found.every((one) => one.action === action)
}

function textOf(filings: readonly Filing[]): string {
  return JSON.stringify(filings.map(({ owner, environment, moved }) => [owner, environment, moved]))
}

/** The values of `fileEntry`. */
export function filingValues(
  { owner, environment, moved }: Filing,
  { seq, at, action }: Pick<JournalEntry, 'seq' | 'at' | 'action'>,
): readonly SqlValue[] {
  return [owner, seq, at, environment, moved, action]
}

/** Where an entry is filed by what it says, and by what those before it say of its key; `undefined` if it does not say. */
function* filingSaid({ seq, action, subject, change }: Written): Work<readonly Filing[] | undefined> {
  if (action === 'snapshot' || subject === 'retention') return []
  if (subject.startsWith('owner:')) return filingOfOwner(subject.slice('owner:'.length))
  const members = membersOf(change)
  if (action === 'issue' || action === 'import') {
    const { owner, environment } = members
    if (typeof owner !== 'string' || typeof environment !== 'string') return undefined
    return filingOfKey({ owner, environment }, owner)
  }
  const holder = yield* row<Holder>(sql.holderBefore, [subject, seq])
  if (holder === undefined) return undefined
  const { owner = holder.owner } = { ...(members['after'] as object | undefined) } as { readonly owner?: unknown }
  if (action !== 'change' || typeof owner !== 'string') return filingOfKey(holder, holder.owner)
  return filingOfKey({ ...holder, owner }, holder.owner)
}

/** Every entry of this version has at least the digest of its rows; an emptied one may still say what was left of it before. */
function isSilent({ change, emptied_by: emptiedBy }: Written): boolean {
  return emptiedBy !== null || Object.keys(membersOf(change)).length === 0
}

/** The members of an entry; none if something else than Latchkey has written it. */
function membersOf(change: string): Readonly<Record<string, unknown>> {
  try {
    return { ...(JSON.parse(change) as object | null) }
  } catch {
    return {}
  }
}
