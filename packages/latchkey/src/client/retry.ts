import type { LatchkeyError } from '../error.ts'

/** A request that has no good answer. */
export interface Failure {
  readonly error: LatchkeyError
  /**
   * What is known of the request. `undone`: the server has not begun with it. `lost`: it may have been done. `running`: the
   * server is still doing it. `final`: the same request would fail again.
   */
  readonly fate: 'undone' | 'lost' | 'running' | 'final'
  /** Seconds that the answer asks to wait. */
  readonly retryAfter?: number | undefined
}

/** When a request is sent again. */
export interface RetryOptions {
  /** How often at most. */
  readonly retries: number
  /** Whether it may be sent again although it may have been done. */
  readonly repeatable: boolean
  /** A number from 0 up to 1. */
  readonly random: () => number
}

/** The longest wait before the first repetition, in milliseconds. It doubles with each. */
const firstWait = 100

/** What it grows to. */
const longestWait = 2000

/** How often a request that was lost is asked for once more while the server is still doing it. */
const patience = 4

/** How long a server may take to finish what is running, in milliseconds: a rotation may be replaced after a second. */
const runningWait = 1100

/**
 * Decides about one call.
 *
 * @returns a function that takes each failure of the call, and says after how many milliseconds the request is sent
 *   again; `undefined` if it is not.
 */
export function retryOf({ retries, repeatable, random }: RetryOptions): (failure: Failure) => number | undefined {
  let sentAgain = 0
  let asked = 0
  let lost = false
  return ({ fate, retryAfter = 0 }) => {
    // Without a loss, what is running is another call, which this one must not wait for.
    if (fate === 'running') return lost && asked++ < patience ? runningWait : undefined
    if (fate === 'final' || (fate === 'lost' && !repeatable) || sentAgain === retries) return undefined
    lost ||= fate === 'lost'
    const longest = Math.min(firstWait * 2 ** sentAgain++, longestWait)
    // Half of it by chance: clients that have failed together do not come back together.
    return retryAfter * 1000 + (longest / 2) * (1 + random())
  }
}

/**
 * The seconds in `Retry-After`, also when it is a date: that is compared with the `Date` of the same answer, because the
 * clock here may be another.
 */
export function secondsOf(retryAfter: string | null, date: string | null): number | undefined {
  if (retryAfter === null) return undefined
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter)
  const seconds = (Date.parse(retryAfter) - Date.parse(date ?? '')) / 1000
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds)
}
