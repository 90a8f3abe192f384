import type { UsageSum, UsageSums, UsageSumsFilter } from '../ports.ts'
import type { Query } from './sql.ts'
import { dayLength, first, listsQuery, mostOfOne, sumsQuery } from './usage-sums-sql.ts'
import type { Work } from './work.ts'
import { rows } from './work.ts'

/** How many of each list are ranked: those of one day, environment and outcome. */
const ranked = 200

/** The sums that a filter asks for. Everything is read at one moment, so that the rest is never less than nothing. */
export function* usageSumsOf(filter: UsageSumsFilter): Work<UsageSums> {
  const { by } = filter
  if (by === 'outcome' || by === 'environment') return { sums: yield* read(sumsQuery(filter, by)), totals: undefined }
  const names = yield* mostUsed(filter, by)
  const totals = yield* read(sumsQuery(filter, undefined))
  return { sums: names.length === 0 ? [] : yield* read(sumsQuery(filter, by, names)), totals }
}

function* read({ text, values }: Query): Work<readonly UsageSum[]> {
  return (yield* rows<UsageSum>(text, values)).map((sum) => ({ ...sum }))
}

/** The keys or owners that were used most, in order, on the days (UTC) in which the time lies. */
function* mostUsed(filter: UsageSumsFilter, by: 'key' | 'owner'): Work<readonly string[]> {
  const days = { ...filter, from: floor(filter.from), to: floor(filter.to + dayLength - 1) }
  const { owner } = filter
  if (filter.key !== undefined || (owner !== undefined && by === 'owner')) {
    const { text, values } = mostOfOne(days, by)
    return (yield* rows<{ readonly name: string }>(text, values)).map(({ name }) => name)
  }
  const counts = new Map<string, number>()
  const { text, values } = listsQuery(days)
  const lists = yield* rows<{ day: number; environment: string; outcome: string }>(text, values)
  for (const { day, environment, outcome } of lists) {
    const place = [day, environment, outcome, ranked]
    const list =
      owner === undefined
        ? yield* rows<{ name: string; count: number }>(first[by], place)
        : yield* rows<{ name: string; count: number }>(first.keyOfOwner, [...place, owner])
    for (const { name, count } of list) counts.set(name, (counts.get(name) ?? 0) + count)
  }
  const inOrder = [...counts].toSorted(([one, less], [other, more]) => more - less || (one < other ? -1 : 1))
  return inOrder.slice(0, filter.top).map(([name]) => name)
}

function floor(at: number): number {
  return at - (at % dayLength)
}
