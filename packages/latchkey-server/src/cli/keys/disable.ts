import type { Command } from 'commander'
import { keyAction } from './changed.ts'

export function disableCommand(keys: Command): void {
  keyAction(keys, {
    name: 'disable',
    summary: 'Refuse a key until it is enabled again',
    done: 'Disabled',
    act: (keyring, id, options) => keyring.disable(id, options),
  })
}
