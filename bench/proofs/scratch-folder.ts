import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTemporaryFolder } from '../benchmarks/temporary-folder.ts'

/** Where Linux keeps files in memory, and where files go where that is missing or closed to us. */
const usual: readonly string[] = ['/dev/shm', tmpdir()]

/**
 * Lends a folder, and removes it with all that is in it. In memory where the system has a place for that: for proofs
 * about races, not about durability: they would wait for the disk a million times and gain nothing.
 *
 * @param places - where it may be; the first that lets us write is taken.
 * @example await inScratchFolder('quota', (folder) => run(join(folder, 'keys.db')))
 */
export async function inScratchFolder<Result>(
  name: string,
  use: (folder: string) => Promise<Result>,
  places = usual,
): Promise<Result> {
  for (const place of places) {
    if (await isWritable(place)) return inTemporaryFolder(use, join(place, `latchkey-${name}-`))
  }
  throw new Error(`No place for temporary files: ${places.join(' and ')} cannot be written to`)
}

/** Try it instead of asking for rights: there are other reasons to fail. */
async function isWritable(place: string): Promise<boolean> {
  try {
    const folder = await mkdtemp(join(place, 'latchkey-'))
    try {
      await writeFile(join(folder, 'trial'), 'x')
    } finally {
      await rm(folder, { recursive: true })
    }
    return true
  } catch {
    return false
  }
}
