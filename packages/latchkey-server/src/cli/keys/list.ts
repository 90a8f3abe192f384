import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import type { Key, KeyPage, Keyring, KeyState, ListOptions, ListOrder, Metadata, MetadataFilter } from 'latchkey'
import { keyStates, listOrders } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { atLeastOne, each } from '../input/flags.ts'
import { defined } from '../input/defined.ts'
import { iso, timeAgo, timeAhead } from '../input/when.ts'
import { putReport } from '../json.ts'
import { pairs } from '../key-fields/kinds.ts'
import { fieldColumns } from '../key-fields/shown.ts'
import { startListing } from '../listing.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { put } from '../terminal/print.ts'
import type { Column } from '../terminal/table.ts'

interface Options extends TargetOptions {
  readonly owner?: string
  readonly environment?: string
  readonly state?: readonly KeyState[]
  readonly scope?: string
  readonly text?: string
  readonly issuedBy?: string
  readonly expiresBefore?: number
  readonly neverExpires?: boolean
  readonly unusedSince?: number
  readonly rotating?: boolean
  readonly metadata?: Metadata
  readonly order: ListOrder
  readonly cursor?: string
  readonly limit: number
  readonly all?: boolean
  readonly count?: boolean
}

/** How many keys are read at once. */
const page = 1000

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
      const {
        json,
        all = false,
        count = false,
        limit,
        owner,
        environment,
        state,
        scope,
        text,
        issuedBy,
        order,
      } = options
      const { expiresBefore, neverExpires, unusedSince, rotating, metadata } = options
      const filter: ListOptions = {
        order,
        ...defined({
          owner,
          environment,
          state,
          scope,
          text,
          issuedBy,
          expiresBefore,
          neverExpires,
          unusedSince,
          rotating,
          // The keyring refuses values that cannot be asked for.
          metadata: metadata as MetadataFilter | undefined,
        }),
      }
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        if (count) return putTotal(await totalOf(keyring, filter), json)
        const listing = startListing({
          json,
          columns: rotating === true ? [...columns, ...ofRotation] : columns,
          empty: 'No keys found.',
        })
        let { cursor } = options as { cursor?: string | null }
        let left = all ? Number.POSITIVE_INFINITY : limit
        do {
          const found = await keyring.list({ ...filter, limit: Math.min(page, left), ...(cursor ? { cursor } : {}) })
          listing.add(found.keys)
          left -= found.keys.length
          ;({ cursor } = found)
        } while (cursor !== null && left > 0)
        listing.end(cursor === null ? undefined : `There are more keys: add --cursor ${cursor}, or --all.`)
      })
    })
}
