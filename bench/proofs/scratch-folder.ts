import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTemporaryFolder } from '../benchmarks/temporary-folder.ts'

/** Where Linux keeps files in memory. */
const inMemory = '/dev/shm'

/**
 * Lends a folder, and removes it with all that is in it. In memory where the system has a place for that: for proofs of
 * who wins and not of what survives, which would wait for a disk a million times and learn nothing from it.
 *
 * @example await inScratchFolder('quota', (folder) => run(join(folder, 'keys.db')))
 */
export async function inScratchFolder<Result>(name: string, use: (folder: string) => Promise<Result>): Promise<Result> {
  return inTemporaryFolder(use, join(existsSync(inMemory) ? inMemory : tmpdir(), `latchkey-${name}-`))
}
