/** The source of time. A test supplies its own. */
export interface Clock {
  /** Milliseconds since 1970 (UTC); may jump when the machine's clock is set. */
  now(): number
  /** Milliseconds from some fixed point in time; never goes back. Leases are measured with it. */
  monotonic(): number
  /** How waits for a port end; the timers of this machine if left out. A simulation supplies its own. */
  readonly after?: Timer
}

/**
 * Calls a function once, so many milliseconds of monotonic time later, unless the function that it answers with is called
 * before. A process that has nothing left but timers of the `background` ends.
 */
export type Timer = (milliseconds: number, call: () => void, kind?: 'background') => () => void
