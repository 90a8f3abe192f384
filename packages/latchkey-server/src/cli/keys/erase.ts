import type { Command } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { actorOption, changeOptionsOf, keyringCommand, onceOption, revisionOption } from '../command.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { mustConfirm } from '../terminal/ask.ts'
import { putErased } from '../terminal/erased.ts'
import { printable } from '../terminal/print.ts'
import { mustFind } from './find.ts'

interface Options extends Omit<ChangingOptions, 'note'>, TargetOptions {
  readonly yes?: boolean
}

export function eraseCommand(keys: Command): void {
  const command = keyringCommand(
    keys,
    'erase <id>',
    'Erase a revoked key for good. Its row, its secrets and its usage are deleted, and the journal forgets what it says about the key',
  ).option('--yes', 'Do not ask for confirmation')
  revisionOption(onceOption(actorOption(command))).action(async (id: string, options: Options) => {
    const { yes, json } = options
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) => {
      if (yes !== true) {
        const { name, owner, state } = await mustFind(keyring, id)
        const gone = 'Its secrets, its usage, and what the journal says about it go too. No backup made later has them.'
        await mustConfirm(printable(`Erase ${name} of ${owner} (${id}, ${state}) for good? ${gone}`))
      }
      return keyring.eraseKey(id, changeOptionsOf(options))
    })
    putErased(done, { done: `Erased ${id}`, json })
  })
}
