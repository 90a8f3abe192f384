import type { Command } from 'commander'
import { Option } from 'commander'
import type { Keyring } from 'latchkey'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import { defined } from '../input/defined.ts'
import { iso, seconds } from '../input/when.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { handOver, replacing } from './hand-over.ts'

interface Options extends ChangingOptions, TargetOptions {
  readonly grace?: number
  readonly replace?: boolean
}

export function rotateCommand(keys: Command): void {
  const command = keyringCommand(keys, 'rotate <id>', 'Give a key a new secret; the old one keeps working for a while')
    .option('--grace <span>', 'How long the old secret keeps working (1d); 0s ends it now', seconds)
    .addOption(
      new Option('--replace', 'Replace the newest secret, which was lost before anyone used it').conflicts('grace'),
    )
  changingOptions(command).action(async (id: string, options: Options) => {
    const { grace, replace } = options
    const rotation = { ...changeOptionsOf(options), ...defined({ grace, replace }) }
    const rotated = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      keyring.rotate(id, rotation).catch(async (error: unknown) => {
        throw await withRemedy(error, { keyring, id, options })
      }),
    )
    const message = `Rotated ${rotated.key.id}.\nThe old secret works until ${iso(rotated.oldEndsAt)}.`
    await handOver({ ...rotated, message, answer: rotated, options })
  })
}

/** Adds the command that replaces the new secret, if a rotation is in progress and the secret may be lost. */
async function withRemedy(error: unknown, { keyring, id, options }: Refused): Promise<unknown> {
  if (!(error instanceof Error) || (error as { code?: unknown }).code !== 'conflict') return error
  const [newest, ...old] = (await keyring.find(id))?.secrets ?? []
  if (newest?.lastUsedAt !== null || old.length === 0) return error
  error.message += `\nTo replace the new secret:\n  ${replacing(id, options)}`
  return error
}

/** A rotation that was refused. */
interface Refused {
  readonly keyring: Keyring
  readonly id: string
  readonly options: TargetOptions
}
