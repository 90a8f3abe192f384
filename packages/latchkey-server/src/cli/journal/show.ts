import type { Command } from 'commander'
import { Option } from 'commander'
import type { JournalEntry, JournalOptions } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { atLeastOne, count } from '../input/flags.ts'
import { defined } from '../input/defined.ts'
import { iso, timeAgo } from '../input/when.ts'
import { jsonText } from '../json.ts'
import { startListing } from '../listing.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import type { Column } from '../terminal/table.ts'

interface Options extends TargetOptions {
  readonly key?: string
  readonly owner?: string
  readonly by?: string
  readonly from?: number
  readonly to?: number
  readonly after: number
  readonly limit: number
  readonly all?: boolean
}

/** Entries in one request. */
const page = 1000

const columns: readonly Column<JournalEntry>[] = [
  { title: 'SEQ', text: ({ seq }) => String(seq) },
  { title: 'TIME', text: ({ at }) => iso(at), short: ({ at }) => iso(at).slice(0, 19) + 'Z' },
  { title: 'ACTOR', text: ({ actor }) => actor, flexible: true, below: true },
  { title: 'ACTION', text: ({ action }) => action },
  { title: 'SUBJECT', text: ({ subject }) => subject, flexible: true },
  {
    title: 'CHANGE',
    text: ({ change }) => change,
    short: ({ change }) => legible(change),
    flexible: true,
    below: true,
  },
]

/** A change without the digest, which only programs need to compare rows with the journal. */
function legible(change: string): string {
  try {
    const { state: _state, ...legibleMembers } = JSON.parse(change) as { readonly state?: unknown }
    return jsonText(legibleMembers)
  } catch {
    // The text was changed outside Latchkey: show it as it is.
    return change
  }
}

export function showCommand(journal: Command): void {
  keyringCommand(journal, 'show', 'Show what was changed, when and by whom')
    .option('--key <id>', 'Only changes to this key')
    .addOption(new Option('--owner <owner>', 'Only changes to this owner').conflicts('key'))
    .option('--by <actor>', 'Only changes made by this actor')
    .option('--from <when>', 'Start: ISO 8601, or a span before now such as 24h', timeAgo)
    .option('--to <when>', 'End, in the same form; not included', timeAgo)
    .option('--after <seq>', 'Only entries after this number', count, 0)
    .option('--limit <number>', 'How many entries to show', atLeastOne, 100)
    .addOption(new Option('--all', 'All entries, however many').conflicts('limit'))
    .action(async (options: Options) => {
      const { json, all = false, limit, key, owner, by, from, to } = options
      const filter: JournalOptions = defined({ key, owner, actor: by, from, to })
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        const listing = startListing({ json, columns, empty: 'No entries found.' })
        let { after } = options
        let left = all ? Number.POSITIVE_INFINITY : limit
        for (;;) {
          // One entry more than is shown says whether there are more.
          const requested = Math.min(page, left + 1)
          const entries = await keyring.journal({ ...filter, after, limit: requested })
          const shown = entries.slice(0, left)
          listing.add(shown)
          after = shown.at(-1)?.seq ?? after
          left -= shown.length
          if (entries.length < requested || left === 0)
            return listing.end(
              entries.length > shown.length ? `There are more entries: add --after ${after}, or --all.` : undefined,
            )
        }
      })
    })
}
