import type { Command } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { actorOption, changeOptionsOf, keyringCommand, onceOption, revisionOption } from '../command.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { mustConfirm } from '../terminal/ask.ts'
import { putErased } from '../terminal/erased.ts'
import { printable } from '../terminal/print.ts'
import { counted } from '../terminal/progress.ts'

interface Options extends Omit<ChangingOptions, 'note'>, TargetOptions {
  readonly yes?: boolean
}

/** Keys that are counted for the question. */
const most = 1000

export function eraseCommand(owners: Command): void {
  const command = keyringCommand(
    owners,
    'erase <owner>',
    'Erase a disabled owner for good, with all its keys. Their secrets and usage are deleted, and the journal forgets what it says about them',
  ).option('--yes', 'Do not ask for confirmation')
  revisionOption(onceOption(actorOption(command))).action(async (owner: string, options: Options) => {
    const { yes, json } = options
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) => {
      if (yes !== true) {
        const { keys, cursor } = await keyring.list({ owner, limit: most })
        const count = cursor === null ? counted(keys.length, 'key') : `more than ${most} keys`
        const gone = 'Their usage, their refusals, and what the journal says about them go too.'
        await mustConfirm(
          printable(`Erase the owner ${owner} with ${count} for good? ${gone} No backup made later has them.`),
        )
      }
      return keyring.eraseOwner(owner, changeOptionsOf(options))
    })
    putErased(done, { done: 'Erased the owner', json })
  })
}
