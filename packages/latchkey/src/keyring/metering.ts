import type { Quota } from '../policy/limits.ts'
import { nextPeriod, periodStart } from '../policy/limits.ts'
import type { Awaitable, Kept, LimiterAnswer, Window } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import { awaiting } from './awaiting.ts'
import type { Active } from './cache.ts'
import { quotaLeftOf } from './key.ts'
import type { KeyringParts } from './parts.ts'
import type { LimitState } from './verdict.ts'

/** What the limits and the quota of a key say of a call. */
export interface Metered {
  /** `undefined` where all of them admit it. */
  readonly refused: Extract<RefusalCode, 'over_limit' | 'quota_exhausted'> | undefined
  readonly states: readonly LimitState[]
  /** Seconds after which it can be admitted, if that ever comes. */
  readonly retryAfter: number | undefined
}

/** The last two steps of verify: all that a call costs is taken, or nothing is. */
export type Meter<Scope extends string> = (active: Active<Scope>, cost: number, dryRun: boolean) => Awaitable<Metered>

/**
 * Limits first, since they are asked in memory where there is one instance; the quota is written. If the quota then has
 * too little, the limits get back what they counted: a refused call spends nothing. States are as they stand after the
 * call; those of a dry run as they would.
 */
export function meterOf<Scope extends string>({
  store,
  limiter,
  clock,
}: Pick<KeyringParts<Scope>, 'store' | 'limiter' | 'clock'>): Meter<Scope> {
  return (active, cost, dryRun) => {
    const { windows } = active
    const { quota } = active
    if (windows.length === 0) return afterLimits(active, quota, { counted: undefined, cost, dryRun })
    const answer = dryRun ? limiter.peek(windows, cost) : limiter.take(windows, cost)
    return awaiting(answer, (counted) => afterLimits(active, quota, { counted, cost, dryRun }))
  }

  function afterLimits(
    active: Active<Scope>,
    quota: Quota | null,
    {
      counted,
      cost,
      dryRun,
    }: { readonly counted: LimiterAnswer | undefined; readonly cost: number; readonly dryRun: boolean },
  ): Awaitable<Metered> {
    const { windows, tally } = active
    const states = counted === undefined ? [] : windows.map((window, index) => stateOf(window, counted, index))
    if (counted?.admitted === false) {
      const waits = windows.map(({ reportOnly }, index) =>
        reportOnly === true ? 0 : (counted.states[index]?.waitMs ?? 0),
      )
      const wait = Math.max(...waits)
      return { refused: 'over_limit', states, retryAfter: Number.isFinite(wait) ? seconds(wait) : undefined }
    }
    if (quota === null) return { refused: undefined, states, retryAfter: undefined }

    const now = clock.now()
    const quotaState = (remaining: number, exceeded: boolean): LimitState => {
      const refills = nextPeriod(quota.refill, now)
      const reset = refills === null ? null : seconds(refills - now)
      return { name: 'quota', limit: quota.amount, window: null, remaining, reset, exceeded, reportOnly: false }
    }
    /** Of those that counted the call, as they stand without it. */
    const uncounted = (state: LimitState): LimitState => {
      return state.exceeded ? state : { ...state, remaining: state.remaining + cost }
    }
    const admitted = (remaining: number): Metered => {
      return { refused: undefined, states: [...states, quotaState(remaining, false)], retryAfter: undefined }
    }
    const refused = (remaining: number): Metered => {
      const state = quotaState(remaining, true)
      // What costs more than a whole quota will never fit.
      const retryAfter = cost > quota.amount ? undefined : (state.reset ?? undefined)
      return { refused: 'quota_exhausted', states: [...states.map(uncounted), state], retryAfter }
    }
    const remainingOf = (kept: Kept | undefined): number =>
      kept === undefined ? 0 : (quotaLeftOf(quota, kept.quotas, now)?.remaining ?? 0)

    if (dryRun) {
      return awaiting(store.byId(tally.keyId), (kept) => {
        const left = remainingOf(kept)
        return left < cost ? refused(left) : admitted(left - cost)
      })
    }
    return awaiting(spend(active, quota, { counted, cost, now }), (left) => {
      if (left !== undefined) return admitted(left)
      return awaiting(store.byId(tally.keyId), (kept) => {
        const current = kept === undefined ? quota : kept.key.quota
        // Somebody has changed it a moment ago, and this instance has not heard of it.
        if (JSON.stringify(current) !== JSON.stringify(quota))
          return afterLimits(active, current, { counted, cost, dryRun })
        return awaiting(giveBack(windows, cost, counted), () => refused(remainingOf(kept)))
      })
    })
  }

  /** Spends from the quota. If the store fails, the limits get back what they counted. */
  function spend(
    { tally, windows }: Active<Scope>,
    quota: Quota,
    {
      counted,
      cost,
      now,
    }: { readonly counted: LimiterAnswer | undefined; readonly cost: number; readonly now: number },
  ): Awaitable<number | undefined> {
    const failed = (error: unknown): Awaitable<never> => {
      return awaiting(giveBack(windows, cost, counted), () => {
        throw error
      })
    }
    try {
      const left = store.spend(tally.keyId, { cost, quota, period: periodStart(quota.refill, now) })
      return left instanceof Promise ? left.catch(failed) : left
    } catch (error) {
      return failed(error)
    }
  }

  function giveBack(windows: readonly Window[], cost: number, counted: LimiterAnswer | undefined): Awaitable<void> {
    return counted === undefined ? undefined : limiter.giveBack(windows, cost, counted)
  }
}

function stateOf(
  { name, limit, window, reportOnly = false }: Window,
  { states }: LimiterAnswer,
  index: number,
): LimitState {
  const { remaining = 0, resetMs = 0, waitMs = 0 } = states[index] ?? {}
  return { name, limit, window, remaining, reset: seconds(resetMs), exceeded: waitMs > 0, reportOnly }
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
