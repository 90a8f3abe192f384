import { join } from 'node:path'
import type { Keyring, Store } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import type { Benchmark, Figure, Line } from './figure.ts'
import { fill, scopes } from './fill.ts'
import { interleave, spreadOf } from './measure.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

const few = 1000
const many = 1_000_000

/** Calls in one measurement, whose median it is. */
const calls = 20

const rounds = 50

const lines = {
  change: { name: 'change of a key, a million cached: above a thousand', unit: 'ms', goal: { atMost: 0.1 } },
  issue: { name: 'issue of a key, a million cached: above a thousand', unit: 'ms', goal: { atMost: 0.1 } },
}

/** The cost of a change for a cache that is large. */
export const change: Benchmark = {
  method:
    'One process, and one database of a million keys with two keyrings: one has all of them in its cache, the other a ' +
    'thousand. Measured is the time from the commit of a `change`, of a key that is cached, or of an `issue` to its ' +
    'answer, without waiting for other instances. The value is that with a million less that with a thousand, round by ' +
    `round. A measurement is the median of ${calls} calls.`,

  lines: Object.values(lines),

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'latchkey.db')
      const filling = sqliteStore({ file })
      const secrets = await fill(filling, { count: many, keep: many })
      await filling.close()
      progress('filled')
      const [large, small] = [await openAt(file, secrets), await openAt(file, secrets.slice(0, few))]

      progress('measuring')
      const times = await interleave({
        contenders: {
          change: changing(large),
          changeFew: changing(small),
          issue: issuing(large),
          issueFew: issuing(small),
        },
        warmUp: 5,
        rounds,
      })
      for (const { keyring } of [large, small]) await keyring.close()
      return [above(lines.change, times.change, times.changeFew), above(lines.issue, times.issue, times.issueFew)]
    }),
}

interface Opened {
  readonly keyring: Keyring
  readonly secrets: readonly string[]
  /** When the last change was committed, in milliseconds. */
  readonly committedAt: () => number
}

/** Opens a keyring that has these keys in its cache. */
async function openAt(file: string, secrets: readonly string[]): Promise<Opened> {
  const store = sqliteStore({ file })
  let committed = 0
  const watched: Store = {
    ...store,
    async commit(...made) {
      const entries = await store.commit(...made)
      committed = performance.now()
      return entries
    },
    settled: async () => ({ instances: null, confirmed: 0, lapsed: 0, lapsedInstances: [], waitedMs: 0 }),
  }
  // Twice as many as are cached: they stay in the younger half.
  const room = { cacheSize: 2 * many, cacheBytes: Number.MAX_SAFE_INTEGER }
  const keyring = await openKeyring({ store: watched, scopes, ...room })
  for (const secret of secrets) await cached(keyring, secret)
  return { keyring, secrets, committedAt: () => committed }
}

/** The id of a key that is in the cache now. A dry run, so that no usage is written meanwhile. */
async function cached(keyring: Keyring, secret: string | undefined): Promise<string> {
  const verdict = await keyring.verify(secret, undefined, { dryRun: true })
  if (!verdict.ok) throw new Error('A key was not accepted.')
  return verdict.key.id
}

/** A contender: changes one key after the other. */
function changing({ keyring, secrets, committedAt }: Opened): () => Promise<number> {
  let next = 0
  return () =>
    medianOf(async () => {
      const id = await cached(keyring, secrets[next++ % few])
      await keyring.change(id, { name: `Key ${next}` })
      return performance.now() - committedAt()
    })
}

function issuing({ keyring, committedAt }: Opened): () => Promise<number> {
  return () =>
    medianOf(async () => {
      await keyring.issue({ name: 'Key', owner: 'acme', scopes: [] })
      return performance.now() - committedAt()
    })
}

async function medianOf(call: () => Promise<number>): Promise<number> {
  const times: number[] = []
  for (let count = 0; count < calls; count++) times.push(await call())
  return spreadOf(times).median
}

function above(line: Line, withMany: readonly number[], withFew: readonly number[]): Figure {
  const told = (times: readonly number[]): string => `${spreadOf(times).median.toFixed(2)} ms`
  return {
    ...line,
    value: spreadOf(withMany.map((time, round) => time - (withFew[round] ?? Number.NaN))),
    sides: `thousand ${told(withFew)}, million ${told(withMany)}`,
  }
}
