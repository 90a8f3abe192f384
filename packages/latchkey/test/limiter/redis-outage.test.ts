import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { noRedisServer, startRedis } from '../../../../test/redis-server.ts'
import type { RedisServer } from '../../../../test/redis-server.ts'
import type { RedisLimiter } from '../../src/limiter/redis.ts'
import { redisLimiter } from '../../src/limiter/redis.ts'
import { openKeyring } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { newWindow } from '../conformance/limiter.ts'
import { clients, withRedis } from './redis-here.ts'

const [make] = Object.values(clients)
if (make === undefined) throw new Error('There are no clients.')

/** Resolves when the limiter counts there. */
async function until(limiter: RedisLimiter, by: 'shared' | 'share'): Promise<void> {
  while (limiter.state().by !== by) await sleep(5)
}

describe('the limiter without its Redis', { skip: noRedisServer }, () => {
  async function scene(
    work: (redis: RedisServer, limiter: RedisLimiter) => Promise<void>,
    { client = make, instances }: { client?: typeof make; instances?: number } = {},
  ): Promise<void> {
    const redis = await startRedis()
    const limiter = await redisLimiter({
      client: client!(redis.url),
      ...(instances === undefined ? {} : { instances }),
    })
    try {
      await work(redis, limiter)
    } finally {
      await limiter.close()
      await redis.kill()
    }
  }

  for (const [name, client] of Object.entries(clients)) {
    test(`through ${name}: frozen, it is given up; thawed, it counts again`, { timeout: 60_000 }, () =>
      scene(
        async (redis, limiter) => {
          const windows = [newWindow({ limit: 4, window: 60 })]
          assert.equal((await limiter.take(windows, 1)).by, 'shared')
          redis.signal('SIGSTOP')
          // Those under way when it is given up are answered too.
          const answers = await Promise.all([1, 2, 3].map(async () => limiter.take(windows, 1)))
          assert.deepEqual(
            answers.map(({ admitted, by }) => [admitted, by]),
            [
              [true, 'share'],
              [true, 'share'],
              [false, 'share'],
            ],
            'two instances: half of the limit',
          )
          const next = limiter.take(windows, 1)
          assert.ok(!(next instanceof Promise), 'while it is given up nobody waits')
          assert.deepEqual(limiter.state(), {
            by: 'share',
            reason: 'Redis does not answer.',
            instances: 2,
            answeredAlone: { share: 4, refused: 0 },
            outages: 1,
          })
          redis.signal('SIGCONT')
          await until(limiter, 'shared')
          const again = await limiter.take(windows, 1)
          assert.equal(again.by, 'shared')
          assert.ok((again.states[0]?.remaining ?? 4) <= 2, 'what it had counted is still there')
        },
        { client, instances: 2 },
      ),
    )

    test(`through ${name}: gone, it is given up; started anew, it counts again`, { timeout: 60_000 }, () =>
      scene(
        async (redis, limiter) => {
          const windows = [newWindow({ limit: 2, window: 60 })]
          const taken = await limiter.take(windows, 1)
          await redis.kill()
          const alone = await limiter.take(windows, 1)
          assert.deepEqual([alone.by, alone.states[0]?.remaining], ['share', 1])
          await assert.rejects(async () => limiter.giveBack(windows, 1, taken), { code: 'unavailable' })
          await limiter.giveBack(windows, 1, alone)
          assert.equal((await limiter.take(windows, 2)).admitted, true, 'what was counted alone is given back alone')
          const second = await startRedis({ port: redis.port })
          try {
            await until(limiter, 'shared')
            assert.deepEqual((await limiter.take(windows, 2)).admitted, true, 'it knows nothing of before')
          } finally {
            await second.kill()
          }
        },
        { client },
      ),
    )

    test(`through ${name}: a Redis that has dropped its scripts is no outage`, () =>
      scene(
        async (redis, limiter) => {
          const windows = [newWindow({ limit: 2 })]
          await withRedis((run) => run('SCRIPT', 'FLUSH'), redis.url)
          const taken = await limiter.take(windows, 1)
          assert.deepEqual([taken.by, taken.states[0]?.remaining], ['shared', 1])
          await withRedis((run) => run('SCRIPT', 'FLUSH'), redis.url)
          await limiter.giveBack(windows, 1, taken)
          assert.equal((await limiter.peek(windows, 0)).states[0]?.remaining, 2)
          assert.equal(limiter.state().outages, 0)
        },
        { client },
      ))
  }

  test('a limit refuses instead, where it says so, and a limit that only reports never does', () =>
    scene(async (redis, limiter) => {
      await redis.kill()
      await until(limiter, 'share')
      const refusing = newWindow({ limit: 5, whenUnavailable: 'refuse' })
      assert.throws(() => limiter.take([newWindow(), refusing], 1), { code: 'unavailable' })
      assert.equal((await limiter.take([{ ...refusing, reportOnly: true }], 1)).admitted, true)
      assert.deepEqual(limiter.state().answeredAlone, { share: 1, refused: 1 })
    }))

  test('a share of nothing refuses; what is above the limit itself is over the limit', () =>
    scene(
      async (redis, limiter) => {
        await redis.kill()
        await until(limiter, 'share')
        const windows = [newWindow({ limit: 8, window: 60 })]
        assert.throws(() => limiter.take(windows, 1), { code: 'unavailable' })
        assert.equal((await limiter.take(windows, 9)).states[0]?.waitMs, Infinity)
        assert.equal((await limiter.take(windows, 0)).admitted, true)
      },
      { instances: 9 },
    ))

  test('instances that were never counted have no share, unless their number is given', async () => {
    const redis = await startRedis()
    await redis.kill()
    const client = make(redis.url)
    const unknown = await redisLimiter({ client })
    assert.throws(() => unknown.take([newWindow()], 1), { code: 'unavailable' })
    await unknown.close()
    const given = await redisLimiter({ client, instances: 3 })
    assert.deepEqual((await given.take([newWindow({ limit: 3 })], 1)).states[0]?.remaining, 0)
    await given.close()
  })

  test('it divides by the instances that it has seen last', () =>
    scene(async (redis, limiter) => {
      const other = await redisLimiter({ client: make(redis.url) })
      while (limiter.state().instances !== 2) await sleep(20)
      await other.close()
      redis.signal('SIGSTOP')
      await until(limiter, 'share')
      assert.equal((await limiter.take([newWindow({ limit: 9 })], 1)).states[0]?.remaining, 3)
      redis.signal('SIGCONT')
    }))

  test('without a call it notices by itself, so that the next one does not wait', { timeout: 30_000 }, () =>
    scene(async (redis, limiter) => {
      redis.signal('SIGSTOP')
      await until(limiter, 'share')
      redis.signal('SIGCONT')
      await until(limiter, 'shared')
    }),
  )

  test('a Redis that is full, or only repeats another one, is given up until it can be written to', async () => {
    await scene(async (redis, limiter) => {
      for (const [on, off] of [
        [
          ['CONFIG', 'SET', 'maxmemory', '1'],
          ['CONFIG', 'SET', 'maxmemory', '0'],
        ],
        [
          ['REPLICAOF', '127.0.0.1', '1'],
          ['REPLICAOF', 'NO', 'ONE'],
        ],
      ] as const) {
        await withRedis((run) => run(...on), redis.url)
        assert.equal((await limiter.take([newWindow()], 1)).by, 'share')
        assert.equal(limiter.state().by, 'share')
        await withRedis((run) => run(...off), redis.url)
        await until(limiter, 'shared')
      }
    })
  })

  test('an error about one key is no outage for the others', () =>
    scene(async (redis, limiter) => {
      const spoilt = [newWindow({ limit: 5 })]
      await limiter.take(spoilt, 1)
      await withRedis(async (run) => {
        const keys = (await run('KEYS', 'latchkey:{*')) as string[]
        for (const key of keys) await run('SET', key, 'nonsense')
      }, redis.url)
      assert.equal((await limiter.take(spoilt, 1)).by, 'share')
      assert.equal((await limiter.take([newWindow()], 1)).by, 'shared')
      assert.equal(limiter.state().outages, 0)
    }))

  test('no error and no state has the password', async () => {
    const redis = await startRedis({ more: ['--requirepass', 'open-sesame'] })
    const limiter = await redisLimiter({ client: make(redis.url.replace('//', '//:wrong-word@')) })
    assert.equal(limiter.state().reason, 'Redis has answered WRONGPASS.')
    await limiter.close()
    const right = await redisLimiter({ client: make(redis.url.replace('//', '//:open-sesame@')) })
    assert.equal(right.state().by, 'shared')
    await right.close()
    await redis.kill()
  })

  test('a keyring refuses as unavailable, and not as invalid', () =>
    scene(async (redis, limiter) => {
      const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), limiter })
      const limit = { name: 'burst', limit: 5, window: 60 }
      const strict = { ...limit, whenUnavailable: 'refuse' as const }
      const { secret } = await keyring.issue({ name: 'Key', owner: 'acme', scopes: [], limits: [strict] })
      const lenient = await keyring.issue({ name: 'Key', owner: 'acme', scopes: [], limits: [limit] })
      assert.equal((await keyring.verify(secret)).ok, true)
      redis.signal('SIGSTOP')
      const began = performance.now()
      const verdict = await keyring.verify(secret)
      assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
      assert.ok(performance.now() - began < 1500)
      assert.equal((await keyring.verify(lenient.secret)).ok, true)
      redis.signal('SIGCONT')
      await keyring.close()
    }))
})
