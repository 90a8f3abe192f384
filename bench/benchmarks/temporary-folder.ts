import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Lends a temporary folder, and removes it with all that is in it, also if a signal ends the process meanwhile.
 *
 * @param place - where it is made, and what its name begins with.
 */
export async function inTemporaryFolder<Result>(
  use: (folder: string) => Promise<Result>,
  place: string = join(tmpdir(), 'latchkey-bench-'),
): Promise<Result> {
  const folder = await mkdtemp(place)
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  try {
    return await use(folder)
  } finally {
    process.off('exit', remove)
    remove()
  }
}
