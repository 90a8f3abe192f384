import type { Erased } from 'latchkey'
import { putJson } from '../json.ts'
import { everywhereText } from './changed.ts'
import { printable, say } from './print.ts'

/** Prints the result of an erasure: sentences for people, the answer for programs. */
export function putErased(
  erased: Erased,
  { done, json }: { readonly done: string; readonly json: boolean | undefined },
): void {
  if (json === true) return putJson(erased)
  const { entry, cleared } = erased
  const rest = cleared
    ? 'Nothing of it is left in the database. Backups made before still have it.'
    : 'The file of the database may still have it: a program reads from it at present, or it is larger than 64 MiB. Run latchkey scrub at a quiet time.'
  say(printable(`${done}, ${everywhereText(erased)}: entry ${entry} of the journal says so. ${rest}`))
}
