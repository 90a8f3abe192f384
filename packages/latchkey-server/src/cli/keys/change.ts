import type { Command } from 'commander'
import { InvalidArgumentError } from 'commander'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import { Failure } from '../exit.ts'
import type { MemberOptions } from '../input/members.ts'
import { each, memberOptions, membersOf } from '../input/members.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { putChanged } from './changed.ts'

/** What can be cleared, by the flag that sets it. */
const clearable = {
  expires: 'expiresAt',
  'not-before': 'notBefore',
  address: 'addresses',
  limit: 'limits',
  quota: 'quota',
  metadata: 'metadata',
  give: 'delegation',
} as const

interface Options extends MemberOptions, ChangingOptions, TargetOptions {
  readonly clear?: readonly (keyof typeof clearable)[]
}

export function changeCommand(keys: Command): void {
  const command = keyringCommand(keys, 'change <id>', 'changes what is given of a key, and leaves the rest')
  const names = Object.keys(clearable).join(', ')
  memberOptions(command).option('--clear <what>', `takes away ${names}; the flag again for more`, each(clearableOf))
  changingOptions(command).action(async (id: string, options: Options) => {
    const { clear = [], json } = options
    const cleared = Object.fromEntries(clear.map((flag) => [clearable[flag], null]))
    const given = membersOf(options)
    const both = Object.keys(given).find((member) => member in cleared)
    if (both !== undefined) throw new Failure('usage', `${both} is to be set and cleared at once.`)
    const patch = { ...given, ...cleared }
    if (Object.keys(patch).length === 0)
      throw new Failure('usage', 'Say what is to be changed; see latchkey keys change --help.')
    const done = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      keyring.change(id, patch, changeOptionsOf(options)),
    )
    putChanged(done, { verb: 'changed', json })
  })
}

function clearableOf(text: string): keyof typeof clearable {
  if (Object.hasOwn(clearable, text)) return text as keyof typeof clearable
  throw new InvalidArgumentError(`It must be one of ${Object.keys(clearable).join(', ')}.`)
}
