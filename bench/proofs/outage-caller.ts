// Started by outage.ts: an instance that is called without a pause, and tells of each call.

import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { redisLimiter } from 'latchkey/limiter/redis'
import type { Window } from 'latchkey/ports'

/** A limit that goes on in shares, and one that refuses meanwhile. */
export const windows: Readonly<Record<'share' | 'refuse', Window>> = {
  share: { name: 'share', bucket: 'share', group: 'acme', limit: 40, window: 0.25 },
  refuse: { name: 'refuse', bucket: 'refuse', group: 'acme', limit: 1_000_000, window: 1, whenUnavailable: 'refuse' },
}

/**
 * A call: its limit, when it was sent and answered, in milliseconds of a clock that all processes have in common, whether
 * it was admitted (`null`: refused as unavailable), and by whom.
 */
export type Told = readonly [
  limit: 'share' | 'refuse',
  sent: number,
  answered: number,
  admitted: boolean | null,
  by: string,
]

function now(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000
}

if (import.meta.main) {
  const [url = ''] = process.argv.slice(2)
  await main(url)
}

async function main(url: string): Promise<void> {
  const limiter = await redisLimiter({
    client: createClient({ url }),
    onChange: ({ by }) => console.log(JSON.stringify({ at: now(), by })),
  })
  console.log(JSON.stringify({ at: now(), by: limiter.state().by }))
  const ending = { is: false }
  process.once('SIGTERM', () => (ending.is = true))

  async function call(limit: 'share' | 'refuse', pause: number): Promise<void> {
    while (!ending.is) {
      const sent = now()
      let told: readonly [admitted: boolean | null, by: string]
      try {
        const { admitted, by = '' } = await limiter.take([windows[limit]], 1)
        told = [admitted, by]
      } catch (error) {
        told = [null, (error as { readonly code?: string }).code ?? 'unknown']
      }
      console.log(JSON.stringify([limit, sent, now(), ...told] satisfies Told))
      await sleep(pause)
    }
  }

  await Promise.all([call('share', 2), call('share', 3), call('share', 5), call('refuse', 7)])
  await limiter.close()
}
