import type { Step } from '../refusal.ts'
import type { Refused } from './verdict.ts'

/** Why a call was refused, for those who may know. */
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
  /** The scopes that the key lacks, if that is the reason; of alternatives, all of them. */
  readonly missing: readonly string[] | undefined
}

/** Recent refusals by the id of their request. They are in memory, and a new one replaces the oldest. */
export interface RefusalLog {
  /** Keeps a refusal, unless there is one with the same id already: callers may choose the ids of their requests. */
  readonly add: (requestId: string, entry: RefusalEntry) => void
  readonly find: (requestId: string) => RefusalRecord | undefined
}

/** A refusal that is kept. */
interface RefusalEntry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly route: string | undefined
  readonly refused: Refused
}

/** @param limit - the most refusals that are kept. */
export function refusalLog(limit: number): RefusalLog {
  const entries = new Map<string, RefusalEntry>()
  return {
    add(requestId, entry) {
      // Otherwise a caller could overwrite the refusal of another one.
      if (entries.has(requestId)) return
      if (entries.size >= limit) {
        const [oldest] = entries.keys()
        if (oldest !== undefined) entries.delete(oldest)
      }
      entries.set(requestId, entry)
    },
    find(requestId) {
      const entry = entries.get(requestId)
      if (entry === undefined) return undefined
      const { at, route, refused } = entry
      const { code, step, why } = refused.refusal
      const { keyId, owner, environment, missing } = refused
      return { requestId, at, route, code, step, why, keyId, owner, environment, missing }
    },
  }
}
