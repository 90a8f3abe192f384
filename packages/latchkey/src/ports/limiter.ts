import type { Limit } from '../policy/limits.ts'
import type { Awaitable } from './awaitable.ts'

/** A window in which a call is to be counted. */
export interface Window extends Limit {
  /** What the count belongs to: the same text on every instance. Two windows of one call never share one. */
  readonly bucket: string
}

/** How a window stands after a call. */
export interface WindowState {
  /** What is left, with this call counted if it was admitted. Never negative. */
  readonly remaining: number
  /** Milliseconds until there is more than `remaining`; 0 while nothing is counted. */
  readonly resetMs: number
  /** 0 if this window had room for the call; otherwise milliseconds until it has, `Infinity` if the cost is more than the limit. */
  readonly waitMs: number
}

/** What a limiter says of one call. */
export interface LimiterAnswer {
  /** Whether every window that is not `reportOnly` had room. */
  readonly admitted: boolean
  /** One for each window, in their order. */
  readonly states: readonly WindowState[]
  /** When the call was counted, by the limiter's own clock; for `giveBack`. */
  readonly at: number
}

/**
 * Where calls are counted. No interval of a window's length ever admits more than its limit. Every method may throw or
 * reject; a keyring then answers `unavailable`.
 */
export interface Limiter {
  /**
   * Counts a call in all windows or, if one that is not `reportOnly` has no room for its cost, in none. A `reportOnly`
   * window without room is not counted in and hinders nobody.
   */
  take(windows: readonly Window[], cost: number): Awaitable<LimiterAnswer>
  /** What `take` would say. Counts nothing. */
  peek(windows: readonly Window[], cost: number): Awaitable<LimiterAnswer>
  /** Takes back what an admitted `take` counted: the call was refused after all. */
  giveBack(windows: readonly Window[], cost: number, answer: LimiterAnswer): Awaitable<void>
  /** Lets go of connections and timers. Nothing is asked of it afterwards. */
  close(): Awaitable<void>
}
