import type { Command } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { putChanged } from './changed.ts'

export function disableCommand(keys: Command): void {
  const command = keyringCommand(keys, 'disable <id>', 'refuses a key until it is enabled again')
  changingOptions(command).action(async (id: string, options: ChangingOptions & TargetOptions) => {
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      keyring.disable(id, changeOptionsOf(options)),
    )
    putChanged(done, { verb: 'disabled', json: options.json })
  })
}
