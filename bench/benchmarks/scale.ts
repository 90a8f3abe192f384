import { join } from 'node:path'
import type { KeyPage, Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { asSent, verifying } from './contender.ts'
import type { Benchmark } from './figure.ts'
import { fill, scopes } from './fill.ts'
import { inTemporaryFolder } from './temporary-folder.ts'
import { interleave, microseconds, ratioOf } from './measure.ts'

const few = 1000
const many = 1_000_000

/**
 * The number of keys, of the many, that are verified: enough that their rows are not all in the database's own cache of
 * pages.
 */
const sampled = 100_000

/** Keys on a page, pages in one measurement, and keys at each end from which the pages are taken in turn. */
const page = 100
const pages = 20
const stretch = 100_000

/** How many keys are hot on both sides. */
const hot = 1000

const lines = {
  warm: { name: 'scale, warm: a million keys against a thousand', goal: { atMost: 1.1 } },
  cold: { name: 'scale, cold: a million keys against a thousand', goal: { atMost: 2 } },
  list: { name: 'scale, list: the last pages of a million keys against the first', goal: { atMost: 1.5 } },
}

/** The cost of a million keys for verification. */
export const scale: Benchmark = {
  method:
    'One process, one thread. Two databases, of a thousand and of a million keys, filled through the store, each with ' +
    'two keyrings: one that holds 1,000 hot keys (warm), and one that holds 100 keys and is asked for all of the ' +
    'thousand, or for 100,000 of the million, in random order (cold). The ratio is time at a million by time at a thousand. ' +
    `Lists: \`keyring.list\` page by page, ${pages} pages of ${page} in a row, from one end of the million and from the other, ` +
    'going on where it stopped within the 100,000 at that end. Before that all of them are listed once, and counted.',

  lines: Object.values(lines),

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const small = await openAt({ file: join(folder, 'few.db'), count: few, keep: few })
      const began = performance.now()
      const large = await openAt({
        file: join(folder, 'many.db'),
        count: many,
        keep: sampled,
        progress: (filled) => {
          if (filled % 100_000 === 0) progress(`${filled / 1000} of ${many / 1000} thousand keys`)
        },
      })

      progress(`filled in ${((performance.now() - began) / 1000).toFixed(0)} s`)
      progress(await walk(large.warm))
      progress('measuring')
      const times = await interleave({
        contenders: {
          warmFew: verifying(small.warm, { secrets: small.secrets.slice(0, hot), calls: 40_000 }),
          warmMany: verifying(large.warm, { secrets: large.secrets.slice(0, hot), calls: 40_000 }),
          coldFew: verifying(small.cold, { secrets: small.secrets, calls: 5000 }),
          coldMany: verifying(large.cold, { secrets: large.secrets, calls: 5000 }),
          firstPages: listing(large.warm, 'oldest'),
          lastPages: listing(large.warm, 'newest'),
        },
        warmUp: 10,
        rounds: 100,
      })
      for (const keyring of [small.warm, small.cold, large.warm, large.cold]) await keyring.close()

      return [
        {
          ...lines.warm,
          value: ratioOf(times.warmMany, times.warmFew),
          sides: `thousand ${microseconds(times.warmFew)}, million ${microseconds(times.warmMany)}`,
        },
        {
          ...lines.cold,
          value: ratioOf(times.coldMany, times.coldFew),
          sides: `thousand ${microseconds(times.coldFew)}, million ${microseconds(times.coldMany)}`,
        },
        {
          ...lines.list,
          value: ratioOf(times.lastPages, times.firstPages),
          sides: `first ${microseconds(times.firstPages)}, last ${microseconds(times.lastPages)} for a page of ${page}`,
        },
      ]
    }),
}

/** A contender: so many pages in a row, of the keys that were issued first or last; nanoseconds a page. */
function listing(keyring: Keyring, order: 'oldest' | 'newest'): () => Promise<number> {
  let cursor: string | null = null
  let listed = 0
  return async () => {
    globalThis.gc?.()
    const began = process.hrtime.bigint()
    for (let count = 0; count < pages; count++) {
      const found: KeyPage = await keyring.list({ order, limit: page, ...(cursor === null ? {} : { cursor }) })
      if (found.keys.length !== page) throw new Error('A page is not full.')
      listed += page
      cursor = listed % stretch === 0 ? null : found.cursor
    }
    return Number(process.hrtime.bigint() - began) / pages
  }
}

/** Lists all keys, each of which must come once and in its order, and answers how it went. */
async function walk(keyring: Keyring): Promise<string> {
  const began = performance.now()
  const ids = new Set<string>()
  for (let cursor: string | null | undefined; cursor !== null;) {
    const found: KeyPage = await keyring.list({ limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
    for (const { id } of found.keys) ids.add(id)
    cursor = found.cursor
  }
  if (ids.size !== many) throw new Error(`${ids.size} keys were listed, of ${many}.`)
  return `all keys listed in ${((performance.now() - began) / 1000).toFixed(0)} s, 1,000 a page`
}

interface Filled {
  /** In random order. */
  readonly secrets: readonly string[]
  readonly warm: Keyring
  readonly cold: Keyring
}

async function openAt({ file, ...amounts }: { readonly file: string } & Parameters<typeof fill>[1]): Promise<Filled> {
  const store = sqliteStore({ file })
  const secrets = asSent(await fill(store, amounts))
  const warm = await openKeyring({ store, scopes })
  const cold = await openKeyring({ store: sqliteStore({ file }), scopes, cacheSize: 100 })
  return { secrets, warm, cold }
}
