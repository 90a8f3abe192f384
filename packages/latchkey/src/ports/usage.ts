import type { Quota } from '../policy/limits.ts'

/** What came of using a key in one hour: `accepted`, or the code of a refusal. */
export interface UsageCount {
  /** Milliseconds since 1970 at which the hour begins. */
  readonly hour: number
  /** The id of the key; empty where the credential belonged to none. */
  readonly key: string
  readonly owner: string
  readonly outcome: string
  readonly count: number
}

/** What has been counted since the last time that usage was written. */
export interface UsageBatch {
  /** Each hour, key and outcome at most once. */
  readonly counts: readonly UsageCount[]
  /** When each secret was used last, by its hash. */
  readonly lastUsed: ReadonlyMap<string, number>
}

/** Which usage to read. What is `undefined` is not asked for. */
export interface UsageFilter {
  readonly key: string | undefined
  readonly owner: string | undefined
  readonly outcome: string | undefined
  /** Only keys of any of these. */
  readonly environments?: readonly string[] | undefined
  /** Milliseconds since 1970: the first that counts, and the first that no longer does. */
  readonly from: number
  readonly to: number
  readonly limit: number
}

/** An attempt to spend from a quota. */
export interface Spending {
  readonly cost: number
  /** The quota as the caller knows it: if it is another by now, nothing is taken. */
  readonly quota: Quota
  /** The period that it is now, as `periodStart` gives it. */
  readonly period: number
}
