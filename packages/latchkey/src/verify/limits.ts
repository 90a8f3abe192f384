import type { LimiterAnswer, Window, WindowState } from '../ports.ts'
import type { Metered } from './metered.ts'
import type { LimitState } from './verdict.ts'

/** The answer of the limits to a call, from the answer of the limiter. */
export function limitsAnswer(windows: readonly Window[], { admitted, states }: LimiterAnswer): Metered {
  const limits = windows.map((window, index) => stateOf(window, states[index]))
  if (admitted) return { refused: undefined, states: limits, retryAfter: undefined }
  return { refused: 'over_limit', states: limits, retryAfter: retryAfter(windows, states) }
}

/** Seconds until all windows that refuse have room; `undefined` if that never comes. */
function retryAfter(windows: readonly Window[], states: readonly WindowState[]): number | undefined {
  const waits = windows.map(({ reportOnly }, index) => (reportOnly === true ? 0 : (states[index]?.waitMs ?? 0)))
  const wait = Math.max(...waits)
  return Number.isFinite(wait) ? seconds(wait) : undefined
}

function stateOf({ name, limit, window, reportOnly = false }: Window, state: WindowState | undefined): LimitState {
  const { remaining = 0, resetMs = 0, waitMs = 0 } = state ?? {}
  return { name, limit, window, remaining, reset: seconds(resetMs), exceeded: waitMs > 0, reportOnly }
}

/** Whole seconds, rounded up. */
export function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000)
}
