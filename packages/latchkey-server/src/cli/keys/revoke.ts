import type { Command } from 'commander'
import { Option } from 'commander'
import type { RevocationReason } from 'latchkey'
import { revocationReasons } from 'latchkey'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { mustConfirm } from '../terminal/ask.ts'
import { counted } from '../terminal/progress.ts'
import { printable } from '../terminal/print.ts'
import { putChanged } from './changed.ts'
import { mustFind } from './find.ts'

interface Options extends ChangingOptions, TargetOptions {
  readonly reason: RevocationReason
  readonly withIssued?: boolean
  readonly yes?: boolean
}

export function revokeCommand(keys: Command): void {
  const command = keyringCommand(keys, 'revoke <id>', 'End a key for good')
    .addOption(new Option('--reason <reason>', 'Why it is revoked').choices(revocationReasons).makeOptionMandatory())
    .option('--with-issued', 'Admin key: also revoke every key with a secret that it made')
    .option('--yes', 'Do not ask for confirmation')
  changingOptions(command).action(async (id: string, options: Options) => {
    const { reason, withIssued = false, yes, json } = options
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) => {
      if (yes !== true) {
        const { name, owner, state } = await mustFind(keyring, id)
        const also = withIssued ? ', and every key with a secret that it made,' : ''
        await mustConfirm(printable(`Revoke ${name} of ${owner} (${id}, ${state})${also} for good?`))
      }
      return keyring.revoke(id, { ...changeOptionsOf(options), reason, withIssued })
    })
    const also = withIssued ? ` and ${counted(done.alsoRevoked, 'key')} with a secret that it made` : ''
    putChanged(done, { done: `Revoked ${id}${also}`, json })
  })
}
