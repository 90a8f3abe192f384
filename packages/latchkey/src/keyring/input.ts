import { LatchkeyError } from '../error.ts'

/** The bounds of what a key may carry. Every one is checked when the key is issued. */
export const bounds = {
  /** Characters in a name, an owner or an actor. */
  label: 120,
  /** Characters in the note on a revocation. */
  note: 500,
  /** Scopes granted to one key. */
  scopes: 100,
  /** Metadata: members, characters in a member's name, characters in its value. */
  metadata: { members: 32, name: 64, value: 500 },
  /** Keys on one page of a list. */
  page: 1000,
} as const

/** Refuses an argument, naming it and what it must be. The value itself is not repeated: it may be a secret in the wrong place. */
export function invalid(name: string, must: string): LatchkeyError {
  return new LatchkeyError('invalid_input', `${name} must be ${must}.`)
}

/** A text of 1 to `longest` characters without control characters, which could break a terminal, a log line or a database. */
export function text(name: string, value: unknown, longest: number): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > longest || /\p{Cc}|\p{Cs}/u.test(value)) {
    throw invalid(name, `a text of 1 to ${longest} characters without control characters`)
  }
  return value
}

/** A moment in whole milliseconds since 1970, or `null` for none. */
export function moment(name: string, value: unknown): number | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > 8.64e15) {
    throw invalid(name, 'a number of whole milliseconds since 1970, as Date.now() gives it, or null')
  }
  return value
}

/** A plain object of short texts. */
export function metadata(value: unknown): Readonly<Record<string, string>> {
  const { members, name: longestName, value: longestValue } = bounds.metadata
  if (value === undefined) return {}
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length > members) {
    throw invalid('metadata', `an object with at most ${members} members`)
  }
  const copy: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, member] of Object.entries(value)) {
    text('The name of a member of metadata', name, longestName)
    copy[name] = text('Every value in metadata', member, longestValue)
  }
  return copy
}

/** One of a few words. */
export function oneOf<Word extends string>(name: string, value: unknown, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) throw invalid(name, `one of ${words.join(', ')}`)
  return word
}
