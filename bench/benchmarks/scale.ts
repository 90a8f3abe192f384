import { join } from 'node:path'
import type { Keyring } from 'latchkey'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { asSent, verifying } from './contender.ts'
import type { Benchmark } from './figure.ts'
import { fill, scopes } from './fill.ts'
import { inTemporaryFolder } from './temporary-folder.ts'
import { interleave, microseconds, ratioOf } from './measure.ts'

const few = 1000
const many = 1_000_000

/** Of the many, how many are asked for: enough that their rows are not all in the database's own cache of pages. */
const sampled = 100_000

/** How many keys are hot on both sides. */
const hot = 1000

/** What a million keys cost those who verify. */
export const scale: Benchmark = {
  method:
    'One process, one thread. Two databases, of a thousand and of a million keys, filled through the store, each with ' +
    'two keyrings: one that holds 1,000 hot keys (warm), and one that holds 100 keys and is asked for all of the ' +
    'thousand, or for 100,000 of the million, in random order (cold). The ratio is time at a million by time at a thousand.',

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const small = await openAt({ file: join(folder, 'few.db'), count: few, keep: few })
      const large = await openAt({
        file: join(folder, 'many.db'),
        count: many,
        keep: sampled,
        progress: (filled) => {
          if (filled % 100_000 === 0) progress(`${filled / 1000} of ${many / 1000} thousand keys`)
        },
      })

      progress('measuring')
      const times = await interleave({
        contenders: {
          warmFew: verifying(small.warm, { secrets: small.secrets.slice(0, hot), calls: 40_000 }),
          warmMany: verifying(large.warm, { secrets: large.secrets.slice(0, hot), calls: 40_000 }),
          coldFew: verifying(small.cold, { secrets: small.secrets, calls: 5000 }),
          coldMany: verifying(large.cold, { secrets: large.secrets, calls: 5000 }),
        },
        warmUp: 10,
        rounds: 100,
      })
      for (const keyring of [small.warm, small.cold, large.warm, large.cold]) await keyring.close()

      return [
        {
          name: 'scale, warm: a million keys against a thousand',
          ratio: ratioOf(times.warmMany, times.warmFew),
          goal: { atMost: 1.1 },
          sides: `thousand ${microseconds(times.warmFew)}, million ${microseconds(times.warmMany)}`,
        },
        {
          name: 'scale, cold: a million keys against a thousand',
          ratio: ratioOf(times.coldMany, times.coldFew),
          goal: { atMost: 2 },
          sides: `thousand ${microseconds(times.coldFew)}, million ${microseconds(times.coldMany)}`,
        },
      ]
    }),
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
