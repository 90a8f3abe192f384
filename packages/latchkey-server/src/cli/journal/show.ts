import type { Command } from 'commander'
import { Option } from 'commander'
import type { Entry, JournalOptions } from 'latchkey'
import { actions } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { atLeastOne, count } from '../input/flags.ts'
import { defined, picked } from '../input/defined.ts'
import { iso, timeAgo } from '../input/when.ts'
import { putJson } from '../json.ts'
import type { PageOptions } from '../listing.ts'
import { putPages } from '../listing.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { put } from '../terminal/print.ts'
import type { Column } from '../terminal/table.ts'
import { sentenceOf } from './sentence.ts'

interface Options extends TargetOptions, PageOptions, Omit<JournalOptions, 'actor' | keyof PageOptions> {
  readonly by?: string
  readonly last?: number
}

/** What a list is asked for, and an entry is not. */
const filters = ['key', 'owner', 'by', 'action', 'from', 'to', 'after', 'order', 'limit', 'last', 'cursor', 'all']

/** For programs that split lines; people get sentences. */
const columns: readonly Column<Entry>[] = [
  { title: 'SEQ', text: ({ seq }) => String(seq) },
  { title: 'TIME', text: ({ at }) => iso(at) },
  { title: 'ACTOR', text: ({ actor }) => actor },
  { title: 'ACTION', text: ({ action }) => action },
  { title: 'SUBJECT', text: ({ subject }) => subject },
  { title: 'CHANGE', text: sentenceOf },
]

/** An entry on lines for people: its number, its time and its sentence. */
function entryLine(entry: Entry): readonly [label: string, text: string] {
  return [`${entry.seq}  ${iso(entry.at).slice(0, 19)}Z  `, sentenceOf(entry)]
}

export function showCommand(journal: Command): void {
  keyringCommand(journal, 'show [seq]', 'Show what was changed, when, by whom and why, the newest first, or one change')
    .option('--key <id>', 'Only changes to this key')
    .addOption(
      new Option('--owner <owner>', 'Only changes to this owner, and to the keys that it had then').conflicts('key'),
    )
    .option('--by <actor>', 'Only changes made by this actor')
    .addOption(new Option('--action <action>', 'Only changes of this kind').choices(actions))
    .option('--from <when>', 'Start: ISO 8601, or a span before now such as 24h', timeAgo)
    .option('--to <when>', 'End, in the same form; not included', timeAgo)
    .option('--after <seq>', 'Only entries after this number', count)
    .addOption(new Option('--order <order>', 'What comes first (newest)').choices(['newest', 'oldest']))
    .option('--limit <number>', 'How many entries to show', atLeastOne, 100)
    .addOption(
      new Option('--last <number>', 'Only the newest entries, so many')
        .argParser(atLeastOne)
        .conflicts(['limit', 'order']),
    )
    .option('--cursor <cursor>', 'Continue after the entries already shown')
    .addOption(new Option('--all', 'All entries, however many').conflicts(['limit', 'last']))
    .action(async (seq: string | undefined, options: Options, command: Command) => {
      if (seq !== undefined) {
        await showEntry(seq, options, command)
        return
      }
      const { by: actor, last, limit } = options
      const filter = {
        ...picked(options, ['key', 'owner', 'action', 'from', 'to', 'after', 'order']),
        ...defined({ actor }),
      }
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) =>
        putPages(
          { ...options, limit: last ?? limit },
          {
            rows: last === undefined ? 'entries' : undefined,
            columns,
            line: entryLine,
            empty: 'No entries found.',
            read: async (page) =>
              keyring.journal({ ...filter, ...page }).then(({ entries, cursor }) => [entries, cursor]),
          },
        ),
      )
    })
}

/** One entry, by its number. Filters are of the list. */
async function showEntry(text: string, options: Options, command: Command): Promise<void> {
  const seq = atLeastOne(text)
  const filter = filters.find((name) => command.getOptionValueSource(name) === 'cli')
  if (filter !== undefined) throw new Failure('usage', `--${filter} is for a list, and ${seq} is one entry.`)
  const found = await withKeyring(options, { mode: 'read' }, ({ keyring }) => keyring.journalEntry(seq))
  if (found === undefined) throw new Failure('failed', `The journal has no entry ${seq}, or none that you may read.`)
  if (options.json === true) putJson(found)
  else put(entryLine(found.entry).join(''))
}
