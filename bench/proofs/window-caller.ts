// Started by window.ts: an instance that counts in a Redis, as quickly as it can, and calls most at the edges of windows.

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { redisLimiter } from 'latchkey/limiter/redis'
import type { Window } from 'latchkey/ports'
import type { Random } from './random.ts'
import { seeded } from './random.ts'

/** The windows that every instance counts in: each call counts in all windows of one row. */
export const rows: readonly (readonly Window[])[] = [
  [named({ bucket: 'short', limit: 40, window: 0.05 })],
  [named({ bucket: 'inner', limit: 60, window: 0.1 }), named({ bucket: 'outer', limit: 400, window: 1 })],
  [
    named({ bucket: 'wide', limit: 500, window: 1 }),
    named({ bucket: 'tight', limit: 7, window: 0.01 }),
    named({ bucket: 'middle', limit: 90, window: 0.15 }),
  ],
]

/** What an admitted call tells: its row, its cost, its time in Redis, and when it was sent and answered, in microseconds. */
export type Admitted = readonly [row: number, cost: number, at: number, sent: number, answered: number]

const workers = 48

function named(window: Pick<Window, 'bucket' | 'limit' | 'window'>): Window {
  return { name: window.bucket, group: 'acme', ...window }
}

/** Of a clock that all processes of a machine have in common. */
function microseconds(): number {
  return Number(process.hrtime.bigint() / 1000n)
}

if (import.meta.main) {
  const [url = '', calls = '', seed = ''] = process.argv.slice(2)
  await main(url, Number(calls), seeded(Number(seed)))
}

async function main(url: string, calls: number, random: Random): Promise<void> {
  const limiter = await redisLimiter({ client: createClient({ url }) })
  let left = calls
  let elsewhere = 0
  let admitted: Admitted[] = []

  function tell(): void {
    if (admitted.length > 0) console.log(JSON.stringify(admitted))
    admitted = []
  }

  async function work(): Promise<void> {
    while (left-- > 0) {
      const row = random.below(rows.length)
      const cost = random.chance(0.1) ? 2 : 1
      const sent = microseconds()
      const answer = await limiter.take(rows[row] ?? [], cost)
      if (answer.by !== 'shared') elsewhere++
      if (answer.admitted) {
        admitted.push([row, cost, Math.round(answer.at * 1000), sent, microseconds()])
        if (admitted.length >= 500) tell()
      }
      const wait = Math.max(...answer.states.map(({ waitMs }) => waitMs))
      // Most come as soon as there is room again, all at once; some a little too early, and some not at all.
      if (wait > 0 && wait < 30 && random.chance(0.5)) await sleep(wait)
    }
  }

  await Promise.all(Array.from({ length: workers }, work))
  tell()
  console.log(JSON.stringify({ elsewhere }))
  await limiter.close()
}
