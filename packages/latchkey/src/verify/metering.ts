import type { Quota } from '../policy/limits.ts'
import { nextPeriod, periodStart } from '../policy/limits.ts'
import type { Awaitable, KeyRecord, LimiterAnswer, Window } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import { attempting, awaiting } from './awaiting.ts'
import type { Active } from './cache.ts'
import type { KeyringParts } from './parts.ts'
import { quotaLeftOf } from './quota-left.ts'
import type { LimitState } from './verdict.ts'

/** What the limits and the quota of a key say of a call. */
export interface Metered {
  /** `undefined` where all of them admit it. */
  readonly refused: Extract<RefusalCode, 'over_limit' | 'quota_exhausted'> | undefined
  readonly states: readonly LimitState[]
  /** Seconds after which it can be admitted, if that ever comes. */
  readonly retryAfter: number | undefined
  /** What failed besides: the limits did not take back what they had counted. */
  readonly cause?: unknown
}

/** The last two steps of verify: all that a call costs is taken, or nothing is. */
export type Meter<Scope extends string> = (active: Active<Scope>, cost: number, dryRun: boolean) => Awaitable<Metered>

/**
 * Limits first, since they are asked in memory where there is one instance; the quota is written. If the quota then has
 * too little, or anything fails, the limits get back what they counted: a refused call spends nothing. States are as
 * they stand after the call; those of a dry run as they would.
 */
export function meterOf<Scope extends string>({
  store,
  limiter,
  clock,
}: Pick<KeyringParts<Scope>, 'store' | 'limiter' | 'clock'>): Meter<Scope> {
  return (active, cost, dryRun) => {
    const { windows, quota } = active
    if (windows.length === 0) return afterLimits(active, quota, { cost, dryRun, states: [] })
    const answer = dryRun ? limiter.peek(windows, cost) : limiter.take(windows, cost)
    return awaiting(answer, (counted) => {
      const states = windows.map((window, index) => stateOf(window, counted, index))
      if (!counted.admitted) return { refused: 'over_limit', states, retryAfter: waitOf(windows, counted) }
      const rest = (): Awaitable<Metered> => afterLimits(active, quota, { cost, dryRun, states })
      if (dryRun) return awaiting(rest(), (metered) => withoutCall(metered, cost))
      const giveBack = (): Awaitable<void> => limiter.giveBack(windows, cost, counted)
      return attempting<Metered, Metered>(
        rest,
        (metered) => (metered.refused === undefined ? metered : refusedAfter(giveBack, metered, cost)),
        (error) => failedAfter(giveBack, error),
      )
    })
  }

  /** @param states - of the limits, with the call counted. */
  function afterLimits(
    active: Active<Scope>,
    quota: Quota | null,
    call: { readonly cost: number; readonly dryRun: boolean; readonly states: readonly LimitState[] },
  ): Awaitable<Metered> {
    const { cost, dryRun, states } = call
    const { keyId } = active.counter
    if (quota === null) return { refused: undefined, states, retryAfter: undefined }

    const now = clock.now()
    const quotaState = (remaining: number, exceeded: boolean): LimitState => {
      const refills = nextPeriod(quota.refill, now)
      const reset = refills === null ? null : seconds(refills - now)
      return { name: 'quota', limit: quota.amount, window: null, remaining, reset, exceeded, reportOnly: false }
    }
    const admitted = (remaining: number): Metered => {
      return { refused: undefined, states: [...states, quotaState(remaining, false)], retryAfter: undefined }
    }
    const refused = (remaining: number): Metered => {
      const state = quotaState(remaining, true)
      // What costs more than a whole quota will never fit.
      const retryAfter = cost > quota.amount ? undefined : (state.reset ?? undefined)
      return { refused: 'quota_exhausted', states: [...states, state], retryAfter }
    }
    const remainingOf = (kept: KeyRecord | undefined): number =>
      kept === undefined ? 0 : (quotaLeftOf(quota, kept.quotas, now)?.remaining ?? 0)

    if (dryRun) {
      return awaiting(store.byId(keyId), (kept) => {
        const left = remainingOf(kept)
        return left < cost ? refused(left) : admitted(left - cost)
      })
    }
    return awaiting(store.spend(keyId, { cost, quota, period: periodStart(quota.refill, now) }), (left) => {
      if (left !== undefined) return admitted(left)
      return awaiting(store.byId(keyId), (kept) => {
        const current = kept === undefined ? quota : kept.key.quota
        // Somebody has changed it a moment ago, and this instance has not heard of it.
        if (JSON.stringify(current) !== JSON.stringify(quota)) return afterLimits(active, current, call)
        return refused(remainingOf(kept))
      })
    })
  }
}

/** A call that was refused once the limits had counted it: they get it back. If they do not take it, that is told too. */
function refusedAfter(giveBack: () => Awaitable<void>, metered: Metered, cost: number): Awaitable<Metered> {
  return attempting<void, Metered>(
    giveBack,
    () => withoutCall(metered, cost),
    (cause) => ({ ...metered, cause }),
  )
}

/** The same where something failed; that, and not what came of giving back, is what is told. */
function failedAfter(giveBack: () => Awaitable<void>, error: unknown): Awaitable<never> {
  const fail = (): never => {
    throw error
  }
  return attempting<void, never>(giveBack, fail, fail)
}

/** Of a refused call, the states of those that would have counted it, as they stand without it. */
function withoutCall(metered: Metered, cost: number): Metered {
  if (metered.refused === undefined) return metered
  const states = metered.states.map((state) => {
    return state.exceeded ? state : { ...state, remaining: state.remaining + cost }
  })
  return { ...metered, states }
}

/** Seconds until all windows that refuse have room; `undefined` if that never comes. */
function waitOf(windows: readonly Window[], { states }: LimiterAnswer): number | undefined {
  const waits = windows.map(({ reportOnly }, index) => (reportOnly === true ? 0 : (states[index]?.waitMs ?? 0)))
  const wait = Math.max(...waits)
  return Number.isFinite(wait) ? seconds(wait) : undefined
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
