import { statSync } from 'node:fs'
import { LatchkeyError } from '../error.ts'

/** Throws when a path no longer names the file that was opened by it. */
export type Presence = () => void

/** A database in memory is wherever its process is. */
export const always: Presence = () => undefined

/**
 * Notes which file a path names. SQLite goes on in a file that was deleted, or that another was put in the place of, and
 * every change would be acknowledged and lost.
 *
 * @returns what to call before anything is answered from the database or acknowledged; it costs some 4 µs.
 * @throws LatchkeyError `store_unusable` where there is no file.
 */
export function presenceOf(file: string): Presence {
  const opened = named(file)
  const presence: Presence = () => {
    const found = named(file)
    if (found !== undefined && found.ino === opened?.ino && found.dev === opened.dev) return
    throw new LatchkeyError(
      'store_unusable',
      `The database ${file} was deleted or replaced while it was open: put it back, then start anew.`,
    )
  }
  presence()
  return presence
}

/** As bigints: the numbers of some file systems are beyond what a number can tell apart. */
function named(file: string): { readonly ino: bigint; readonly dev: bigint } | undefined {
  return statSync(file, { bigint: true, throwIfNoEntry: false })
}
