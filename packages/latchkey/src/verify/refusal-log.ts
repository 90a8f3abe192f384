import type { Step } from '../refusal.ts'
import type { Refused } from './verdict.ts'

/** Why one call was refused, for those who may know. */
export interface RefusalRecord {
  /** The id of the request, which its answer names in `instance`. */
  readonly requestId: string
  /** Milliseconds since 1970. */
  readonly at: number
  /** The route as it was declared, e.g. `POST /orders/:id`. */
  readonly route: string | undefined
  /** The code of the refusal. */
  readonly code: string
  /** The step of verify that failed. */
  readonly step: Step
  /** One sentence for those who may know. */
  readonly why: string
  /** The id of the key; `undefined` if the credential belongs to none. */
  readonly keyId: string | undefined
  readonly owner: string | undefined
  readonly environment: string | undefined
}

/**
 * The refusals of the last while, by the id of the request. In memory, bounded: the oldest goes
 * first. Of several with one id, which callers may choose, the first is told.
 */
export interface RefusalLog {
  readonly add: (requestId: string, route: string | undefined, refused: Refused, at: number) => void
  readonly find: (requestId: string) => RefusalRecord | undefined
}

interface Entry {
  readonly at: number
  readonly route: string | undefined
  readonly refused: Refused
}

/** @param limit - how many are remembered. */
export function refusalLog(limit: number): RefusalLog {
  const entries = new Map<string, Entry>()
  return {
    add(requestId, route, refused, at) {
      // Callers may choose the ids of their requests, and must not be able to write over what is known of another's.
      if (entries.has(requestId)) return
      if (entries.size >= limit) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      entries.set(requestId, { at, route, refused })
    },
    find(requestId) {
      const entry = entries.get(requestId)
      if (entry === undefined) return undefined
      const { at, route, refused } = entry
      const { code, step, why } = refused.refusal
      const { keyId, owner, environment } = refused
      return { requestId, at, route, code, step, why, keyId, owner, environment }
    },
  }
}
