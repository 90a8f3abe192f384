import { bounds, integer, invalid, membersOf, objectOf, oneOf, timestamp } from '../../input.ts'
import type { UsageSum, UsageSumsFilter } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf } from '../authority.ts'
import type { UsageOptions } from './usage.ts'
import { visibleUsage } from './usage.ts'

/** The usage to sum up, and how. */
export interface UsageSeriesOptions extends Pick<UsageOptions, 'key' | 'owner' | 'environment' | 'outcome'> {
  /** A point for each `hour` or each `day`, in UTC; `day` if left out. */
  readonly step?: UsageSumsFilter['step']
  /** A series for each `outcome`, `environment`, `owner` or `key`; `outcome` if left out. */
  readonly by?: UsageSumsFilter['by']
  /**
   * How many series at most, by `key` or `owner`: those with most calls, and the rest together as `others`. 1 to 50; 10 if
   * left out. They are ranked by whole days, among the first 200 of each day, environment and outcome.
   */
  readonly top?: number
  /**
   * The first hour or day is the one with this time, in milliseconds since 1970. If left out, a day before `to` by the
   * hour, and 30 days by the day.
   */
  readonly from?: number
  /** The last hour or day is the one before this time, or with it. Now if left out. */
  readonly to?: number
}

/** The points of a series, one for each step. */
export interface UsagePoints {
  /** Calls in each step. */
  readonly count: readonly number[]
  /** What the accepted calls cost in each step. */
  readonly cost: readonly number[]
  /** All of it. */
  readonly total: { readonly count: number; readonly cost: number }
}

/** The sums of one outcome, environment, owner or key. */
export interface UsageGroup extends UsagePoints {
  /** The outcome, the environment, the owner or the id of the key; empty for calls that belong to no key. */
  readonly group: string
}

/** Sums of usage over time. */
export interface UsageSeries {
  readonly step: UsageSumsFilter['step']
  readonly by: UsageSumsFilter['by']
  /** When the first step begins, in milliseconds since 1970. */
  readonly from: number
  /** When the last step ends. */
  readonly to: number
  /**
   * Calls before this time are in the sums, in milliseconds since 1970: every process has written its usage since, if
   * each writes it as often as this one and is able to.
   */
  readonly asOf: number
  /** Those with most calls first. */
  readonly series: readonly UsageGroup[]
  /** All that is in none of the series; `null` where nothing can be left over: by outcome and by environment. */
  readonly others: UsagePoints | null
}

const seriesOptions = membersOf<UsageSeriesOptions>({
  key: true,
  owner: true,
  environment: true,
  outcome: true,
  step: true,
  by: true,
  top: true,
  from: true,
  to: true,
})

const steps: readonly UsageSumsFilter['step'][] = ['hour', 'day']
const groups: readonly UsageSumsFilter['by'][] = ['outcome', 'environment', 'owner', 'key']

const lengths = { hour: 3_600_000, day: 86_400_000 } as const
const usual = { hour: lengths.day, day: 30 * lengths.day } as const

/**
 * The function behind `Keyring.usageSeries`.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_key`, `beyond_delegation`.
 */
export async function readUsageSeries<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: UsageSeriesOptions,
): Promise<UsageSeries> {
  objectOf('The options of usageSeries', options, seriesOptions)
  const step = oneOf('step', options.step ?? 'day', steps)
  const by = oneOf('by', options.by ?? 'outcome', groups)
  const now = parts.clock.now()
  const time = timeOf(options, step, now)
  const most = bounds.usageSeries
  const ranks = by === 'key' || by === 'owner'
  if (options.top !== undefined && !ranks) throw invalid('top', 'left out unless by is key or owner')
  if (ranks && time.to - time.from > most.days * lengths.day) {
    throw invalid('from', `at most ${most.days} days before to, because by is ${by}`)
  }
  const top = integer('top', options.top ?? 10, { least: 1, most: most.top })

  const authority = await authorityOf(parts, 'usage:read')
  const filter = await visibleUsage(parts, authority, options)
  const { sums, totals } =
    filter === undefined ? { sums: [], totals: [] } : await parts.store.usageSums({ ...filter, ...time, step, by, top })
  const pointsOf = pointsIn(time, lengths[step])
  const series = [...Map.groupBy(sums, ({ name }) => name)].map(([group, its]) => ({ group, ...pointsOf(its) }))
  series.sort((one, other) => other.total.count - one.total.count || (one.group < other.group ? -1 : 1))
  const others = ranks ? pointsOf([...(totals ?? []), ...sums.map(taken)]) : null
  return { step, by, ...time, asOf: Math.max(0, now - parts.usage.interval), series, others }
}

function timeOf(
  { from, to }: Pick<UsageSeriesOptions, 'from' | 'to'>,
  step: UsageSumsFilter['step'],
  now: number,
): { readonly from: number; readonly to: number } {
  const length = lengths[step]
  const until = timestamp('to', to) ?? now + 1
  const end = Math.ceil(until / length) * length
  const since = timestamp('from', from) ?? Math.max(0, end - usual[step])
  const begin = since - (since % length)
  if (begin >= end) throw invalid('from', 'a time before to')
  const { points } = bounds.usageSeries
  if ((end - begin) / length > points) throw invalid('from', `at most ${points} ${step}s before to`)
  return { from: begin, to: end }
}

/** Puts sums into the steps of a time. */
function pointsIn(
  { from, to }: { readonly from: number; readonly to: number },
  length: number,
): (sums: readonly Omit<UsageSum, 'name'>[]) => UsagePoints {
  return (sums) => {
    const count: number[] = Array.from({ length: (to - from) / length }, () => 0)
    const cost = [...count]
    const total = { count: 0, cost: 0 }
    for (const sum of sums) {
      const step = (sum.at - from) / length
      count[step] = (count[step] ?? 0) + sum.count
      cost[step] = (cost[step] ?? 0) + sum.cost
      total.count += sum.count
      total.cost += sum.cost
    }
    return { count, cost, total }
  }
}

function taken({ at, count, cost }: UsageSum): Omit<UsageSum, 'name'> {
  return { at, count: -count, cost: -cost }
}
