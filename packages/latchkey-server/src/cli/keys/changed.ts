import type { Command } from 'commander'
import type { Changed, ChangeOptions, Keyring } from 'latchkey'
import type { ChangingOptions } from '../command.ts'
import { changeOptionsOf, changingOptions, keyringCommand } from '../command.ts'
import { putJson } from '../json.ts'
import type { TargetOptions } from '../target.ts'
import { withKeyring } from '../target.ts'
import { changedText } from '../terminal/changed.ts'
import { say } from '../terminal/print.ts'

/** A command that does one thing to one key, and takes only its id. */
export interface KeyAction {
  readonly name: string
  readonly summary: string
  /** What was done; the id follows it. */
  readonly done: string
  readonly act: (keyring: Keyring, id: string, options: ChangeOptions) => Promise<Changed>
}

export function keyAction(keys: Command, { name, summary, done, act }: KeyAction): void {
  const command = keyringCommand(keys, `${name} <id>`, summary)
  changingOptions(command).action(async (id: string, options: ChangingOptions & TargetOptions) => {
    const changed = await withKeyring(options, { mode: 'write' }, async ({ keyring }) =>
      act(keyring, id, changeOptionsOf(options)),
    )
    putChanged(changed, { done: `${done} ${id}`, json: options.json })
  })
}

/** Prints the result of a change: a line for people, the key for programs. */
export function putChanged(
  changed: Changed,
  { done, json }: { readonly done: string; readonly json: boolean | undefined },
): void {
  if (json === true) return putJson(changed)
  const { key, propagation, lapsedInstances } = changed
  say(changedText({ done, propagation, lapsedInstances, state: key.state, revision: key.revision }))
}
