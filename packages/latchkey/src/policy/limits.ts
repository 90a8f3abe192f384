/** A limit: at most so many calls in any interval of `window` seconds. */
export interface Limit {
  /** Names the window in answers (`RateLimit-Policy`) and in the journal: lower-case letters, digits, `-`, `_`. */
  readonly name: string
  /**
   * The total cost of the calls that are admitted in any interval of that length; a call costs 1 by default. 1 to
   * 1,000,000,000.
   */
  readonly limit: number
  /** Seconds, 1 to 2,678,400 (31 days). */
  readonly window: number
  /** Report only: counts the calls that it would have refused, and refuses none. */
  readonly reportOnly?: boolean
  /**
   * What to do with a call while instances that share a limiter cannot reach it: admit it within this instance's share,
   * which is the limit divided by the number of instances, or refuse it as `unavailable`. `share` if left out. A
   * limiter in the memory of one process can always be reached.
   */
  readonly whenUnavailable?: LimitFallback
}

/** What a limit does while the limiter that instances share cannot be reached. */
export const limitFallbacks: readonly ['share', 'refuse'] = ['share', 'refuse']

/** What a limit does while the limiter that instances share cannot be reached. */
export type LimitFallback = (typeof limitFallbacks)[number]

/** The periods after which a quota may be filled up again: a UTC hour, day, week (from Monday on) or month. */
export const refills: readonly ['hour', 'day', 'week', 'month'] = ['hour', 'day', 'week', 'month']

/** The pattern of the name of a limit: 1 to 32 lower-case letters, digits, `-` and `_`, a letter first. */
export const limitName: RegExp = /^[a-z][a-z0-9_-]{0,31}$/

/** How often a quota is filled up again: at the first millisecond of each UTC hour, day, week or month, or never. */
export type Refill = (typeof refills)[number] | null

/** A quota: so many calls in a period, and then none until it is filled up again. */
export interface Quota {
  /** Calls, or what they cost. 0 to 1,000,000,000,000. */
  readonly amount: number
  /** When it is filled up again; `null` is never. */
  readonly refill: Refill
}

/**
 * The first millisecond of the period that `now` lies in; 0 for a quota that is never refilled.
 *
 * @example periodStart('month', Date.UTC(2030, 4, 17)) // Date.UTC(2030, 4, 1)
 */
export function periodStart(refill: Refill, now: number): number {
  return refill === null ? 0 : periodFrom(refill, now, 0)
}

/** The first millisecond of the next period; `null` for a quota that is never refilled. */
export function nextPeriod(refill: Refill, now: number): number | null {
  return refill === null ? null : periodFrom(refill, now, 1)
}

/** The beginning of the period that is so many periods after that of `now`. */
function periodFrom(refill: NonNullable<Refill>, now: number, later: number): number {
  const date = new Date(now)
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()]
  if (refill === 'hour') return Date.UTC(year, month, day, date.getUTCHours() + later)
  if (refill === 'day') return Date.UTC(year, month, day + later)
  // A week begins on Monday (ISO 8601); `getUTCDay` counts from Sunday.
  if (refill === 'week') return Date.UTC(year, month, day - ((date.getUTCDay() + 6) % 7) + 7 * later)
  return Date.UTC(year, month + later, 1)
}
