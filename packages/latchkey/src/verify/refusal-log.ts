import type { NotedRefusal } from './refused-call.ts'

/** Recent refusals by the id of their request. They are in memory, and a new one replaces the oldest. */
export interface RefusalLog {
  /** Keeps a refusal, unless there is one with the same id already: callers may choose the ids of their requests. */
  readonly add: (noted: NotedRefusal) => void
  readonly find: (requestId: string) => NotedRefusal | undefined
  readonly all: () => readonly NotedRefusal[]
  readonly forget: (requestId: string) => void
}

/** @param limit - the most refusals that are kept. */
export function refusalLog(limit: number): RefusalLog {
  const entries = new Map<string, { readonly noted: NotedRefusal; readonly place: number }>()
  // In the order of their coming, around in a ring. To ask a map for its first entry takes long once many are deleted.
  const ring: (string | undefined)[] = []
  let next = 0
  return {
    add(noted) {
      const { requestId } = noted.call
      // Otherwise a caller could overwrite the refusal of another one.
      if (entries.has(requestId)) return
      const oldest = ring[next]
      if (oldest !== undefined) entries.delete(oldest)
      ring[next] = requestId
      entries.set(requestId, { noted, place: next })
      next = (next + 1) % limit
    },
    find: (requestId) => entries.get(requestId)?.noted,
    all: () => Array.from(entries.values(), ({ noted }) => noted),
    forget(requestId) {
      const found = entries.get(requestId)
      if (found === undefined) return
      entries.delete(requestId)
      ring[found.place] = undefined
    },
  }
}
