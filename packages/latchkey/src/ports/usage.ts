import type { Quota } from '../policy/limits.ts'

/** How often a key was used in one hour, with one outcome. A text that does not apply is empty. */
export interface UsageCount {
  /** Milliseconds since 1970 at which the hour begins. */
  readonly hour: number
  /** The id of the key; empty where the credential belonged to none. */
  readonly key: string
  /** The owner that the key had at the time; empty if the credential belonged to none. */
  readonly owner: string
  /** The environment of the key; empty if the credential belonged to none. */
  readonly environment: string
  /**
   * `accepted`, the code of a refusal, or `over_limit_reported`: that counts accepted calls once more, for each limit that
   * only reports and had no room.
   */
  readonly outcome: string
  /**
   * The name of the limit that had no room, as in `LimitState`; of several that refuse, the one to be waited for longest.
   * Empty unless the outcome comes from a limit.
   */
  readonly limitName: string
  /** Calls. */
  readonly count: number
  /** What the accepted calls cost; 0 with any other outcome. */
  readonly cost: number
}

/** Where a row of usage stands among the others, which are ordered by these members. */
export type UsagePlace = Omit<UsageCount, 'count' | 'cost'>

/** The counts since usage was written last. */
export interface UsageBatch {
  /** Each place at most once. */
  readonly counts: readonly UsageCount[]
  /** When each secret was used last, by its hash, in milliseconds since 1970. */
  readonly lastUsed: ReadonlyMap<string, number>
}

/** The filter of usage to read. A member that is `undefined` does not filter. */
export interface UsageFilter {
  readonly key: string | undefined
  readonly owner: string | undefined
  readonly outcome: string | undefined
  readonly limitName: string | undefined
  /** Any of these. */
  readonly environments: readonly string[] | undefined
  /** Only hours from this time on, in milliseconds since 1970. */
  readonly from: number
  /** Only hours before this time, in milliseconds since 1970. */
  readonly to: number
  /** By hour, then owner, key, environment, outcome and limit; the newest first, all of it is turned round. */
  readonly order: 'newest' | 'oldest'
  /** Only rows after this place, in that order. */
  readonly after: UsagePlace | undefined
  /** How many rows at most. */
  readonly limit: number
}

/** The usage to sum up. */
export interface UsageSumsFilter extends Pick<UsageFilter, 'key' | 'owner' | 'environments' | 'from' | 'to'> {
  /**
   * `undefined` sums up all outcomes, but for `over_limit_reported` unless `by` is `outcome`: its calls are counted as
   * accepted already.
   */
  readonly outcome: string | undefined
  /** A sum for each hour, or for each day (UTC). `from` and `to` begin one. */
  readonly step: 'hour' | 'day'
  /** And for each of these. */
  readonly by: 'outcome' | 'environment' | 'owner' | 'key'
  /**
   * By owner and by key, only so many: those with most calls in the whole days in which the time lies, among the first
   * 200 of each day, environment and outcome at least. What counts as much comes in the order of its name.
   */
  readonly top: number
}

/** A sum of usage. A sum of nothing is left out. */
export interface UsageSum {
  /** When the hour or the day begins, in milliseconds since 1970. */
  readonly at: number
  /** The outcome, environment, owner or key. */
  readonly name: string
  readonly count: number
  readonly cost: number
}

/** Sums of usage. */
export interface UsageSums {
  readonly sums: readonly UsageSum[]
  /** By owner and by key, all together, with those that were left out. */
  readonly totals: readonly Omit<UsageSum, 'name'>[] | undefined
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
