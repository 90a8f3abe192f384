import type { Command } from 'commander'
import { Option } from 'commander'
import type { UsageCount, UsageOptions, UsageSeriesOptions } from 'latchkey'
import { usageOutcomes } from 'latchkey'
import { keyringCommand } from './command.ts'
import { Failure } from './exit.ts'
import { atLeastOne } from './input/flags.ts'
import { picked } from './input/defined.ts'
import { iso, timeAgo } from './input/when.ts'
import type { PageOptions } from './listing.ts'
import { putPages } from './listing.ts'
import type { TargetOptions } from './target.ts'
import { withKeyring } from './target.ts'
import type { Column } from './terminal/table.ts'
import { showSums } from './usage-sums.ts'

interface Options
  extends
    TargetOptions,
    PageOptions,
    Omit<UsageOptions, keyof PageOptions>,
    Pick<UsageSeriesOptions, 'by' | 'step' | 'top'> {}

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
      const filter = picked(options, ['key', 'owner', 'environment', 'outcome', 'limitName', 'from', 'order'])
      // All pages have the same end.
      const to = options.to ?? Date.now() + 1
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) =>
        putPages(options, {
          rows: 'rows',
          columns,
          empty: 'No usage found.',
          page: 10_000,
          read: async (page) => keyring.usage({ ...filter, to, ...page }).then(({ usage, cursor }) => [usage, cursor]),
        }),
      )
    })
}

async function sums(options: Options): Promise<void> {
  const { json } = options
  const asked: UsageSeriesOptions = picked(options, [
    ...(['key', 'owner', 'environment', 'outcome', 'from', 'to', 'by', 'step', 'top'] as const),
  ])
  await withKeyring(options, { mode: 'read' }, async ({ keyring }) => showSums(keyring, asked, json))
}
