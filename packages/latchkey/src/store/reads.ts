import type { EntryListItem, JournalEntry, JournalHead, UsageCount } from '../ports.ts'
import { auditFiling } from './filing.ts'
import { countQuery, ownerQuery, suspendedQuery } from './count-queries.ts'
import type { CountRow, OwnerCountRow, SuspendedRow } from './count-rows.ts'
import { countedOfRow, ownersOfRows } from './count-rows.ts'
import { jsonOf } from './foreign-value.ts'
import type { KeyRow } from './key-columns.ts'
import { keyOfRow } from './key-columns.ts'
import type { EntryRow, LastRow, OwnerRow, RefusalRow, SecretRow } from './rows.ts'
import { lastOfRow, namedKeysOfRow, ownerOfRow, refusalOfRow, secretOfRow } from './rows.ts'
import { countEnded, countOldRows, countRevoked } from './purge-sql.ts'
import * as sql from './sql.ts'
import { usageQuery } from './usage-sql.ts'
import { usageSumsOf } from './usage-sums.ts'
import type { Engine } from './engine.ts'
import { listOf } from './list.ts'
import type { Work, Working } from './work.ts'
import { audited, rows } from './work.ts'

/** The methods of a store that may have to read very many rows. */
export type ReadName =
  | 'list'
  | 'owners'
  | 'counts'
  | 'journal'
  | 'entries'
  | 'auditFiling'
  | 'auditKeys'
  | 'auditOwners'
  | 'auditMissing'
  | 'newestRevision'
  | 'entriesNaming'
  | 'usage'
  | 'usageSums'
  | 'refusals'
  | 'grants'
  | 'countPurgeable'

/** Entries that are searched at a time. */
const stretch = 20_000

/** An entry as engines give it. */
type PlainRow = Omit<JournalEntry, 'emptiedBy'> & { readonly emptiedBy: number | null }

/** Those that read more than once, and must do so at one point in time. */
export const atOneMoment: ReadonlySet<string> = new Set<ReadName>([
  'list',
  'counts',
  'auditFiling',
  'auditKeys',
  'entriesNaming',
  'usageSums',
  'countPurgeable',
])

/** The reads of an engine. */
export function readsOf(engine: Engine): Working<ReadName> {
  const { wholeText } = engine
  return {
    list: (filter) => listOf(filter, engine),

    *owners(filter) {
      const { text, values } = ownerQuery(filter)
      return ownersOfRows(yield* rows<OwnerCountRow>(text, values))
    },

    *counts(filter) {
      const { text, values } = countQuery(filter)
      const counted = yield* rows<CountRow>(text, values)
      if (filter.owner !== undefined) return counted.map((one) => countedOfRow(one))
      const ofDisabled = suspendedQuery(filter)
      const suspended = yield* rows<SuspendedRow>(ofDisabled.text, ofDisabled.values)
      const byEnvironment = new Map(suspended.map((one) => [one.environment, one]))
      return counted.map((one) => countedOfRow(one, byEnvironment.get(one.environment)))
    },

    *journal(filter) {
      const { text, values } = sql.journalQuery(filter, wholeText)
      return (yield* audited<PlainRow>(text, values)).map(entryOfRow)
    },

    *entries(filter) {
      const { text, values } = sql.entriesQuery(filter, wholeText)
      return (yield* audited<EntryRow>(text, values)).map(entryItemOfRow)
    },

    auditFiling,

    *auditKeys(after, limit) {
      const keys = yield* audited<KeyRow & LastRow & { place: number }>(sql.auditKeys, [after ?? null, limit])
      const upTo = keys.at(-1)?.place ?? null
      const secrets = yield* audited<SecretRow & { place: number }>(sql.auditSecrets, [after ?? null, upTo])
      const byPlace = Map.groupBy(secrets, ({ place }) => place)
      return keys.map((found) => ({
        place: found.place,
        id: String(found['id']),
        key: unlessUnreadable(() => keyOfRow(found)),
        secrets: (byPlace.get(found.place) ?? []).map(secretOfRow),
        last: lastOfRow(found),
      }))
    },

    *auditOwners(after, limit) {
      return (yield* audited<OwnerRow & LastRow>(sql.auditOwners, [after ?? null, limit])).map((owner) => ({
        name: owner.owner,
        owner: unlessUnreadable(() => ownerOfRow(owner)),
        last: lastOfRow(owner),
      }))
    },

    *auditMissing(after, limit) {
      const found = yield* audited<Pick<JournalEntry, 'seq' | 'subject'>>(sql.auditMissing, [after, limit])
      return found.map((entry) => ({ ...entry }))
    },

    *entriesNaming(owner, after) {
      const head = (yield* rows<JournalHead>(sql.head))[0]?.seq ?? 0
      const upTo = Math.min(head, after + stretch)
      const { text, values } = sql.namingQuery({ owner, after, upTo }, wholeText)
      return { entries: (yield* audited<PlainRow>(text, values)).map(entryOfRow), upTo, more: upTo < head }
    },

    *newestRevision() {
      return (yield* audited<{ revision: number }>(sql.newestRevision, []))[0]?.revision ?? 0
    },

    usageSums: usageSumsOf,

    *usage(filter) {
      const { text, values } = usageQuery(filter)
      return (yield* rows<UsageCount>(text, values)).map((counted) => ({ ...counted }))
    },

    *refusals(filter) {
      const { text, values } = sql.refusalsQuery(filter)
      return (yield* rows<RefusalRow>(text, values)).map(refusalOfRow)
    },

    *countPurgeable(before) {
      const { revokedKeys, endedSecrets } = before
      const counted = { keys: 0, secrets: 0, usage: 0, usageSums: 0, refusals: 0 }
      if (revokedKeys !== undefined) counted.keys = yield* countOf(countRevoked, [revokedKeys])
      if (endedSecrets !== undefined) counted.secrets = yield* countOf(countEnded, [endedSecrets, revokedKeys ?? 0])
      for (const [kind, text] of countOldRows) {
        const end = before[kind]
        if (end !== undefined) counted[kind] += yield* countOf(text, [end])
      }
      return counted
    },

    *grants(environments) {
      const { text, values } = sql.grantsQuery(environments)
      const lists = yield* rows<{ scopes: string }>(text, values)
      return [...new Set(lists.flatMap(({ scopes }) => jsonOf(scopes, 'latchkey_keys', 'scopes') as readonly string[]))]
    },
  }
}

function* countOf(text: string, values: readonly number[]): Work<number> {
  return (yield* rows<{ count: number }>(text, values))[0]?.count ?? 0
}

/**
 * An entry as it was read. Bytes without a NUL are not text and stay bytes: Latchkey did not write such an entry
 * either.
 */
function entryOfRow({ emptiedBy, ...row }: PlainRow): JournalEntry {
  const { actor, action, subject, change, previous, hash } = row
  const entry = emptiedBy === null ? row : { ...row, emptiedBy }
  if (![actor, action, subject, change, previous, hash].some(isBytes)) return entry
  const values = Object.entries(entry).map(([name, value]: [string, unknown]) => {
    const text = isBytes(value) ? new TextDecoder().decode(value) : ''
    return [name, text.includes('\0') ? text : value]
  })
  return Object.fromEntries(values) as JournalEntry
}

function entryItemOfRow(row: EntryRow): EntryListItem {
  const { seq, at, actor, action, subject, change, previous, hash, emptiedBy } = row
  const entry = { seq, at, actor, action, subject, change, previous, hash, emptiedBy }
  return { entry: entryOfRow(entry), ...namedKeysOfRow(row) }
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

function unlessUnreadable<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
