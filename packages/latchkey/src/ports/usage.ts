import type { Quota } from '../policy/limits.ts'

/** How often a key was used in one hour, with one outcome. */
export interface UsageCount {
  /** Milliseconds since 1970 at which the hour begins. */
  readonly hour: number
  /** The id of the key; empty where the credential belonged to none. */
  readonly key: string
  /** The owner of the key; empty if the credential belonged to none. */
  readonly owner: string
  /** `accepted`, or the code of a refusal. */
  readonly outcome: string
  /** Calls. */
  readonly count: number
}

/** The counts since usage was written last. */
export interface UsageBatch {
  /** Each hour, key and outcome at most once. */
  readonly counts: readonly UsageCount[]
  /** When each secret was used last, by its hash, in milliseconds since 1970. */
  readonly lastUsed: ReadonlyMap<string, number>
}

/** The filter of usage to read. A member that is `undefined` does not filter. */
export interface UsageFilter {
  readonly key: string | undefined
  readonly owner: string | undefined
  readonly outcome: string | undefined
  /** Keys of any of these. */
  readonly environments?: readonly string[] | undefined
  /** Only hours from this time on, in milliseconds since 1970. */
  readonly from: number
  /** Only hours before this time, in milliseconds since 1970. */
  readonly to: number
  /** How many rows at most. */
  readonly limit: number
}

/** An attempt to spend from a quota. */
export interface Spending {
  /** The cost of the call. */
  readonly cost: number
  /** The quota as the caller knows it: if it is another one by now, nothing is taken. */
  readonly quota: Quota
  /** When the present period begins, as in `QuotaState`. */
  readonly period: number
}
