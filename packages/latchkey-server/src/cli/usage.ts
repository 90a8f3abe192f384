import type { Command } from 'commander'
import type { UsageCount, UsageOptions } from 'latchkey'
import { keyringCommand } from './command.ts'
import { atLeastOne } from './input/flags.ts'
import { defined } from './input/defined.ts'
import { iso, timeAgo } from './input/when.ts'
import { startListing } from './listing.ts'
import type { TargetOptions } from './target.ts'
import { withKeyring } from './target.ts'
import type { Column } from './terminal/table.ts'

interface Options extends TargetOptions {
  readonly key?: string
  readonly owner?: string
  readonly outcome?: string
  readonly from?: number
  readonly to?: number
  readonly limit: number
}

const columns: readonly Column<UsageCount>[] = [
  { title: 'HOUR', text: ({ hour }) => iso(hour).slice(0, 13) + 'Z' },
  { title: 'KEY', text: ({ key }) => key || '-' },
  { title: 'OWNER', text: ({ owner }) => owner || '-', flexible: true, below: true },
  { title: 'OUTCOME', text: ({ outcome }) => outcome },
  { title: 'COUNT', text: ({ count: often }) => String(often) },
]

export function usageCommand(program: Command): void {
  keyringCommand(program, 'usage', 'Show how often keys were used, by hour and outcome')
    .option('--key <id>', 'Only this key')
    .option('--owner <owner>', 'Only keys of this owner')
    .option('--outcome <outcome>', 'Only this outcome: accepted, or the code of a refusal')
    .option('--from <when>', 'Start: ISO 8601, or a span before now such as 7d (24h)', timeAgo)
    .option('--to <when>', 'End, in the same form (now); not included', timeAgo)
    .option('--limit <number>', 'How many rows to show', atLeastOne, 1000)
    .action(async (options: Options) => {
      const { json, key, owner, outcome, from, to, limit } = options
      const filter: UsageOptions = { limit, ...defined({ key, owner, outcome, from, to }) }
      const rows = await withKeyring(options, { mode: 'read' }, async ({ keyring }) => keyring.usage(filter))
      const listing = startListing({ json, columns, empty: 'No usage found.' })
      listing.add(rows)
      listing.end(
        rows.length === limit ? 'There may be more rows: raise --limit, or narrow --from and --to.' : undefined,
      )
    })
}
