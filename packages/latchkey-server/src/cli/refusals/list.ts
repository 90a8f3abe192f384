import type { Command } from 'commander'
import { Option } from 'commander'
import type { RefusalRecord, RefusalsOptions } from 'latchkey'
import { refusals as known } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { atLeastOne } from '../input/flags.ts'
import { picked } from '../input/defined.ts'
import { iso, timeAgo } from '../input/when.ts'
import type { PageOptions } from '../listing.ts'
import { putPages } from '../listing.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import type { Column } from '../terminal/table.ts'

interface Options extends TargetOptions, PageOptions, Omit<RefusalsOptions, keyof PageOptions> {}

const columns: readonly Column<RefusalRecord>[] = [
  { title: 'TIME', text: ({ at }) => iso(at), short: ({ at }) => iso(at).slice(0, 19) + 'Z' },
  { title: 'CODE', text: ({ code }) => code },
  { title: 'COUNT', text: ({ count }) => String(count) },
  { title: 'KEY', text: ({ keyId }) => keyId ?? '-' },
  { title: 'OWNER', text: ({ owner }) => owner ?? '-', flexible: true, below: true },
  { title: 'ADDRESS', text: ({ address }) => address ?? '-', below: true },
  { title: 'ROUTE', text: ({ route }) => route ?? '-', flexible: true, below: true },
  { title: 'REQUEST', text: ({ requestId }) => requestId, below: true },
]

export function listCommand(refusals: Command): void {
  keyringCommand(refusals, 'list', 'List refused calls, the newest first; equal ones of one second are one')
    .option('--key <id>', 'Only calls with this key')
    .option('--owner <owner>', 'Only calls with keys that this owner had at that time')
    .addOption(new Option('--code <code>', 'Only this code, such as expired or over_limit').choices(Object.keys(known)))
    .option('--route <route>', 'Only this route, as it was declared, such as "POST /orders/:id"')
    .option('--from <when>', 'Start: ISO 8601, or a span before now such as 7d', timeAgo)
    .option('--to <when>', 'End, in the same form (now); not included', timeAgo)
    .addOption(new Option('--order <order>', 'Which come first').choices(['newest', 'oldest']).default('newest'))
    .option('--limit <number>', 'How many rows to show', atLeastOne, 100)
    .option('--cursor <cursor>', 'Continue after the rows already shown')
    .addOption(new Option('--all', 'All rows, however many').conflicts(['limit']))
    .action(async (options: Options) => {
      const filter = picked(options, ['key', 'owner', 'code', 'route', 'from', 'to', 'order'])
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) =>
        putPages(options, {
          rows: 'refusals',
          columns,
          empty: 'No refusals found.',
          read: async (page) =>
            keyring.refusals({ ...filter, ...page }).then(({ refusals: found, cursor }) => [found, cursor]),
        }),
      )
    })
}
