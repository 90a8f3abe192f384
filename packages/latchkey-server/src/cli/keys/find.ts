import type { KeyDetails, Keyring } from 'latchkey'
import { Failure } from '../exit.ts'

/** @throws Failure `absent` if no key has this id. */
export async function mustFind(keyring: Keyring, id: string): Promise<KeyDetails> {
  const key = await keyring.find(id)
  if (key === undefined) throw new Failure('absent', 'No key has this id.')
  return key
}
