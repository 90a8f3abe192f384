import type { Quota } from '../policy/limits.ts'
import { nextPeriod, periodStart } from '../policy/limits.ts'
import type { QuotaState } from '../ports.ts'

/** The remaining amount of a quota in the present period. */
export interface QuotaLeft {
  /** Calls, or what they cost. */
  readonly remaining: number
  /** When it is filled up again, in milliseconds since 1970; `null` if never. */
  readonly refillsAt: number | null
}

/** The remaining amount of a quota at `now`: all of it if nothing was spent in this period. */
export function quotaLeftOf(quota: Quota | null, states: readonly QuotaState[], now: number): QuotaLeft | null {
  if (quota === null) return null
  const current = periodStart(quota.refill, now)
  const remaining = states.find(({ period }) => period === current)?.remaining ?? quota.amount
  return { remaining, refillsAt: nextPeriod(quota.refill, now) }
}
