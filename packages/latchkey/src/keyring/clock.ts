import type { Clock } from '../ports.ts'

/** The clock of this machine: `Date.now()` and `performance.now()`. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
