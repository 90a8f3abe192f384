import type { Awaitable } from '../ports.ts'
import { attempting, awaiting } from './awaiting.ts'
import type { Conditions } from './cached-key.ts'
import { limitsAnswer } from './limits.ts'
import type { Metered, MeteredCall } from './metered.ts'
import type { KeyringParts } from './parts.ts'
import { meterQuota } from './quota.ts'

/** The last two steps of verify: a call takes all that it costs, or nothing. */
export type Meter = (conditions: Pick<Conditions, 'windows' | 'quota'>, call: MeteredCall) => Awaitable<Metered>

/**
 * Asks the limits first, because they are in memory where there is one process; the quota is written to the store. If the
 * quota then has too little, or anything fails, the limits get back what they counted: a refused call spends nothing. The
 * states are those after the call; a dry run has the states that would be.
 */
export function meterOf<Scope extends string>(parts: Pick<KeyringParts<Scope>, 'store' | 'limiter' | 'clock'>): Meter {
  const { limiter } = parts
  return ({ windows, quota }, call) => {
    const { cost, dryRun } = call
    if (windows.length === 0) return meterQuota(parts, quota, call)
    return awaiting(dryRun ? limiter.peek(windows, cost) : limiter.take(windows, cost), (answer) => {
      const limits = limitsAnswer(windows, answer)
      if (limits.refused !== undefined || quota === null) return limits
      const both = (metered: Metered): Metered => ({ ...metered, states: [...limits.states, ...metered.states] })
      if (dryRun) return awaiting(meterQuota(parts, quota, call), (metered) => withoutRefused(both(metered), cost))
      const giveBack = (): Awaitable<void> => limiter.giveBack(windows, cost, answer)
      return attempting<Metered, Metered>(
        () => meterQuota(parts, quota, call),
        (metered) => (metered.refused === undefined ? both(metered) : refusedAfter(giveBack, both(metered), cost)),
        (error) => failedAfter(giveBack, error),
      )
    })
  }
}

/** Gives a call back to the limits that the quota has refused. A failure to do so becomes the cause of the refusal. */
function refusedAfter(giveBack: () => Awaitable<void>, metered: Metered, cost: number): Awaitable<Metered> {
  return attempting<void, Metered>(
    giveBack,
    () => withoutRefused(metered, cost),
    (cause) => ({ ...metered, cause }),
  )
}

/** Gives a call back to the limits that has failed, and throws its own error, whatever comes of giving back. */
function failedAfter(giveBack: () => Awaitable<void>, error: unknown): Awaitable<never> {
  const fail = (): never => {
    throw error
  }
  return attempting<void, never>(giveBack, fail, fail)
}

/** The states as they are without a call that was refused; those of an admitted call stay. */
function withoutRefused(metered: Metered, cost: number): Metered {
  if (metered.refused === undefined) return metered
  const states = metered.states.map((state) => {
    return state.exceeded ? state : { ...state, remaining: state.remaining + cost }
  })
  return { ...metered, states }
}
