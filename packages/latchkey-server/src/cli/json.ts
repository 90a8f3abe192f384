import type {
  ChangedOwner,
  Counts,
  Entry,
  Erased,
  JournalHeadReport,
  KeyDetails,
  KeyMembers,
  ListedOwner,
  RefusalRecord,
  Rotated,
  UsageCount,
  Verdict,
  Why,
} from 'latchkey'
import { iso } from './input/when.ts'
import { keyFields } from './key-fields.ts'
import { put } from './terminal/print.ts'

/** The answers for programs that contain times. */
type Answer =
  | KeyDetails
  | Rotated
  | ChangedOwner
  | Entry
  | Erased
  | JournalHeadReport
  | UsageCount
  | RefusalRecord
  | Verdict
  | Why
  | Counts
  | ListedOwner

/** The names of all numbers in an answer, at every depth; those in metadata mean what the application says. */
type NumberIn<Value> = Value extends readonly (infer Item)[]
  ? NumberIn<Item>
  : Value extends object
    ? {
        [Name in Exclude<keyof Value & string, 'metadata'>]-?: NonNullable<Value[Name]> extends number
          ? Name
          : NumberIn<NonNullable<Value[Name]>>
      }[Exclude<keyof Value & string, 'metadata'>]
    : never

/** Which numbers are times, in milliseconds since 1970. For the fields of a key, their table says it. */
const times: Readonly<Record<Exclude<NumberIn<Answer>, keyof KeyMembers<string>>, boolean>> = {
  at: true,
  createdAt: true,
  disabledAt: true,
  lastUsedAt: true,
  retiredAt: true,
  endsAt: true,
  oldEndsAt: true,
  oldLastUsedAt: true,
  refillsAt: true,
  since: true,
  until: true,
  hour: true,
  from: true,
  to: true,
  asOf: true,
  active: false,
  amount: false,
  checkedAt: true,
  checkedTo: false,
  confirmed: false,
  cost: false,
  disabled: false,
  expired: false,
  expiring: false,
  keys: false,
  owner_disabled: false,
  pending: false,
  revoked: false,
  count: false,
  emptiedBy: false,
  entry: false,
  faulty: false,
  instances: false,
  lapsed: false,
  limit: false,
  remaining: false,
  reset: false,
  retryAfter: false,
  revision: false,
  seq: false,
  status: false,
  waitedMs: false,
  window: false,
}

const isTime: ReadonlySet<string> = new Set([
  ...keyFields.flatMap(([member, { kind }]) => (kind.isTime === true ? [member] : [])),
  ...Object.entries(times).flatMap(([name, is]) => (is ? [name] : [])),
])

/** Prints an answer for programs on stdout, as one document on one line. */
export function putJson(answer: object): void {
  put(jsonText(answer))
}

/** An answer for programs, with times in ISO 8601. */
export function jsonText(answer: object): string {
  return JSON.stringify(withTimes(answer, ''))
}

function withTimes(value: unknown, name: string): unknown {
  if (typeof value === 'number') return isTime.has(name) ? iso(value) : value
  // The numbers in metadata are the application's own.
  if (typeof value !== 'object' || value === null || name === 'metadata') return value
  if (Array.isArray(value)) return value.map((item) => withTimes(item, name))
  return Object.fromEntries(Object.entries(value).map(([member, inner]) => [member, withTimes(inner, member)]))
}

/** Prints a report for programs. It contains no times: `at` is the number of a journal entry. */
export function putReport(report: object): void {
  put(JSON.stringify(report))
}
