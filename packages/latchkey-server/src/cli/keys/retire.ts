import type { Command } from 'commander'
import { keyAction } from './changed.ts'

export function retireCommand(keys: Command): void {
  keyAction(keys, {
    name: 'retire',
    summary: 'End the old secret of a key that is being rotated',
    done: 'Ended the old secret of',
    act: (keyring, id, options) => keyring.retire(id, options),
  })
}
