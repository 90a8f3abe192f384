import type { NotedRefusal } from './refused-call.ts'

/** Recent refusals by the id of their request. They are in memory, and a new one replaces the oldest. */
export interface RefusalLog {
  /** Keeps a refusal, unless there is one with the same id already: callers may choose the ids of their requests. */
  readonly add: (noted: NotedRefusal) => void
  readonly find: (requestId: string) => NotedRefusal | undefined
}

/** @param limit - the most refusals that are kept. */
export function refusalLog(limit: number): RefusalLog {
  const entries = new Map<string, NotedRefusal>()
  return {
    add(noted) {
      const { requestId } = noted.call
      // Otherwise a caller could overwrite the refusal of another one.
      if (entries.has(requestId)) return
      if (entries.size >= limit) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      entries.set(requestId, noted)
    },
    find: (requestId) => entries.get(requestId),
  }
}
