/** The source of time. A test supplies its own. */
export interface Clock {
  /** Milliseconds since 1970 (UTC); may jump when the machine's clock is set. */
  now(): number
  /** Milliseconds from some fixed point in time; never goes back. Leases are measured with it. */
  monotonic(): number
}
