import type { LimiterAnswer, Window, WindowState } from '../ports.ts'
import type { Metered } from './metered.ts'
import type { LimitState } from './verdict.ts'

/** The answer of the limits to a call, from the answer of the limiter. */
export function limitsAnswer(windows: readonly Window[], { admitted, states }: LimiterAnswer): Metered {
  const limits = windows.map((window, index) => stateOf(window, states[index]))
  if (admitted) return { refused: undefined, states: limits, limit: undefined, retryAfter: undefined }
  return { refused: 'over_limit', states: limits, ...longestWait(windows, states) }
}

/** Of the windows that refuse, the one that has room last, and when all of them have. */
function longestWait(
  windows: readonly Window[],
  states: readonly WindowState[],
): Pick<Metered, 'limit' | 'retryAfter'> {
  let longest: Window | undefined
  let wait = 0
  for (const [index, window] of windows.entries()) {
    const { waitMs = 0 } = states[index] ?? {}
    if (window.reportOnly === true || waitMs <= wait) continue
    longest = window
    wait = waitMs
  }
  return {
    limit: longest && { name: longest.name, limit: longest.limit, window: longest.window },
    retryAfter: Number.isFinite(wait) ? seconds(wait) : undefined,
  }
}

function stateOf({ name, limit, window, reportOnly = false }: Window, state: WindowState | undefined): LimitState {
  const { remaining = 0, resetMs = 0, waitMs = 0 } = state ?? {}
  return { name, limit, window, remaining, reset: seconds(resetMs), exceeded: waitMs > 0, reportOnly }
}

/** Whole seconds, rounded up. */
export function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
