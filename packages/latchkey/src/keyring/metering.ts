import { nextPeriod, periodStart } from '../policy/limits.ts'
import type { Awaitable, LimiterAnswer, Window } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import type { Active } from './cache.ts'
import { bounds, whole } from './input.ts'
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
 * too little, the limits get back what they counted: a refused call spends nothing.
 */
export function meterOf<Scope extends string>({
  store,
  limiter,
  clock,
}: Pick<KeyringParts<Scope>, 'store' | 'limiter' | 'clock'>): Meter<Scope> {
  return (active, cost, dryRun) => {
    const { windows } = active
    // A cost below nothing would give, and one that is not a number would never fill a window.
    whole('cost', cost, 0, bounds.cost)
    if (windows.length === 0) return spend(active, undefined, cost, dryRun)
    const answer = dryRun ? limiter.peek(windows, cost) : limiter.take(windows, cost)
    if (answer instanceof Promise) return answer.then((late) => spend(active, late, cost, dryRun))
    return spend(active, answer, cost, dryRun)
  }

  function spend(
    active: Active<Scope>,
    counted: LimiterAnswer | undefined,
    cost: number,
    dryRun: boolean,
  ): Awaitable<Metered> {
    const { windows, quota, tally } = active
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
    const finish = (left: number | undefined, remaining: number): Metered => {
      const refills = nextPeriod(quota.refill, now)
      const reset = refills === null ? null : seconds(refills - now)
      const state: LimitState = {
        name: 'quota',
        limit: quota.amount,
        window: null,
        remaining,
        reset,
        exceeded: left === undefined,
      }
      // What costs more than a whole quota will never fit.
      const retryAfter = left === undefined && cost <= quota.amount ? (reset ?? undefined) : undefined
      return { refused: left === undefined ? 'quota_exhausted' : undefined, states: [...states, state], retryAfter }
    }
    if (dryRun) {
      const look = (kept: Awaited<ReturnType<typeof store.byId>>): Metered => {
        const remaining = quotaLeftOf(quota, kept?.quota, now)?.remaining ?? 0
        return finish(remaining < cost ? undefined : remaining, remaining)
      }
      const kept = store.byId(tally.keyId)
      return kept instanceof Promise ? kept.then(look) : look(kept)
    }

    const period = periodStart(quota.refill, now)
    const settle = (left: number | undefined): Awaitable<Metered> => {
      if (left !== undefined) return finish(left, left)
      const refused = finish(undefined, 0)
      return giveBack(windows, cost, counted, refused)
    }
    try {
      const left = store.spend(tally.keyId, { cost, amount: quota.amount, period })
      if (!(left instanceof Promise)) return settle(left)
      return left.then(settle, async (error: unknown) => {
        await giveBack(windows, cost, counted, undefined)
        throw error
      })
    } catch (error) {
      const given = giveBack(windows, cost, counted, undefined)
      if (!(given instanceof Promise)) throw error
      return given.then(() => {
        throw error
      })
    }
  }

  function giveBack<Result>(
    windows: readonly Window[],
    cost: number,
    counted: LimiterAnswer | undefined,
    result: Result,
  ): Awaitable<Result> {
    const given = counted === undefined ? undefined : limiter.giveBack(windows, cost, counted)
    return given instanceof Promise ? given.then(() => result) : result
  }
}

function stateOf({ name, limit, window }: Window, { states }: LimiterAnswer, index: number): LimitState {
  const { remaining = 0, resetMs = 0, waitMs = 0 } = states[index] ?? {}
  return { name, limit, window, remaining, reset: seconds(resetMs), exceeded: waitMs > 0 }
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
