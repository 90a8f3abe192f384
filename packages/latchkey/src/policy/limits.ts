/** At most `limit` in any interval of `window` seconds, counted on its own name. */
export interface Limit {
  /** Names the window in answers (`RateLimit-Policy`) and in the journal: lower-case letters, digits, `-`, `_`. */
  readonly name: string
  /** What is admitted in any interval of the window's length: calls, or what they cost. */
  readonly limit: number
  /** Seconds. */
  readonly window: number
  /** Counts whom it would have refused, and refuses nobody. */
  readonly reportOnly?: boolean
}

/** The periods after which a quota may be filled up again. */
export const refills: readonly ['day', 'month'] = ['day', 'month']

/** What the name of a limit looks like: it stands in fields of answers and in the journal. */
export const limitName: RegExp = /^[a-z][a-z0-9_-]{0,31}$/

/** How often a quota is filled up again: at the first millisecond of each UTC day or month, or never. */
export type Refill = (typeof refills)[number] | null

/** So many calls (or what they cost), and then none until it is refilled. */
export interface Quota {
  readonly amount: number
  readonly refill: Refill
}

/**
 * The first millisecond of the period that `now` lies in; 0 for a quota that is never refilled.
 *
 * @example periodStart('month', Date.UTC(2030, 4, 17)) // Date.UTC(2030, 4, 1)
 */
export function periodStart(refill: Refill, now: number): number {
  if (refill === null) return 0
  const date = new Date(now)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), refill === 'month' ? 1 : date.getUTCDate())
}

/** The first millisecond of the next period; `null` for a quota that is never refilled. */
export function nextPeriod(refill: Refill, now: number): number | null {
  if (refill === null) return null
  const date = new Date(now)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  return refill === 'month' ? Date.UTC(year, month + 1, 1) : Date.UTC(year, month, date.getUTCDate() + 1)
}
