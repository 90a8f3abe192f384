import { InvalidArgumentError } from 'commander'
import type { Delegation, JsonValue, Limit, Metadata, QuotaOptions } from 'latchkey'
import { each, words as wordsOf } from '../input/flags.ts'
import { limitOf, limitText, quotaOf, quotaText } from '../input/limits.ts'
import { iso, timeAhead, timeOfIso } from '../input/when.ts'

/** How values of one kind are read and shown. */
export interface Kind<Value> {
  /** Reads a flag; `before` is the value of the same flag, if it was given before. */
  fromFlag?(text: string, before: Value | undefined): Value
  /**
   * Reads the value in a line of an import: a text, as in a CSV, or a value of JSON. It passes on what it does not
   * understand, and the keyring refuses it by name.
   *
   * @throws InvalidArgumentError for a text that cannot be one.
   */
  fromFile(value: unknown): unknown
  /** Whether it is a time: programs read it in ISO 8601. */
  readonly isTime?: true
  /** Whether a CSV has a column for each of its parts, such as `metadata.plan`. */
  readonly inParts?: true
  shown(value: Value): string
  /** The same in one cell of a list, where programs split it. */
  inCell?(value: Value): string
}

/** A kind with a flag. */
type Typed<Value> = Kind<Value> & Required<Pick<Kind<Value>, 'fromFlag'>>

export const text: Typed<string> = {
  fromFlag: (value) => value,
  fromFile: (value) => value,
  shown: (value) => value,
}

export const timestamp: Typed<number> = {
  fromFlag: timeAhead,
  // A span is not allowed: it would mean another time whenever the file is imported.
  fromFile: (value) => (typeof value === 'string' ? isoTime(value) : value),
  isTime: true,
  shown: iso,
}

export const words: Typed<readonly string[]> = {
  fromFlag: wordsOf,
  fromFile: (value) => (typeof value === 'string' ? wordsOfField(value) : value),
  shown: (value) => value.join(', '),
  inCell: (value) => value.join(' '),
}

export const limits: Typed<readonly Limit[]> = {
  fromFlag: each(limitOf),
  fromFile(value) {
    const list: unknown = typeof value === 'string' ? wordsOfField(value) : value
    return Array.isArray(list) ? list.map((one: unknown) => (typeof one === 'string' ? limitOf(one) : one)) : list
  },
  shown: (value) => value.map(limitText).join(', '),
}

export const quota: Typed<QuotaOptions> = {
  fromFlag: quotaOf,
  fromFile: (value) => (typeof value === 'string' ? quotaOf(value) : value),
  shown: quotaText,
}

export const pairs: Typed<Metadata> = {
  fromFlag(pair, before = {}) {
    const [, name = '', isJson, value = ''] = /^([^=]+?)(:)?=([^]*)$/.exec(pair) ?? []
    if (name === '') throw new InvalidArgumentError('It must be name=text or name:=JSON.')
    return { ...before, [name]: isJson === undefined ? value : jsonOf(value) }
  },
  fromFile: (value) => value,
  inParts: true,
  shown: (value) =>
    Object.entries(value)
      .map(([name, member]) =>
        typeof member === 'string' ? `${name}=${member}` : `${name}:=${JSON.stringify(member)}`,
      )
      .join(', '),
}

function jsonOf(json: string): JsonValue {
  try {
    return JSON.parse(json) as JsonValue
  } catch {
    throw new InvalidArgumentError('What follows := must be JSON, such as 5, true, null or {"a":1}.')
  }
}

/** A delegation has no flag of its own: each of its members has one. */
export const delegation: Kind<Delegation> = {
  fromFile: (value) => value,
  shown: ({ owner }) => owner ?? 'all owners',
}

/** The words of one field of a CSV. */
function wordsOfField(field: string): readonly string[] {
  return field.split(/[\s;]+/).filter((word) => word !== '')
}

function isoTime(value: string): number {
  const at = timeOfIso(value)
  if (at === undefined) throw new InvalidArgumentError('It must be a time in ISO 8601, such as 2030-01-31T12:00:00Z.')
  return at
}
