import type { Command } from 'commander'
import { Option } from 'commander'
import type { ListedOwner, OwnersOptions } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { defined } from '../input/defined.ts'
import { atLeastOne } from '../input/flags.ts'
import { limitText } from '../input/limits.ts'
import { startListing } from '../listing.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import type { Column } from '../terminal/table.ts'

interface Options extends TargetOptions {
  readonly text?: string
  readonly cursor?: string
  readonly limit: number
  readonly all?: boolean
}

/** How many owners are read at once. */
const page = 1000

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
      const { json, all = false, limit, text } = options
      const filter: OwnersOptions = defined({ text })
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        const listing = startListing({ json, columns, empty: 'No owners found.' })
        let { cursor } = options as { cursor?: string | null }
        let left = all ? Number.POSITIVE_INFINITY : limit
        do {
          const found = await keyring.owners({ ...filter, limit: Math.min(page, left), ...(cursor ? { cursor } : {}) })
          listing.add(found.owners)
          left -= found.owners.length
          ;({ cursor } = found)
        } while (cursor !== null && left > 0)
        listing.end(cursor === null ? undefined : `There are more owners: add --cursor ${cursor}, or --all.`)
      })
    })
}
