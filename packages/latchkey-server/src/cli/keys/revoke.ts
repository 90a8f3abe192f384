import type { Command } from 'commander'
import { Option } from 'commander'
import type { RevocationReason } from 'latchkey'
import { revocationReasons } from 'latchkey'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { mustConfirm } from '../terminal/ask.ts'
import { plain } from '../terminal/print.ts'
import { putChanged } from './changed.ts'

interface Options extends ChangingOptions, TargetOptions {
  readonly reason: RevocationReason
  readonly yes?: boolean
}

export function revokeCommand(keys: Command): void {
  const command = keyringCommand(keys, 'revoke <id>', 'ends a key for good')
    .addOption(new Option('--reason <reason>', 'why').choices(revocationReasons).makeOptionMandatory())
    .option('--yes', 'without asking')
  changingOptions(command).action(async (id: string, options: Options) => {
    const { reason, yes, json } = options
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) => {
      if (yes !== true) {
        const key = await keyring.find(id)
        if (key === undefined) throw new Failure('absent', 'No key has this id.')
        await mustConfirm(plain(`Revoke ${key.name} of ${key.owner} (${key.id}, ${key.state}) for good?`))
      }
      return keyring.revoke(id, { ...changeOptionsOf(options), reason })
    })
    putChanged(done, { verb: 'revoked', json })
  })
}
