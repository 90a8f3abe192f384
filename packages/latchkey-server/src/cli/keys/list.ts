import type { Command } from 'commander'
import { Option } from 'commander'
import type { Key, KeyState, ListOptions } from 'latchkey'
import { keyStates } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { count } from '../input/flags.ts'
import { iso } from '../input/when.ts'
import { putJson } from '../json.ts'
import { fieldColumns } from '../key-fields/shown.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { say, styled } from '../terminal/print.ts'
import type { Column } from '../terminal/table.ts'
import { putTable } from '../terminal/table.ts'

interface Options extends TargetOptions {
  readonly owner?: string
  readonly environment?: string
  readonly state?: KeyState
  readonly scope?: string
  readonly text?: string
  readonly issuedBy?: string
  readonly cursor?: string
  readonly limit: number
  readonly all?: boolean
}

/** Keys that are asked for at once. */
const page = 1000

const columns: readonly Column<Key>[] = [
  { title: 'ID', text: ({ id }) => id },
  ...fieldColumns.filter(({ below = false }) => !below),
  { title: 'ENV', text: ({ environment }) => environment },
  { title: 'STATE', text: ({ state }) => state },
  ...fieldColumns.filter(({ below = false }) => below),
  {
    title: 'LAST USED',
    text: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : iso(lastUsedAt).slice(0, 16) + 'Z'),
    short: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : iso(lastUsedAt).slice(0, 10)),
    below: true,
  },
]

export function listCommand(keys: Command): void {
  keyringCommand(keys, 'list', 'keys in the order of issue')
    .option('--owner <owner>', 'only those of this owner')
    .option('--environment <name>', 'only those of this environment')
    .addOption(new Option('--state <state>', 'only those in this state').choices(keyStates))
    .option('--scope <scope>', 'only those that were granted this scope, or all of its resource')
    .option('--text <part>', 'only those with this in their id, name, owner or the start of their secret')
    .option('--issued-by <id>', 'only those with a secret that works and that this admin key brought about')
    .option('--limit <number>', 'how many', count, 100)
    .option('--cursor <cursor>', 'goes on after the keys that were shown')
    .addOption(new Option('--all', 'however many there are').conflicts(['limit']))
    .action(async (options: Options) => {
      const { json, all = false, limit, owner, environment, state, scope, text, issuedBy } = options
      const filter: ListOptions = {
        ...(owner === undefined ? {} : { owner }),
        ...(environment === undefined ? {} : { environment }),
        ...(state === undefined ? {} : { state }),
        ...(scope === undefined ? {} : { scope }),
        ...(text === undefined ? {} : { text }),
        ...(issuedBy === undefined ? {} : { issuedBy }),
      }
      await withKeyring(options, { mode: 'read' }, async ({ keyring }) => {
        let { cursor } = options as { cursor?: string | null }
        let left = all ? Number.POSITIVE_INFINITY : limit
        const rows: Key[] = []
        do {
          const wanted = Math.min(page, left)
          const found = await keyring.list({ ...filter, limit: wanted, ...(cursor ? { cursor } : {}) })
          // A table needs to know its widest row; lines go out as they come, so that a million need no memory.
          if (json === true) for (const key of found.keys) putJson(key)
          else rows.push(...found.keys)
          left -= found.keys.length
          ;({ cursor } = found)
        } while (cursor !== null && left > 0)
        if (json !== true) putTable(columns, rows)
        if (cursor !== null) say(styled('dim', `There are more: --cursor ${cursor}, or --all.`, process.stderr))
      })
    })
}
