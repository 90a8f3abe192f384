// Folders of tests, and what must be over before they go.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

interface FolderOptions {
  /** The test that it goes with. */
  readonly context?: { readonly after: (hook: () => Promise<void>) => void }
  /** Where it is made; where the system has such folders if left out. */
  readonly within?: string
}

const closings = new Map<string, (() => unknown)[]>()

/**
 * A folder that goes when the test is over that makes it, or the file of tests where none does.
 *
 * Node runs hooks in the order in which they came. A hook that closes a database would come after the one that takes its
 * folder away, as the folder was there first, and what the database has left to write would fail. So whatever is open in
 * the folder is named by `beforeRemoval`, and not by a hook of its own.
 *
 * @param name - what the path says that it is for.
 */
export function temporaryFolder(name: string, { context = { after }, within = tmpdir() }: FolderOptions = {}): string {
  mkdirSync(within, { recursive: true })
  const folder = mkdtempSync(join(within, `latchkey-${name}-`))
  const closes: (() => unknown)[] = []
  closings.set(folder, closes)
  context.after(async () => {
    const errors: unknown[] = []
    for (let close = closes.pop(); close !== undefined; close = closes.pop()) {
      try {
        await close()
      } catch (error) {
        errors.push(error)
      }
    }
    closings.delete(folder)
    rmSync(folder, { recursive: true, force: true })
    if (errors.length > 0) throw new AggregateError(errors, `What was open in ${folder} did not close.`)
  })
  return folder
}

/** Closes something before its folder goes, and waits for it: what was opened last is closed first. */
export function beforeRemoval(folder: string, close: () => unknown): void {
  const closes = closings.get(folder)
  if (closes === undefined) throw new Error(`${folder} is not a temporary folder, or is gone.`)
  closes.push(close)
}
