import { hasMembers, invalid, membersOf, objectOf } from './options.ts'
import { canonicalRange } from './policy/addresses.ts'
import type { Limit, Quota } from './policy/limits.ts'
import { limitFallbacks, limitName, refills } from './policy/limits.ts'
import { holdsSecret } from './secret/find.ts'

export { hasMembers, invalid, membersOf, objectOf } from './options.ts'

/** The bounds of stored values. Every bound is checked before a value is stored. */
export const bounds = {
  /** Characters in a name, an owner or an actor. */
  label: 120,
  /** Characters in the note on a change. */
  note: 500,
  /** Scopes granted to one key. */
  scopes: 100,
  /**
   * Metadata: bytes of it as JSON, levels of lists and objects, characters in a member's name; members that a list may ask
   * for, and characters in a text of one.
   */
  metadata: { bytes: 16_384, depth: 8, name: 64, asked: { members: 5, text: 500 } },
  /** Ranges of addresses on one key. */
  addresses: 100,
  /** Limits of one key or one owner; what a limit admits; its window in seconds (31 days). */
  limits: { count: 8, limit: 1_000_000_000, window: 2_678_400 },
  /** The largest amount of a quota. */
  quota: 1_000_000_000_000,
  /** The highest cost of one call. */
  cost: 1_000_000,
  /** Keys issued or imported with one call. */
  bulk: 1000,
  /** Credentials verified with one call. */
  batch: 100,
  /** Keys or entries on one page of a list. */
  page: 1000,
  /** Characters that may be shown of a secret that was made elsewhere. */
  start: 16,
  /** Characters before the hashed part of a secret that was made elsewhere. */
  before: 64,
  /**
   * Random bits of a secret that was made elsewhere. With fewer, a person who has the database can find the secret from
   * its hash.
   */
  bits: { least: 64, most: 4096 },
  /** Characters in the id of a request. */
  requestId: 200,
  /** Characters in a route as it was declared. */
  route: 500,
  /** Characters of a cursor: three labels, each of whose characters takes up to six bytes as JSON. */
  cursor: 4096,
  /** Counts in one answer about usage. */
  usage: 10_000,
  /** Steps and series of one answer with sums of usage, and the days of one by key or owner. */
  usageSeries: { points: 800, top: 50, days: 93 },
  /** Milliseconds since 1970: the last that a date can have. */
  timestamp: 8_640_000_000_000_000,
  /** Characters in an Idempotency-Key. */
  idempotencyKey: 200,
  /** Seconds for which an old secret may go on working after a rotation (400 days). */
  grace: 34_560_000,
} as const

/**
 * Characters that are invisible, or that turn the direction of writing: two texts could look alike. Controls, formats,
 * separators, surrogates, private and ignored characters, spaces other than U+0020, and what decoders write for bytes that
 * they cannot read.
 */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\ufffd]|(?! )\p{Zs}/u

/** The same, but for the signs that choose between the two looks of a character: people write them with emoji. */
const unseenInProse = new RegExp(`(?![\\ufe0e\\ufe0f])(?:${unseen.source})`, 'u')

/**
 * A text of 1 to `longest` characters that looks like what it is, and like no other: names of people and things. In the
 * one normal form (NFC), so that a stored text and a requested one are the same.
 */
export function text(name: string, value: unknown, longest: number): string {
  return seen(name, value, { longest, refused: unseen })
}

/** A text that may be left out, in free words. */
export function note(value: unknown): string | null {
  if (value === undefined || value === null) return null
  return seen('note', value, { longest: bounds.note, refused: unseenInProse })
}

function seen(
  name: string,
  value: unknown,
  { longest, refused }: { readonly longest: number; readonly refused: RegExp },
): string {
  const normal = anyText(name, typeof value === 'string' ? value.normalize() : value, longest)
  if (normal !== normal.trim() || refused.test(normal)) {
    throw invalid(name, 'a text without spaces at its ends and without characters that are not seen')
  }
  return normal
}

/**
 * A text of 1 to `longest` characters without control characters, which could break a terminal, a log line or a
 * database; otherwise unchanged: only programs compare it.
 */
export function anyText(name: string, value: unknown, longest: number): string {
  if (typeof value !== 'string' || value.trim() === '' || value.length > longest || /\p{Cc}|\p{Cs}/u.test(value)) {
    throw invalid(name, `a text of 1 to ${longest} characters without control characters`)
  }
  if (holdsSecret(value)) {
    throw invalid(name, 'a text without a secret in it, and there is one: it would be kept and shown. Rotate its key')
  }
  return value
}

/** A whole number within bounds. */
export function integer(
  name: string,
  value: unknown,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least || value > most) {
    throw invalid(name, `a whole number from ${least} to ${most}`)
  }
  return value
}

/** A timestamp in whole milliseconds since 1970, or `null` for none. */
export function timestamp(name: string, value: unknown): number | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > bounds.timestamp) {
    throw invalid(name, 'a number of whole milliseconds since 1970, as Date.now() gives it, or null')
  }
  return value
}

/**
 * Ranges of addresses in their canonical form. An empty list is refused: it would be a key that
 * no caller can use, or, read carelessly, one that every caller can.
 */
export function addresses(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > bounds.addresses) {
    throw invalid('addresses', `a list of 1 to ${bounds.addresses} ranges, or null for anywhere`)
  }
  const ranges = value.map((range: unknown, index) => {
    const canonical = typeof range === 'string' ? canonicalRange(range) : undefined
    if (canonical === undefined) throw invalid(`addresses[${index}]`, 'an address or a range such as 192.0.2.0/24')
    return canonical
  })
  return [...new Set(ranges)]
}

const limitMembers = membersOf<Limit>({
  name: true,
  limit: true,
  window: true,
  reportOnly: true,
  whenUnavailable: true,
})

/** Named windows. */
export function limits(value: unknown): readonly Limit[] {
  const { count, limit: mostAdmitted, window: longest } = bounds.limits
  if (!Array.isArray(value) || value.length > count) throw invalid('limits', `a list of at most ${count}`)
  const names = new Set<string>()
  return value.map((item: unknown, index) => {
    const place = `limits[${index}]`
    const {
      name,
      limit,
      window,
      reportOnly = false,
      whenUnavailable: outage = 'share',
    } = objectOf(place, item, limitMembers)
    if (typeof name !== 'string' || !limitName.test(name)) {
      throw invalid(`${place}.name`, '1 to 32 lower-case letters, digits, - and _, beginning with a letter')
    }
    // In answers it stands for the quota.
    if (name === 'quota') throw invalid(`${place}.name`, 'different from quota')
    if (names.has(name)) throw invalid(`${place}.name`, 'different from the names before it')
    names.add(name)
    if (typeof reportOnly !== 'boolean') throw invalid(`${place}.reportOnly`, 'true or false')
    const refuses = oneOf(`${place}.whenUnavailable`, outage, limitFallbacks) === 'refuse'
    return {
      name,
      limit: integer(`${place}.limit`, limit, { least: 1, most: mostAdmitted }),
      window: integer(`${place}.window`, window, { least: 1, most: longest }),
      ...(reportOnly ? { reportOnly } : {}),
      // The default is not stored, so that a limit that is declared with it is the same as one without.
      ...(refuses ? { whenUnavailable: 'refuse' as const } : {}),
    }
  })
}

/** A quota as a caller requests it, and its remaining amount if the caller gives it. */
export function quota(value: unknown): { readonly quota: Quota; readonly remaining: number | undefined } {
  const { amount, refill = null, remaining } = objectOf('quota', value, ['amount', 'refill', 'remaining'])
  const period = refill === null ? null : oneOf('quota.refill', refill, refills)
  const most = integer('quota.amount', amount, { least: 0, most: bounds.quota })
  return {
    quota: { amount: most, refill: period },
    remaining: remaining === undefined ? undefined : integer('quota.remaining', remaining, { least: 0, most }),
  }
}

/**
 * The amount that a caller adds to what is left of a quota, negative if it takes it away; `undefined` if the caller asks
 * for something else.
 */
export function quotaStep(value: unknown): number | undefined {
  if (!hasMembers(value) || !('add' in value || 'take' in value)) return undefined
  const { add, take } = objectOf('quota', value, ['add', 'take'])
  if (add !== undefined && take !== undefined) throw invalid('quota', 'an amount to add or one to take, and not both')
  const most = { least: 1, most: bounds.quota }
  return take === undefined ? integer('quota.add', add, most) : -integer('quota.take', take, most)
}

/** One of a few words. */
export function oneOf<Word extends string>(name: string, value: unknown, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === value)
  if (word === undefined) throw invalid(name, `one of ${words.join(', ')}`)
  return word
}
