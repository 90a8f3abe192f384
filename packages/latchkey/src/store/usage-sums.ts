import type { UsageSum, UsageSums, UsageSumsFilter } from '../ports.ts'
import type { SqlValue } from './sql.ts'
import { dayLength, first, listsQuery, mostOfOne, sumsQuery } from './usage-sums-sql.ts'

/** How many of each list are ranked: those of one day, environment and outcome. */
const ranked = 200

/** The statements of a moment at which nothing is written. */
type Rows = <Row>(text: string, values: readonly SqlValue[]) => readonly Row[]

/** The sums that a filter asks for. Everything is read at one moment, so that the rest is never less than nothing. */
export function usageSumsOf(rows: Rows, filter: UsageSumsFilter): UsageSums {
  const { by } = filter
  const read = ({ text, values }: ReturnType<typeof sumsQuery>): readonly UsageSum[] =>
    rows<UsageSum>(text, values).map((sum) => ({ ...sum }))
  if (by === 'outcome' || by === 'environment') return { sums: read(sumsQuery(filter, by)), totals: undefined }
  const names = mostUsed(rows, filter, by)
  const totals = read(sumsQuery(filter, undefined))
  return { sums: names.length === 0 ? [] : read(sumsQuery(filter, by, names)), totals }
}

/** The keys or owners that were used most, in order, on the days (UTC) in which the time lies. */
function mostUsed(rows: Rows, filter: UsageSumsFilter, by: 'key' | 'owner'): readonly string[] {
  const days = { ...filter, from: floor(filter.from), to: floor(filter.to + dayLength - 1) }
  const { owner } = filter
  if (filter.key !== undefined || (owner !== undefined && by === 'owner')) {
    const { text, values } = mostOfOne(days, by)
    return rows<{ readonly name: string }>(text, values).map(({ name }) => name)
  }
  const counts = new Map<string, number>()
  const { text, values } = listsQuery(days)
  for (const { day, environment, outcome } of rows<{ day: number; environment: string; outcome: string }>(
    text,
    values,
  )) {
    const place = [day, environment, outcome, ranked]
    const list =
      owner === undefined
        ? rows<{ name: string; count: number }>(first[by], place)
        : rows<{ name: string; count: number }>(first.keyOfOwner, [...place, owner])
    for (const { name, count } of list) counts.set(name, (counts.get(name) ?? 0) + count)
  }
  const inOrder = [...counts].toSorted(([one, less], [other, more]) => more - less || (one < other ? -1 : 1))
  return inOrder.slice(0, filter.top).map(([name]) => name)
}

function floor(at: number): number {
  return at - (at % dayLength)
}
