import type { Awaitable } from './ports.ts'

/** Calls that have begun and are not answered yet. */
export interface UnderWay {
  /** Answers what the call answers. */
  readonly during: <Answer>(answer: Promise<Answer>) => Promise<Answer>
  /** Resolves when all calls that have begun before are answered; `undefined` if there are none. */
  readonly ended: () => Awaitable<void>
}

/** Keeps calls until they are answered, for a close that waits for them. */
export function underWay(): UnderWay {
  const running = new Set<Promise<unknown>>()
  return {
    during(answer) {
      const over = (): unknown => running.delete(answer)
      running.add(answer)
      answer.then(over, over)
      return answer
    },
    ended() {
      return running.size === 0 ? undefined : Promise.allSettled(running).then(() => undefined)
    },
  }
}
