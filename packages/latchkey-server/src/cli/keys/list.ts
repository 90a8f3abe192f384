import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { Key, KeyPage, Keyring, KeyState, ListOptions } from 'latchkey'
import { keyStates, listOrders } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { atLeastOne, each } from '../input/flags.ts'
import { picked } from '../input/defined.ts'
import { iso, timeAgo, timeAhead } from '../input/when.ts'
import { putReport } from '../json.ts'
import { pairs } from '../key-fields/kinds.ts'
import { fieldColumns } from '../key-fields/shown.ts'
import type { PageOptions } from '../listing.ts'
import { putPages } from '../listing.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { put } from '../terminal/print.ts'
import type { Column } from '../terminal/table.ts'

interface Options extends TargetOptions, PageOptions, Omit<ListOptions, keyof PageOptions> {}

const columns: readonly Column<Key>[] = [
  { title: 'ID', text: ({ id }) => id },
  ...fieldColumns.filter(({ below = false }) => !below),
  { title: 'ENV', text: ({ environment }) => environment },
  { title: 'STATE', text: ({ state }) => state },
  ...fieldColumns.filter(({ below = false }) => below),
  timeColumn('LAST USED', ({ lastUsedAt }) => lastUsedAt ?? 'never'),
]

/** Of keys that are being rotated: whether their callers have the new secret yet. */
const ofRotation: readonly Column<Key>[] = [
  timeColumn('OLD ENDS', ({ rotation }) => rotation?.oldEndsAt ?? ''),
  timeColumn('OLD LAST USED', ({ rotation }) => (rotation === null ? '' : (rotation.oldLastUsedAt ?? 'never'))),
]

function timeColumn(title: string, at: (key: Key) => number | string): Column<Key> {
  const cut = (key: Key, digits: number, end: string): string => {
    const value = at(key)
    return typeof value === 'string' ? value : iso(value).slice(0, digits) + end
  }
  return { title, text: (key) => cut(key, 16, 'Z'), short: (key) => cut(key, 10, ''), below: true }
}

function stateOf(text: string): KeyState {
  const state = keyStates.find((one) => one === text)
  if (state === undefined) throw new InvalidArgumentError(`It must be one of ${keyStates.join(', ')}.`)
  return state
}

type Total = NonNullable<KeyPage['total']>

/** As far as they are counted: with `more` there are, or may be, more. */
async function totalOf(keyring: Pick<Keyring, 'list'>, filter: ListOptions): Promise<Total> {
  const { total } = await keyring.list({ ...filter, limit: 1, count: true })
  return total ?? { count: 0, more: true }
}

function putTotal({ count, more }: Total, json: boolean | undefined): void {
  if (json === true) putReport({ count, more })
  else put(more ? `${count} or more` : String(count))
}

export function listCommand(keys: Command): void {
  keyringCommand(keys, 'list', 'List keys, the newest first')
    .option('--owner <owner>', 'Only keys of this owner')
    .option('--environment <name>', 'Only keys of this environment')
    .option(
      '--state <state>',
      `Only keys in this state; repeat it for more. One of ${keyStates.join(', ')}`,
      each(stateOf),
    )
    .option('--scope <scope>', 'Only keys that were granted this scope, or resource:* of it')
    .option(
      '--text <part>',
      'Only keys with this in their id, name, owner or the start of their secret; with one or two characters, only where a name, an owner or a secret begins with them',
    )
    .option('--issued-by <id>', 'Only keys with a working secret that this admin key made')
    .option('--expires-before <when>', 'Only keys that expire before a time, or within a span such as 14d', timeAhead)
    .option('--never-expires', 'Only keys that never expire')
    .option(
      '--unused-since <when>',
      'Only keys not used since a time, or for a span such as 90d; those never used count from their creation',
      timeAgo,
    )
    .option(
      '--metadata <pair>',
      'Only keys with this in their metadata: name=text, or name:=JSON; name:=null is without it. Repeat the flag for more',
      pairs.fromFlag,
    )
    .option('--rotating', 'Only keys with an old secret that still works')
    .addOption(
      new Option('--order <order>', 'What comes first; keys never used, and those that never expire, come last')
        .choices(listOrders)
        .default('newest'),
    )
    .option('--limit <number>', 'How many keys to show', atLeastOne, 100)
    .option('--cursor <cursor>', 'Continue after the keys already shown, in the same order')
    .addOption(
      new Option('--count', 'How many keys there are, up to 1000, in place of the keys').conflicts([
        'order',
        'limit',
        'cursor',
        'all',
      ]),
    )
    .addOption(new Option('--all', 'All keys, however many').conflicts(['limit']))
    .action(async (options: Options) => {
      // The keyring refuses values of metadata that cannot be asked for.
      const filter: ListOptions = picked(options, [
        ...(['owner', 'environment', 'state', 'scope', 'text', 'issuedBy', 'metadata', 'order'] as const),
        ...(['expiresBefore', 'neverExpires', 'unusedSince', 'rotating'] as const),
      ])
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        if (options.count === true) return putTotal(await totalOf(keyring, filter), options.json)
        return putPages(options, {
          rows: 'keys',
          columns: filter.rotating === true ? [...columns, ...ofRotation] : columns,
          empty: 'No keys found.',
          read: async (page) => keyring.list({ ...filter, ...page }).then(({ keys: found, cursor }) => [found, cursor]),
        })
      })
    })
}
