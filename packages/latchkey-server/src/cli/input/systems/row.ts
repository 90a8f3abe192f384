import { InvalidArgumentError } from 'commander'
import type { Loose } from '../lines.ts'

/** A key as it is taken over: its fields, and what of the row has no place in them; or why the row is left out. */
export type Taken = { readonly fields: Loose; readonly losses: readonly string[] } | { readonly leftOut: string }

/** The values of a row of another system. Databases write the same value in several ways. */
export interface Row {
  /** A text or a number, as a text; `undefined` if there is none. */
  text(column: string): string | undefined
  /** The same of a column that every row has. */
  mustHave(column: string): string
  number(column: string): number | undefined
  boolean(column: string): boolean | undefined
  /** The same of a column that every row has. Without `whenEmpty`, it must not be empty. */
  mustSay(column: string, whenEmpty?: boolean): boolean
  /** Milliseconds since 1970, from seconds or milliseconds if it is a number. Times without a zone are UTC. */
  time(column: string): number | undefined
  /** JSON, as a text or as a value; `null` for NULL, and `undefined` if there is no such column. */
  json(column: string): unknown
}

/** @throws InvalidArgumentError from every method, for a value that cannot be one. It never shows the value. */
export function rowOf(row: Loose): Row {
  const refuse = (column: string, what: string): never => {
    throw new InvalidArgumentError(`its column ${column} ${what}`)
  }
  const text: Row['text'] = (column) => {
    const value = row[column]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value === 'string') return value
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : refuse(column, 'is not a text')
  }
  const missing = (column: string): never => refuse(column, 'is missing: take the query of the guide')
  const boolean: Row['boolean'] = (column) => {
    const value = text(column)?.toLowerCase()
    if (value === undefined) return undefined
    if (['1', 'true', 't'].includes(value)) return true
    return ['0', 'false', 'f'].includes(value) ? false : refuse(column, 'is neither true nor false')
  }
  return {
    text,
    mustHave: (column) => text(column) ?? missing(column),
    number(column) {
      const value = text(column)
      const number = Number(value)
      if (value !== undefined && !Number.isFinite(number)) refuse(column, 'is not a number')
      return value === undefined ? undefined : number
    },
    boolean,
    mustSay: (column, whenEmpty) => (column in row ? (boolean(column) ?? whenEmpty) : undefined) ?? missing(column),
    time(column) {
      const value = text(column)
      if (value === undefined) return undefined
      const at = timeOf(value)
      return Number.isNaN(at) ? refuse(column, 'is not a time in ISO 8601, seconds or milliseconds') : at
    },
    json(column) {
      const value = row[column]
      if (typeof value !== 'string') return value
      try {
        return value === '' ? undefined : (JSON.parse(value) as unknown)
      } catch {
        return refuse(column, 'is not JSON')
      }
    },
  }
}

/** A time as SQLite, PostgreSQL and MySQL write it: ISO 8601, with a space for the T, with a short zone, or as a number. */
function timeOf(value: string): number {
  // In milliseconds, 13 digits last until the year 2286. More are microseconds, or a fault.
  if (/^\d{1,13}$/.test(value)) return value.length > 11 ? Number(value) : Number(value) * 1000
  const [, date, clock = '00:00:00', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d(?::?\d\d)?)?)?$/.exec(value) ?? []
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone
  return date === undefined ? NaN : Date.parse(`${date}T${clock.replace(/(\.\d{3})\d+$/, '$1')}${offset}`)
}

/** The time of issue. A row without one, or with one to come, is issued when it is imported, and the same line again is equal. */
export function issueOf(at: number | undefined, now: number): { readonly createdAt?: number } {
  return at === undefined || at > now ? {} : { createdAt: at }
}

/** Limits that callers may have of one window, from its length in milliseconds. */
export function limitFrom(
  name: string,
  { limit, milliseconds }: { readonly limit: number; readonly milliseconds: number },
): { readonly limits: readonly object[]; readonly losses: readonly string[] } {
  const window = Math.ceil(milliseconds / 1000)
  if (limit < 1 || window < 1 || window > 2_678_400) {
    return { limits: [], losses: ['its limit: a window has 1 second to 31 days, and admits at least 1 call'] }
  }
  return { limits: [{ name, limit, window }], losses: [] }
}
