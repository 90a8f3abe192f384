import type { Command } from 'commander'
import { Option } from 'commander'
import type { Limit } from 'latchkey'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import { defined } from '../input/defined.ts'
import { limitOf } from '../input/limits.ts'
import { each } from '../input/flags.ts'
import { putJson } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { changedText } from '../terminal/changed.ts'
import { say } from '../terminal/print.ts'

interface Options extends ChangingOptions, TargetOptions {
  readonly disable?: boolean
  readonly enable?: boolean
  readonly limit?: readonly Limit[]
  readonly clearLimits?: boolean
}

export function changeCommand(owners: Command): void {
  const command = keyringCommand(
    owners,
    'change <owner>',
    'Disable or enable all keys of an owner, or set the limits they share',
  )
    .option('--disable', 'Refuse all its keys')
    .addOption(new Option('--enable', 'Accept them again').conflicts('disable'))
    .option(
      '--limit <limit>',
      'Shared rate limit, name=count/window, such as all=1000/1h. Repeat the flag for more',
      each(limitOf),
    )
    .addOption(new Option('--clear-limits', 'Remove all shared limits').conflicts('limit'))
  changingOptions(command).action(async (name: string, options: Options) => {
    const { disable, enable, limit, clearLimits, json } = options
    const disabled = disable === true ? true : enable === true ? false : undefined
    const patch = defined({ disabled, limits: clearLimits === true ? null : limit })
    if (Object.keys(patch).length === 0) {
      throw new Failure('usage', 'Name what to change: --disable, --enable, --limit or --clear-limits.')
    }
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      keyring.changeOwner(name, patch, changeOptionsOf(options)),
    )
    if (json === true) return putJson(done)
    const { owner, propagation, lapsedInstances } = done
    const state = owner.disabled ? 'disabled' : 'active'
    const changed = `Changed ${owner.owner}`
    say(changedText({ done: changed, propagation, lapsedInstances, state, revision: owner.revision }))
  })
}
