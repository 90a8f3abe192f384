/** The changes of a keyring that have begun and are not answered yet. */
export interface UnderWay {
  /** Answers what the change answers. */
  readonly during: <Answer>(change: Promise<Answer>) => Promise<Answer>
  /** Resolves when all changes that have begun before are answered. */
  readonly ended: () => Promise<void>
}

/** A change that is committed must be answered too: a secret is shown only once. */
export function underWay(): UnderWay {
  const running = new Set<Promise<unknown>>()
  return {
    during(change) {
      const over = (): unknown => running.delete(change)
      running.add(change)
      change.then(over, over)
      return change
    },
    async ended() {
      await Promise.allSettled(running)
    },
  }
}
