import type { Command } from 'commander'
import { keyAction } from './changed.ts'

export function enableCommand(keys: Command): void {
  keyAction(keys, {
    name: 'enable',
    summary: 'Accept a disabled key again',
    done: 'Enabled',
    act: (keyring, id, options) => keyring.enable(id, options),
  })
}
