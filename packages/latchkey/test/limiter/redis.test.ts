import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createClient } from '@redis/client'
import fc from 'fast-check'
import { memoryLimiter } from '../../src/limiter/memory.ts'
import type { RedisLimiter, RedisLimiterOptions } from '../../src/limiter/redis.ts'
import { redisLimiter } from '../../src/limiter/redis.ts'
import { limiterConformance, newWindow } from '../conformance/limiter.ts'
import { clients, noRedis, ownPrefix, redisUrl, withRedis } from './redis-here.ts'
import { turnedClient } from './turned-redis.ts'

const { prefix, forget } = ownPrefix()
const [nodeRedis] = Object.values(clients)
if (nodeRedis === undefined) throw new Error('There are no clients.')

describe('the limiter on Redis', { skip: noRedis }, () => {
  const setting = createClient({ url: redisUrl })
  before(() => setting.connect())
  const opened: RedisLimiter[] = []
  after(async () => {
    for (const limiter of opened) await limiter.close()
    setting.destroy()
    await forget()
  })

  /** Opens a limiter that is closed in the end, also where a test fails: its connection would keep the process. */
  async function open(options: RedisLimiterOptions): Promise<RedisLimiter> {
    const limiter = await redisLimiter(options)
    opened.push(limiter)
    return limiter
  }

  let made = 0

  async function setClock(key: string, milliseconds: number): Promise<void> {
    await setting.set(key, String(Math.round(milliseconds * 1000)), { expiration: { type: 'EX', value: 600 } })
  }

  /** Limiters on Redis, as those of instances, on a clock that the test turns. */
  async function turned(count: number) {
    const clockKey = `${prefix}:clock:${made++}`
    let now = 1000
    await setClock(clockKey, now)
    const limiters = await Promise.all(
      Array.from({ length: count }, async () => open({ client: turnedClient(redisUrl, clockKey), prefix })),
    )
    return {
      limiters: limiters as [(typeof limiters)[0], ...typeof limiters],
      async advance(ms: number) {
        now += ms
        await setClock(clockKey, now)
      },
    }
  }

  limiterConformance('Redis', async () => ({ ...(await turned(2)), slice: (window) => window / 60 }), { runs: 30 })

  test('it answers as the limiter in memory does, whatever is asked in whatever order', async () => {
    const step = fc.record({
      ms: fc.nat(400).map((quarter) => quarter / 4),
      which: fc.subarray([0, 1, 2], { minLength: 1 }),
      cost: fc.nat(4),
      how: fc.constantFrom('take', 'take', 'take', 'peek', 'giveBack'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 80 }), async (steps) => {
        const { limiters, advance } = await turned(1)
        let now = 1000
        const memory = memoryLimiter({ clock: { monotonic: () => now } })
        const pool = [
          newWindow({ limit: 4, window: 0.12 }),
          newWindow({ limit: 9, window: 0.6 }),
          newWindow({ limit: 2, window: 0.3, reportOnly: true }),
        ]
        let last = undefined as undefined | Parameters<typeof memory.giveBack>
        for (const { ms, which, cost, how } of steps) {
          await advance(ms)
          now += ms
          const windows = which.flatMap((index) => pool[index] ?? [])
          if (how === 'giveBack') {
            if (last === undefined) continue
            memory.giveBack(...last)
            await limiters[0].giveBack(...last)
            last = undefined
          } else {
            const answer = memory[how](windows, cost)
            assert.deepEqual(await limiters[0][how](windows, cost), { ...answer, by: 'shared' })
            if (how === 'take') last = [windows, cost, answer]
          }
        }
        await limiters[0].close()
      }),
      { numRuns: 40 },
    )
  })

  test('time never goes back in a window; one that was counted far ahead of the clock is begun anew', async () => {
    const { limiters, advance } = await turned(1)
    const [limiter] = limiters
    const windows = [newWindow({ limit: 1, window: 1 })]
    await advance(500_000)
    assert.equal((await limiter.take(windows, 1)).admitted, true)
    await advance(-61_000)
    const refused = await limiter.take(windows, 1)
    assert.deepEqual([refused.admitted, refused.states[0]?.waitMs], [false, 1000], 'the clock was set back')
    await advance(-1)
    assert.equal((await limiter.take(windows, 1)).admitted, true)
  })

  for (const [name, make] of Object.entries(clients)) {
    test(`through ${name}, by the clock of Redis: no interval admits more than the limit`, async () => {
      const instances = await Promise.all([1, 2].map(async () => open({ client: make(redisUrl), prefix })))
      const windows = [newWindow({ limit: 20, window: 0.1 }), newWindow({ limit: 1_000_000, window: 60 })]
      const admitted: number[] = []
      const caller = async (index: number): Promise<void> => {
        while (admitted.length < 80) {
          const answer = await instances[index % 2]?.take(windows, 1)
          if (answer?.admitted) admitted.push(answer.at)
        }
      }
      await Promise.all(Array.from({ length: 8 }, (_, index) => caller(index)))
      admitted.sort((one, other) => one - other)
      for (let index = 20; index < admitted.length; index++) {
        assert.ok((admitted[index] ?? 0) - (admitted[index - 20] ?? 0) >= 99.999)
      }
      for (const limiter of instances) {
        assert.deepEqual([limiter.state().by, limiter.state().outages], ['shared', 0])
      }
    })
  }

  test('instances count each other', async () => {
    const { limiters } = await turned(3)
    assert.ok((limiters[2]?.state().instances ?? 0) >= 3)
  })

  test('keys have a prefix, one hash tag for an owner, and no name; they expire after their window', async () => {
    const own = `${prefix}-keys`
    const limiter = await open({ client: nodeRedis(redisUrl), prefix: own })
    const group = 'acme}{'
    await limiter.take([newWindow({ group, window: 3600 }), newWindow({ group, window: 60 })], 1)
    await withRedis(async (run) => {
      const keys = ((await run('KEYS', `${own}:*`)) as string[]).filter((key) => key !== `${own}:instances`).toSorted()
      assert.equal(keys.length, 2)
      for (const key of keys) assert.match(key, new RegExp(`^${own}:\\{[0-9a-f]{8}\\}:[\\w-]{22}$`))
      const tags = new Set(keys.map((key) => /\{(.*)\}/.exec(key)?.[1]))
      assert.equal(tags.size, 1)
      const times = (await Promise.all(keys.map((key) => run('PTTL', key)))) as number[]
      const [short = 0, long = 0] = times.toSorted((one, other) => one - other)
      assert.ok(short <= 60_001 && long > 60_001 && long <= 3_600_001, String(times))
    })
  })

  test('an option that is not as it must be is refused', async () => {
    const client = nodeRedis(redisUrl)
    const wrong: readonly object[] = [
      {},
      { client: {} },
      { client, prefix: 'a b' },
      { client, prefix: '' },
      { client, instances: 0 },
      { client, instances: 1.5 },
      { client, other: 1 },
    ]
    for (const options of wrong) {
      await assert.rejects(async () => redisLimiter(options as never), { code: 'invalid_input' })
    }
  })
})
