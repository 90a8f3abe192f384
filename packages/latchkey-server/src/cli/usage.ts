import type { Command } from 'commander'
import { Option } from 'commander'
import type { UsageCount, UsageOptions, UsageSeriesOptions } from 'latchkey'
import { usageOutcomes } from 'latchkey'
import { keyringCommand } from './command.ts'
import { Failure } from './exit.ts'
import { atLeastOne } from './input/flags.ts'
import { defined } from './input/defined.ts'
import { iso, timeAgo } from './input/when.ts'
import { startListing } from './listing.ts'
import type { TargetOptions } from './target.ts'
import { withKeyring } from './target.ts'
import type { Column } from './terminal/table.ts'
import { showSums } from './usage-sums.ts'

interface Options
  extends TargetOptions, Omit<UsageOptions, 'cursor' | 'limit'>, Pick<UsageSeriesOptions, 'by' | 'step' | 'top'> {
  readonly cursor?: string
  readonly limit: number
  readonly all?: boolean
}

/** How many rows are read at once. */
const page = 10_000

const columns: readonly Column<UsageCount>[] = [
  { title: 'HOUR', text: ({ hour }) => iso(hour).slice(0, 13) + 'Z' },
  { title: 'KEY', text: ({ key }) => key || '-' },
  { title: 'COUNT', text: ({ count }) => String(count) },
  { title: 'COST', text: ({ cost }) => String(cost) },
  { title: 'OUTCOME', text: ({ outcome, limitName }) => `${outcome} ${limitName}`.trimEnd(), flexible: true },
  { title: 'OWNER', text: ({ owner }) => owner || '-', flexible: true, below: true },
  { title: 'ENV', text: ({ environment }) => environment || '-', below: true },
]

export function usageCommand(program: Command): void {
  keyringCommand(program, 'usage', 'Show how often keys were used, by hour and outcome, and what that cost')
    .option('--key <id>', 'Only this key')
    .option('--owner <owner>', 'Only keys of this owner')
    .option('--environment <name>', 'Only keys of this environment')
    .addOption(
      new Option('--outcome <outcome>', 'Only this outcome: accepted, or the code of a refusal').choices(usageOutcomes),
    )
    .option('--limit-name <name>', 'Only calls for which this limit had no room')
    .option('--from <when>', 'Start: ISO 8601, or a span before now such as 7d (24h)', timeAgo)
    .option('--to <when>', 'End, in the same form (now); not included', timeAgo)
    .addOption(new Option('--order <order>', 'Which rows come first').choices(['oldest', 'newest']).default('oldest'))
    .option('--limit <number>', 'How many rows to show', atLeastOne, 1000)
    .option('--cursor <cursor>', 'Continue after the rows already shown, with the same order')
    .addOption(new Option('--all', 'All rows, however many').conflicts(['limit']))
    .addOption(
      new Option('--by <what>', 'Sums in place of rows, for each of these')
        .choices(['outcome', 'environment', 'owner', 'key'])
        .conflicts(['limitName', 'order', 'limit', 'cursor', 'all']),
    )
    .addOption(new Option('--step <step>', 'With --by: the length of a step, in UTC (day)').choices(['hour', 'day']))
    .option('--top <number>', 'With --by owner or --by key: how many to show (10)', atLeastOne)
    .action(async (options: Options) => {
      if (options.by !== undefined) return sums(options)
      if (options.step !== undefined || options.top !== undefined) {
        throw new Failure('usage', '--step and --top are for sums: add --by outcome, environment, owner or key.')
      }
      const { json, all = false, limit, key, owner, environment, outcome, limitName, from, to, order } = options
      const filter: UsageOptions = defined({ key, owner, environment, outcome, limitName, from, order })
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        const listing = startListing({ json, columns, empty: 'No usage found.' })
        const until = to ?? Date.now() + 1
        let { cursor } = options as { cursor?: string | null }
        let left = all ? Number.POSITIVE_INFINITY : limit
        do {
          const next = { limit: Math.min(page, left), ...(cursor ? { cursor } : {}) }
          const found = await keyring.usage({ ...filter, to: until, ...next })
          listing.add(found.usage)
          left -= found.usage.length
          ;({ cursor } = found)
        } while (cursor !== null && left > 0)
        listing.end(cursor === null ? undefined : `There are more rows: add --cursor ${cursor}, or --all.`)
      })
    })
}

async function sums(options: Options): Promise<void> {
  const { json, key, owner, environment, outcome, from, to, by, step, top } = options
  const asked: UsageSeriesOptions = defined({ key, owner, environment, outcome, from, to, by, step, top })
  await withKeyring(options, { mode: 'read' }, async ({ keyring }) => showSums(keyring, asked, json))
}
