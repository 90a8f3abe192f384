import type { Command } from 'commander'
import { Option } from 'commander'
import type { ListedOwner, OwnersOptions } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { picked } from '../input/defined.ts'
import { atLeastOne } from '../input/flags.ts'
import { limitText } from '../input/limits.ts'
import type { PageOptions } from '../listing.ts'
import { putPages } from '../listing.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import type { Column } from '../terminal/table.ts'

interface Options extends TargetOptions, PageOptions, Pick<OwnersOptions, 'text'> {}

const columns: readonly Column<ListedOwner>[] = [
  { title: 'OWNER', text: ({ owner }) => owner, flexible: true },
  { title: 'STATE', text: ({ disabled }) => (disabled ? 'disabled' : 'active') },
  { title: 'KEYS', text: ({ keys }) => String(keys) },
  { title: 'ACTIVE', text: ({ states }) => String(states.active) },
  { title: 'LIMITS', text: ({ limits }) => limits.map(limitText).join(', ') || 'none', flexible: true, below: true },
]

export function listCommand(owners: Command): void {
  keyringCommand(owners, 'list', 'List owners by name, with the number of their keys')
    .option('--text <start>', 'Only owners whose names begin with this')
    .option('--limit <number>', 'How many owners to show', atLeastOne, 100)
    .option('--cursor <cursor>', 'Continue after the owners already shown')
    .addOption(new Option('--all', 'All owners, however many').conflicts(['limit']))
    .action(async (options: Options) => {
      const filter = picked(options, ['text'])
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) =>
        putPages(options, {
          rows: 'owners',
          columns,
          empty: 'No owners found.',
          read: async (page) =>
            keyring.owners({ ...filter, ...page }).then(({ owners: found, cursor }) => [found, cursor]),
        }),
      )
    })
}
