import type { Command } from 'commander'
import type { Owner } from 'latchkey'
import { keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { limitText } from '../input/limits.ts'
import { iso } from '../input/when.ts'
import { putJson } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { putFacts } from '../terminal/table.ts'

export function showCommand(owners: Command): void {
  keyringCommand(owners, 'show <owner>', 'Show an owner: its state, and the limits its keys share').action(
    async (name: string, options: TargetOptions) => {
      const owner = await withKeyring(options, { mode: 'read' }, async ({ keyring }) => keyring.owner(name))
      if (owner === undefined) throw new Failure('absent', 'No key has this owner.')
      if (options.json === true) putJson(owner)
      else putFacts(factsOf(owner))
    },
  )
}

function factsOf({ owner, disabledAt, limits, revision }: Owner): readonly (readonly [string, string])[] {
  return [
    ['owner', owner],
    ['state', disabledAt === null ? 'active' : `disabled since ${iso(disabledAt)}`],
    ['limits', limits.map(limitText).join(', ') || 'none'],
    ['revision', String(revision)],
  ]
}
