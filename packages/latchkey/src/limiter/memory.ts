import { objectOf } from '../options.ts'
import type { Clock, Limiter, LimiterAnswer, Window, WindowState } from '../ports.ts'
import type { Slices } from './slices.ts'
import { add, copy, isIdle, noSlices, settle, takeBack, untilAtMost } from './slices.ts'

/** A limiter that answers at once, and never with a promise. */
export interface MemoryLimiter extends Limiter {
  /** How many buckets are held. */
  readonly size: number
  take(windows: readonly Window[], cost: number): LimiterAnswer
  peek(windows: readonly Window[], cost: number): LimiterAnswer
  giveBack(windows: readonly Window[], cost: number, answer: LimiterAnswer): void
  close(): void
}

/**
 * Counts in the memory of this process: for one instance, and until it stops. A window is the half-open interval that
 * ends with the call, `(now - window, now]`; no such interval ever admits more than the limit, wherever it lies.
 *
 * A bucket is known by its text alone. Under another `limit` its count goes on; under another `window` it begins anew.
 * Costs are integers from 0; a cost of 0 always has room and is not counted. Buckets in which nothing is counted any
 * more are forgotten by and by, a few with every call: there are never many more than twice as many as were in use.
 *
 * @param options.clock - milliseconds that never go back; those of `performance.now()` by default.
 * @param options.slices - in how many slices a window is counted, 60 by default: a call may count longer than the
 * window by one of them, so the more there are the sooner there is room again, and the more memory is needed.
 * @example
 * const limiter = memoryLimiter()
 * const windows = [{ name: 'burst', bucket: 'key_1:burst', group: 'acme', limit: 10, window: 1 }]
 * limiter.take(windows, 1) // { admitted: true, states: [{ remaining: 9, resetMs: 1000, waitMs: 0 }], at: … }
 */
export function memoryLimiter(
  options: { readonly clock?: Pick<Clock, 'monotonic'>; readonly slices?: number } = {},
): MemoryLimiter {
  objectOf('The options of memoryLimiter', options, ['clock', 'slices'])
  const { clock = { monotonic: () => performance.now() }, slices = 60 } = options
  const buckets = new Map<string, Slices>()
  /** The next bucket in the search for idle ones, and how many buckets the search has still to visit. */
  let next = buckets.values()
  let looksDue = 0
  let closed = false
  /** The slices of the current call's windows; one list for all calls, so that a call does not make its own. */
  const found: (Slices | undefined)[] = []

  /** The slices of a window, without those that have left it; `undefined` if it has no slices. */
  function find({ bucket, window }: Window, now: number): Slices | undefined {
    const held = buckets.get(bucket)
    if (held?.window !== window * 1000) return undefined
    settle(held, now)
    return held
  }

  function fresh({ bucket, window }: Window): Slices {
    return noSlices({ bucket, window: window * 1000, slices })
  }

  function open(window: Window): Slices {
    const held = fresh(window)
    buckets.set(window.bucket, held)
    // Two for each new bucket, so that the search reaches the end however many come.
    looksDue += 2
    return held
  }

  function forgetIdle(now: number): void {
    for (looksDue++; looksDue > 0; looksDue--) {
      const { value, done } = next.next()
      if (done === true) next = buckets.values()
      else if (isIdle(value, now)) buckets.delete(value.bucket)
    }
  }

  function decide(windows: readonly Window[], cost: number, counts: boolean): LimiterAnswer {
    if (closed) throw new Error('The limiter is closed.')
    const at = clock.monotonic()
    let admitted = true
    let index = 0
    for (const window of windows) {
      const held = find(window, at)
      found[index++] = held
      if (!hasRoom(held, window, cost) && window.reportOnly !== true) admitted = false
    }
    const states: WindowState[] = []
    index = 0
    for (const window of windows) {
      let held = found[index++]
      const room = hasRoom(held, window, cost)
      if (room && admitted && cost > 0) {
        if (counts) held ??= open(window)
        else held = held === undefined ? fresh(window) : copy(held)
        add(held, at, cost)
      }
      const state = stateOf(held, window, at)
      states.push(room ? state : { ...state, waitMs: waitOf(held, window, { cost, now: at }) })
    }
    if (counts) forgetIdle(at)
    return { admitted, states, at }
  }

  return {
    get size() {
      return buckets.size
    },
    take: (windows, cost) => decide(windows, cost, true),
    peek: (windows, cost) => decide(windows, cost, false),
    giveBack(windows, cost, { admitted, states, at }) {
      if (closed) throw new Error('The limiter is closed.')
      if (!admitted) return
      for (const [index, window] of windows.entries()) {
        // A report-only window without room has not counted the call.
        if (states[index]?.waitMs !== 0) continue
        const held = find(window, clock.monotonic())
        if (held !== undefined) takeBack(held, at, cost)
      }
    },
    close() {
      closed = true
      buckets.clear()
    },
  }
}

function hasRoom(held: Slices | undefined, { limit }: Window, cost: number): boolean {
  return cost === 0 || (held?.counted ?? 0) + cost <= limit
}

/** How a window stands that had room. */
function stateOf(held: Slices | undefined, { limit }: Window, now: number): WindowState {
  if (held === undefined) return { remaining: limit, resetMs: 0, waitMs: 0 }
  // The limit may be lower than it was when this was counted.
  const remaining = Math.max(0, limit - held.counted)
  return { remaining, resetMs: untilAtMost(held, limit - remaining - 1, now), waitMs: 0 }
}

/** Milliseconds until a window that lacks room for a cost has room for it. */
function waitOf(
  held: Slices | undefined,
  { limit }: Window,
  { cost, now }: { readonly cost: number; readonly now: number },
): number {
  return held === undefined || cost > limit ? Infinity : untilAtMost(held, limit - cost, now)
}
