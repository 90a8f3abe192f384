import type { Changed } from 'latchkey'
import { putJson } from '../json.ts'
import { plain, say } from '../terminal/print.ts'

/** What came of a change: a line for people, the key for programs. */
export function putChanged(
  done: Changed,
  { verb, json }: { readonly verb: string; readonly json: boolean | undefined },
): void {
  if (json === true) return putJson(done)
  const { key, tookMs } = done
  // Not just done: from now on no instance acts on what was before, and it says how long that took.
  say(
    plain(
      `${key.id} ${verb}, everywhere after ${Math.ceil(tookMs)} ms; it is ${key.state}, at revision ${key.revision}.`,
    ),
  )
}
