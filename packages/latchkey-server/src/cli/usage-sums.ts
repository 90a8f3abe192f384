import type { Keyring, UsageGroup, UsageSeriesOptions } from 'latchkey'
import { iso } from './input/when.ts'
import { putJson } from './json.ts'
import { startListing } from './listing.ts'
import { bars } from './terminal/bars.ts'
import type { Column } from './terminal/table.ts'

/** Shows sums of usage: a line for each series, with its course over time. */
export async function showSums(
  keyring: Keyring,
  options: UsageSeriesOptions,
  json: boolean | undefined,
): Promise<void> {
  const sums = await keyring.usageSeries(options)
  if (json === true) {
    putJson(sums)
    return
  }
  const { step, by, from, to, series, others } = sums
  const rest = others === null || others.total.count === 0 ? [] : [{ group: '(others)', ...others }]
  const columns: readonly Column<UsageGroup>[] = [
    { title: by.toUpperCase(), text: ({ group }) => group || '-', flexible: by === 'owner' },
    { title: 'COUNT', text: ({ total }) => String(total.count) },
    { title: 'COST', text: ({ total }) => String(total.cost) },
    { title: `BY ${step.toUpperCase()}`, text: ({ count }) => bars(count) },
  ]
  const listing = startListing({ json, columns, empty: 'No usage found.' })
  listing.add([...series, ...rest])
  listing.end(
    series.length === 0
      ? undefined
      : `From ${iso(from)} to ${iso(to)}, by the ${step}. Counts as of ${iso(sums.asOf)}.`,
  )
}
