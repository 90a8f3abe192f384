import type { Limit } from '../policy/limits.ts'
import type { Awaitable } from './awaitable.ts'

/** A window in which a call is to be counted. */
export interface Window extends Limit {
  /**
   * The name under which calls are counted: the same text on every instance. Two windows of one call never share a
   * bucket.
   */
  readonly bucket: string
  /** The owner of the key: all windows of a call have the same, and a limiter may keep those of a group in one place. */
  readonly group: string
}

/** How a window stands after a call. */
export interface WindowState {
  /** The remaining amount, with this call counted if it was admitted. Never negative. */
  readonly remaining: number
  /** Milliseconds until there is more than `remaining`; 0 while nothing is counted. */
  readonly resetMs: number
  /** 0 if this window had room for the call; otherwise milliseconds until it has, `Infinity` if the cost is more than the limit. */
  readonly waitMs: number
}

/** The answer of a limiter on one call. */
export interface LimiterAnswer {
  /** Whether every window that is not `reportOnly` had room. */
  readonly admitted: boolean
  /** One for each window, in their order. */
  readonly states: readonly WindowState[]
  /** When the call was counted, by the limiter's own clock; for `giveBack`. */
  readonly at: number
  /**
   * Where the call was counted, by a limiter that instances share: `shared`, for all of them, or `share`, in this process
   * alone and against its part of the limits, because the others could not be reached.
   */
  readonly by?: CountedBy
}

/** Where a limiter that instances share counts calls: for all of them, or in this process against its part of the limits. */
export type CountedBy = 'shared' | 'share'

/** How a limiter that instances share is doing. */
export interface LimiterState {
  /** Where it counts at present. */
  readonly by: CountedBy
  /** Why it does not count for all instances; `undefined` while it does. */
  readonly reason: string | undefined
  /** How many instances there were when it was last known; `undefined` if it never was. */
  readonly instances: number | undefined
  /** How many calls were answered by this process alone: by its part of the limits, or refused. */
  readonly answeredAlone: { readonly share: number; readonly refused: number }
  /** How often it has stopped counting for all instances. */
  readonly outages: number
}

/**
 * Counts calls. No interval of a window's length ever admits more than its limit. Every method may throw or reject; a
 * keyring then answers `unavailable`.
 */
export interface Limiter {
  /**
   * Counts a call in all windows or, if one that is not `reportOnly` has no room for its cost, in none. A `reportOnly`
   * window without room is not counted in and does not refuse the call.
   */
  take(windows: readonly Window[], cost: number): Awaitable<LimiterAnswer>
  /** The answer that `take` would give. It counts nothing. */
  peek(windows: readonly Window[], cost: number): Awaitable<LimiterAnswer>
  /** Takes back what an admitted `take` counted: the call was refused after all. */
  giveBack(windows: readonly Window[], cost: number, answer: LimiterAnswer): Awaitable<void>
  /** How it is doing; left out by a limiter that shares nothing. */
  state?(): LimiterState
  /** Releases connections and timers. No method is called afterwards. */
  close(): Awaitable<void>
}
