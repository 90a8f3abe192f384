import type { RefusedLimit } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import type { LimitState } from './verdict.ts'

/** A call that spends from a quota, and perhaps from limits. */
export interface MeteredCall {
  readonly keyId: string
  readonly cost: number
  readonly dryRun: boolean
}

/** The answer of the limits and the quota of a key to a call. */
export interface Metered {
  /** `undefined` if all of them admit the call. */
  readonly refused: Extract<RefusalCode, 'over_limit' | 'quota_exhausted'> | undefined
  readonly states: readonly LimitState[]
  /** The one that refused it; of several, the one for which the caller must wait longest. */
  readonly limit: RefusedLimit | undefined
  /** Seconds after which they can admit it; `undefined` if that never comes. */
  readonly retryAfter: number | undefined
  /** A second failure: the limits did not take back what they had counted. */
  readonly cause?: unknown
}
