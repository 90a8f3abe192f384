import type { Command } from 'commander'
import type { Counts, CountsOptions, EnvironmentCounts, KeyState } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { picked } from '../input/defined.ts'
import { timeAhead } from '../input/when.ts'
import { putJson } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { say } from '../terminal/print.ts'
import type { Column } from '../terminal/table.ts'
import { putTable } from '../terminal/table.ts'

interface Options extends TargetOptions, CountsOptions {}

const stateColumns = { active: 'ACTIVE', pending: 'PENDING', expired: 'EXPIRED', disabled: 'DISABLED' } as const
const statesBelow = { owner_disabled: 'OWNER DISABLED', revoked: 'REVOKED' } as const

const columns: readonly Column<EnvironmentCounts>[] = [
  { title: 'ENV', text: ({ environment }) => environment },
  { title: 'KEYS', text: ({ keys }) => String(keys) },
  ...Object.entries(stateColumns).map(([state, title]) => stateColumn(state as KeyState, title)),
  ...Object.entries(statesBelow).map(([state, title]) => ({ ...stateColumn(state as KeyState, title), below: true })),
]

const expiringColumn: Column<EnvironmentCounts> = {
  title: 'EXPIRING',
  text: ({ expiring }) => String(expiring ?? 0),
  below: true,
}

function stateColumn(state: KeyState, title: string): Column<EnvironmentCounts> {
  return { title, text: ({ states }) => String(states[state]) }
}

export function countCommand(keys: Command): void {
  keyringCommand(keys, 'count', 'Count keys by state and environment')
    .option('--owner <owner>', 'Only keys of this owner')
    .option('--environment <name>', 'Only keys of this environment')
    .option(
      '--expires-before <when>',
      'Also count keys that end before then: ISO 8601, or a span from now such as 14d',
      timeAhead,
    )
    .action(async (options: Options) => {
      const { json } = options
      const filter = picked(options, ['owner', 'environment', 'expiresBefore'])
      const counts = await withKeyring(options, { mode: 'read' }, async ({ keyring }) => keyring.counts(filter))
      if (json === true) return putJson(counts)
      if (counts.keys === 0) return say('No keys found.')
      putTable(counts.expiring === null ? columns : [...columns, expiringColumn], rowsOf(counts))
    })
}

/** The environments that have keys, and the sum of several. */
function rowsOf({ environments, ...all }: Counts): readonly EnvironmentCounts[] {
  const some = environments.filter(({ keys }) => keys > 0)
  return some.length === 1 ? some : [...some, { ...all, environment: 'all' }]
}
