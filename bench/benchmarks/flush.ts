import { join } from 'node:path'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { asSent } from './contender.ts'
import type { Benchmark, Line } from './figure.ts'
import { fill, scopes } from './fill.ts'
import type { Held } from './loop.ts'
import { longestTurn } from './loop.ts'
import { spreadOf } from './measure.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

const used = 100_000

const rounds = 3

const line: Line = {
  name: `flush: ${used.toLocaleString('en')} used keys, longest turn of the loop`,
  unit: 'ms',
  goal: { atMost: 5 },
}

/** How long writing usage holds everything else. */
export const flush: Benchmark = {
  method:
    `One process, one thread. ${used.toLocaleString('en')} keys are verified once each, then \`keyring.flushUsage\` writes their usage, ` +
    'while the event loop turns as fast as it can. The figure is the longest turn: by the ' +
    'CPU time of the thread, which other processes do not blur, with the longest by the clock beside it.',

  lines: [line],

  run: (progress) =>
    inTemporaryFolder(async (folder) => {
      const store = sqliteStore({ file: join(folder, 'latchkey.db') })
      const secrets = asSent(await fill(store, { count: used, keep: used }))
      const keyring = await openKeyring({ store, scopes, cacheSize: 2 * used, usageInterval: 1_000_000_000 })
      const turns: Held[] = []
      const times: number[] = []
      for (let round = 0; round < rounds; round++) {
        for (const secret of secrets) await keyring.verify(secret)
        globalThis.gc?.()
        const began = performance.now()
        turns.push(await longestTurn(() => keyring.flushUsage()))
        times.push(performance.now() - began)
        progress(`${round + 1} of ${rounds}`)
      }
      await keyring.close()
      const byClock = spreadOf(turns.map(({ clock }) => clock))
      return [
        {
          ...line,
          value: spreadOf(turns.map(({ processor }) => processor)),
          sides: `by the clock ${byClock.median.toFixed(1)} ms, written in ${(spreadOf(times).median / 1000).toFixed(1)} s`,
        },
      ]
    }),
}
