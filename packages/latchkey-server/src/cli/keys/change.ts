import type { Command } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { addKeyOptions, clearOption, patchOf } from '../key-fields/options.ts'
import { quotaStepOf, quotaStepOptions } from '../key-fields/quota.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { putChanged } from './changed.ts'

interface Options extends ChangingOptions, TargetOptions {
  readonly clear?: readonly string[]
}

export function changeCommand(keys: Command): void {
  const command = keyringCommand(keys, 'change <id>', 'Change a key: what you name is set, the rest stays')
  addKeyOptions(command).addOption(clearOption)
  for (const option of quotaStepOptions) command.addOption(option)
  changingOptions(command).action(async (id: string, options: Options) => {
    const { clear = [], json } = options
    const fields = patchOf({ ...options }, clear)
    const patch = { ...fields, ...quotaStepOf({ ...options }, fields) }
    if (Object.keys(patch).length === 0)
      throw new Failure('usage', 'Name what to change. See latchkey keys change --help.')
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      keyring.change(id, patch, changeOptionsOf(options)),
    )
    putChanged(done, { done: `Changed ${id}`, json })
  })
}
