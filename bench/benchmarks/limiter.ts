import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import type { Window } from 'latchkey/ports'
import type { RedisLimiter } from 'latchkey/limiter/redis'
import { redisLimiter } from 'latchkey/limiter/redis'
import { startRedis } from '../../test/redis-server.ts'
import type { Benchmark, Line } from './figure.ts'
import { interleave, ratioOf, spreadOf } from './measure.ts'

const rounds = 3000

/** Calls of which one median is taken. */
const group = 100

/** Seconds, and how many busy programs for each processor. */
const load = { seconds: 30, programs: 3 }

const lines = {
  one: { name: 'limiter: one window in Redis against a bare GET, p50', goal: { atMost: 1.3 } },
  three: { name: 'limiter: three windows in Redis against a bare GET, p50', goal: { atMost: 1.8 } },
  given: { name: 'limiter: how often a sound Redis is given up under load', unit: 'times', goal: { atMost: 0 } },
} satisfies Record<string, Line>

/** What a call costs that is counted in Redis. */
export const limiter: Benchmark = {
  method:
    'One process and a Redis of its own on 127.0.0.1. Calls are counted one after the other, in turn with `GET`s of a key ' +
    `through the same client; a figure is the ratio of medians of ${group} calls. Then ${load.programs} programs for each ` +
    `processor keep it busy for ${load.seconds} seconds, while calls are counted all the time: the limiter must not take ` +
    'that for an outage.',

  lines: Object.values(lines),

  async run(progress) {
    const redis = await startRedis()
    const client = createClient({ url: redis.url })
    await client.connect()
    const shared = await redisLimiter({ client })
    const windows = [1, 60, 3600].map((window): Window => ({
      name: 'one',
      bucket: `of ${window} s`,
      group: 'acme',
      limit: 1_000_000,
      window,
    }))
    try {
      const timed = async (work: () => unknown): Promise<number> => {
        const began = performance.now()
        await work()
        return (performance.now() - began) * 1000
      }
      const [one, three] = [windows.slice(0, 1), windows]
      const times = await interleave({
        contenders: {
          get: () => timed(() => client.get('a key')),
          one: () => timed(() => shared.take(one, 1)),
          three: () => timed(() => shared.take(three, 1)),
        },
        warmUp: 300,
        rounds,
      })
      const [get, oneWindow, threeWindows] = [times.get, times.one, times.three].map(medians)
      const show = (values: readonly number[] = []): string => `${spreadOf(values).median.toFixed(0)} µs`
      progress(`GET ${show(get)}, one window ${show(oneWindow)}, three ${show(threeWindows)}`)
      const falsely = await givenUpUnderLoad(shared, one)
      return [
        { ...lines.one, value: ratioOf(oneWindow ?? [], get ?? []), sides: `${show(oneWindow)}, ${show(get)}` },
        { ...lines.three, value: ratioOf(threeWindows ?? [], get ?? []), sides: `${show(threeWindows)}, ${show(get)}` },
        { ...lines.given, value: spreadOf([falsely.outages]), sides: `in ${falsely.calls.toLocaleString('en')} calls` },
      ]
    } finally {
      await shared.close()
      client.destroy()
      await redis.kill()
    }
  },
}

function medians(times: readonly number[]): readonly number[] {
  return Array.from(
    { length: Math.floor(times.length / group) },
    (_, index) => spreadOf(times.slice(index * group, (index + 1) * group)).median,
  )
}

/** Counts calls on a machine that is busier than it can be, and answers how often the limiter has given up its Redis. */
async function givenUpUnderLoad(
  asked: RedisLimiter,
  windows: readonly Window[],
): Promise<{ readonly outages: number; readonly calls: number }> {
  const before = asked.state().outages
  const busy = Array.from({ length: load.programs * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  )
  const end = (): void => busy.forEach((program) => program.kill('SIGKILL'))
  process.once('exit', end)
  let calls = 0
  try {
    const until = performance.now() + load.seconds * 1000
    const caller = async (): Promise<void> => {
      for (; performance.now() < until; calls++) {
        await asked.take(windows, 1)
        if (calls % 3 === 0) await sleep(5)
      }
    }
    await Promise.all(Array.from({ length: 16 }, caller))
  } finally {
    end()
    process.off('exit', end)
  }
  return { outages: asked.state().outages - before, calls }
}
