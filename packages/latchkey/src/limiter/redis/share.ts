import { LatchkeyError } from '../../error.ts'
import type { Limiter, LimiterAnswer, LimiterState, Window } from '../../ports.ts'
import { memoryLimiter } from '../memory.ts'

/** Answers calls by this process alone. */
export interface Share extends Pick<Limiter, 'take' | 'peek' | 'giveBack' | 'close'> {
  readonly take: (windows: readonly Window[], cost: number) => LimiterAnswer
  readonly peek: (windows: readonly Window[], cost: number) => LimiterAnswer
  /** How many calls it has answered. */
  readonly answered: LimiterState['answeredAlone']
}

/**
 * Admits calls within this instance's share of their limits, while the instances cannot be asked together. It refuses as
 * `unavailable` where a limit says so, where the share has no room for such a call at any time, and where nobody knows how
 * many instances there are.
 *
 * @param instances - how many there are; `undefined` if that is not known.
 */
export function shareOf(instances: () => number | undefined): Share {
  const memory = memoryLimiter()
  const answered = { share: 0, refused: 0 }

  function shared(windows: readonly Window[], cost: number): readonly Window[] {
    const count = instances()
    return windows.map((window) => {
      const limit = Math.floor(window.limit / (count ?? 1))
      const refuses = window.whenUnavailable === 'refuse' || (cost > limit && cost <= window.limit)
      if (window.reportOnly !== true && (count === undefined || refuses)) {
        answered.refused++
        throw new LatchkeyError('unavailable', 'The instances that share the limits cannot be asked.')
      }
      return { ...window, limit }
    })
  }

  const alone = (answer: LimiterAnswer): LimiterAnswer => ({ ...answer, by: 'share' })
  return {
    answered,
    take(windows, cost) {
      const answer = memory.take(shared(windows, cost), cost)
      answered.share++
      return alone(answer)
    },
    peek: (windows, cost) => alone(memory.peek(shared(windows, cost), cost)),
    giveBack: (windows, cost, answer) => memory.giveBack(windows, cost, answer),
    close: () => memory.close(),
  }
}
