import type { Command } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { putChanged } from './changed.ts'

export function enableCommand(keys: Command): void {
  const command = keyringCommand(keys, 'enable <id>', 'accepts a disabled key again')
  changingOptions(command).action(async (id: string, options: ChangingOptions & TargetOptions) => {
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      keyring.enable(id, changeOptionsOf(options)),
    )
    putChanged(done, { verb: 'enabled', json: options.json })
  })
}
