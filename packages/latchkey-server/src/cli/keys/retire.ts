import type { Command } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { putChanged } from './changed.ts'

export function retireCommand(keys: Command): void {
  const command = keyringCommand(keys, 'retire <id>', 'ends the old secret of a key that is being rotated')
  changingOptions(command).action(async (id: string, options: ChangingOptions & TargetOptions) => {
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      keyring.retire(id, changeOptionsOf(options)),
    )
    putChanged(done, { verb: 'has one secret left', json: options.json })
  })
}
