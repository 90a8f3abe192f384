import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqliteStore } from 'latchkey/store/sqlite'
import { fill } from '../benchmarks/fill.ts'
import { startChild } from './child.ts'
import type { Gaps } from './loop-watch.ts'
import { defineProof } from './proof.ts'
import { seeded } from './random.ts'
import { inScratchFolder } from './scratch-folder.ts'
import { sendTraffic } from './soak-callers.ts'
import { faults } from './soak-faults.ts'
import type { Ready, Second } from './soak-server.ts'

/** The time is divided into so many parts: at the full size, a part is a minute. */
const parts = 10

/** A share of the time, in which cold code is compiled: its gaps are shown, and not required. */
const coldShare = 0.1
const longestCold = 10

/** With so many keys there are calls. */
const used = 100_000

export const proof = defineProof({
  promise: 'A server with a million keys takes no more memory with time, and nothing holds its event loop',
  takes: '12 minutes',
  sizes: { n: 1_000_000, duration: 600 },
  faults,
  faultSizes: { n: 3000, duration: 120 },

  prove: ({ sizes: { n, duration }, seed, progress }) =>
    inScratchFolder('soak', async (folder) => {
      const file = join(folder, 'keys.db')
      progress(`${n} keys`)
      const store = sqliteStore({ file })
      const secrets = await fill(store, { count: n, keep: Math.min(n, used) })
      await store.close()

      const server = await startServer(folder, file)
      progress('traffic')
      const stopping = new AbortController()
      const sending = sendTraffic({ server: server.ready, secrets, random: seeded(seed), stop: stopping.signal })
      const over = sleep(duration * 1000, 'over')
      // Traffic that fails must not be waited for until the end.
      await Promise.race([sending, over])
      stopping.abort()
      const traffic = await sending
      const measured = server.seconds.slice(0, duration)
      const failure = await server.stop()
      for (const line of [failure, ...traffic.wrong.slice(0, 5)]) if (line !== undefined) progress(line)

      const memory = inParts(measured.map(({ resident }) => resident / 1e6)).map((part) => rounded(mean(part)))
      const gaps = inParts(measured.map(({ gap }) => gap)).map((part) => rounded(Math.max(...part)))
      const cold = Math.ceil(Math.min(longestCold, coldShare * duration))
      const longest = (of: keyof Gaps, some: readonly Second[]): number => {
        return rounded(Math.max(...some.map((second) => second[of])))
      }
      const { accepted, refused, changes, reads, wrong } = traffic
      return {
        figures: {
          accepted,
          refused,
          changes,
          reads,
          wrongAnswers: wrong.length,
          failedToStop: Number(failure !== undefined),
          growthPercent: rounded(((memory.at(-1) ?? Number.NaN) / (memory[2] ?? Number.NaN) - 1) * 100),
          longestGap: longest('gap', measured.slice(cold)),
          longestGapByClock: longest('gapByClock', measured.slice(cold)),
          longestGapByProcessor: longest('gapByProcessor', measured.slice(cold)),
          longestCollection: longest('collection', measured.slice(cold)),
          longestGapCold: longest('gap', measured.slice(0, cold)),
        },
        required: {
          wrongAnswers: { is: 0 },
          failedToStop: { is: 0 },
          growthPercent: { below: 5 },
          longestGap: { below: 20 },
          longestGapByProcessor: { below: 20 },
          // Otherwise it was too easy.
          accepted: { atLeast: 100 * duration },
          changes: { atLeast: 5 * duration },
        },
        details: { megabytesInEachPart: memory, longestGapInEachPart: gaps },
      }
    }),
})

interface Server {
  readonly ready: Ready
  /** What it has said of each second so far. */
  readonly seconds: readonly Second[]
  /** Stops it, and returns what went wrong, if anything. */
  readonly stop: () => Promise<string | undefined>
}

async function startServer(folder: string, file: string): Promise<Server> {
  const seconds: Second[] = []
  const started = Promise.withResolvers<Ready>()
  const child = startChild({
    file: new URL('soak-server.ts', import.meta.url),
    args: [file],
    folder,
    onLine(line) {
      const said = JSON.parse(line) as Ready | Second
      if ('port' in said) started.resolve(said)
      else seconds.push(said)
    },
  })
  const ended = child.ended.then(({ code, signal }) => {
    const failure = `The server ended with ${signal ?? code}. ${child.complaints()}`
    started.reject(new Error(failure))
    return code === 0 ? undefined : failure
  })
  return {
    ready: await started.promise,
    seconds,
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

/** So many parts of equal length, in order. */
function inParts(values: readonly number[]): readonly (readonly number[])[] {
  const length = values.length / parts
  return Array.from({ length: parts }, (_, part) =>
    values.slice(Math.floor(part * length), Math.floor((part + 1) * length)),
  )
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
