import type { Command } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import { iso, seconds } from '../input/when.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { handOver } from './hand-over.ts'

interface Options extends ChangingOptions, TargetOptions {
  readonly grace?: number
}

export function rotateCommand(keys: Command): void {
  const command = keyringCommand(
    keys,
    'rotate <id>',
    'a new secret for a key; the old one works on for a while',
  ).option('--grace <span>', 'how long the old secret works on: 0s ends it now; 1d unless told otherwise', seconds)
  changingOptions(command).action(async (id: string, options: Options) => {
    const { grace, json } = options
    const wanted = { ...changeOptionsOf(options), ...(grace === undefined ? {} : { grace }) }
    const rotated = await withKeyring(options, { mode: 'write' }, async ({ keyring }) => keyring.rotate(id, wanted))
    const said = `${rotated.key.id} rotated; its old secret works until ${iso(rotated.oldEndsAt)}`
    await handOver({ ...rotated, said, answer: rotated, json })
  })
}
