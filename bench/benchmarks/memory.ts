import { join } from 'node:path'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { asSent } from './contender.ts'
import type { Benchmark } from './figure.ts'
import { fill, scopes } from './fill.ts'
import { spreadOf } from './measure.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

/** As many as a keyring holds unless it is told otherwise. */
const cached = 50_000

const rounds = 7

const line = { name: 'memory of a cached key', unit: 'bytes', goal: { atMost: 450 } }

/** What a key takes in the memory of a keyring. */
export const memory: Benchmark = {
  method:
    `One process. A keyring is opened on ${cached.toLocaleString('en')} keys of 1,000 owners, with the same scopes and metadata, and ` +
    'verifies all of them, so that its cache is full. The heap in use afterwards, without garbage, less the heap in use ' +
    `before, for each key: its verdict, its counter of usage and its place in the index. ${rounds} rounds, each with a new keyring.`,

  lines: [line],

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'latchkey.db')
      const filling = sqliteStore({ file })
      const secrets = asSent(await fill(filling, { count: cached, keep: cached }))
      await filling.close()

      progress('measuring')
      const bytes: number[] = []
      for (let round = 0; round < rounds; round++) bytes.push(await bytesOfKey(file, secrets))
      return [{ ...line, value: spreadOf(bytes), sides: `${cached.toLocaleString('en')} keys` }]
    }),
}

async function bytesOfKey(file: string, secrets: readonly string[]): Promise<number> {
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  const before = heapInUse()
  for (const secret of secrets) {
    const verdict = await keyring.verify(secret)
    if (!verdict.ok) throw new Error('A key was not accepted.')
  }
  // Counts that wait to be written are not part of the cache.
  await keyring.flushUsage()
  const bytes = (heapInUse() - before) / secrets.length
  await keyring.close()
  return bytes
}

function heapInUse(): number {
  // The first collection runs what has been waiting for it, such as finalizers.
  for (let run = 0; run < 3; run++) globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
