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
  // In the order of their coming, around in a ring. To ask a map for its first entry takes long once many are deleted.
  const ring: string[] = []
  let next = 0
  return {
    add(noted) {
      const { requestId } = noted.call
      // Otherwise a caller could overwrite the refusal of another one.
      if (entries.has(requestId)) return
      const oldest = ring[next]
      if (oldest !== undefined) entries.delete(oldest)
      ring[next] = requestId
      next = (next + 1) % limit
      entries.set(requestId, noted)
    },
    find: (requestId) => entries.get(requestId),
  }
}
