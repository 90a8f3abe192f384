import type { Command } from 'commander'
import { keyringCommand } from './command.ts'
import { iso } from './input/when.ts'
import { putJson } from './json.ts'
import { delegationFacts } from './key-fields/delegation.ts'
import type { TargetOptions } from './target.ts'
import { withKeyring } from './target.ts'
import { say } from './terminal/print.ts'
import { putFacts } from './terminal/table.ts'

export function whoamiCommand(program: Command): void {
  keyringCommand(
    program,
    'whoami',
    'Show what you may do: the rights of your admin key on a server. Beside the database you hold all rights',
  ).action(async (options: TargetOptions) => {
    const found = await withKeyring(options, { mode: 'read' }, async ({ keyring }) => keyring.whoami())
    const { key, scopes, delegation } = found
    if (options.json === true) return putJson(found)
    if (key === null) return say('You work on the database itself, without an admin key: you hold all rights.')
    putFacts([
      ['id', key.id],
      ['name', key.name],
      ['owner', key.owner],
      ['expires', key.expiresAt === null ? 'never' : iso(key.expiresAt)],
      ['may do', scopes.join(', ') || 'nothing'],
      ...delegationFacts({ delegation }),
      ['gives', delegation === null ? 'nothing: it sees no keys' : undefined],
    ])
  })
}
