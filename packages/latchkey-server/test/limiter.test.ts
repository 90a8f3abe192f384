import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import type { LimiterState } from 'latchkey'
import type { RedisServer } from '../../../test/redis-server.ts'
import { noRedisServer, startRedis } from '../../../test/redis-server.ts'
import { temporaryFolder } from '../../../test/temporary-folder.ts'
import { limiterFindings } from '../src/cli/doctor/limiter.ts'
import { workplace } from './cli/running.ts'
import type { Stage } from './stage.ts'
import { openStage } from './stage.ts'

const password = 'open-sesame'

/** Runs commands as an administrator of the Redis. */
async function tell({ port }: RedisServer, ...commands: readonly (readonly string[])[]): Promise<void> {
  const client = createClient({ socket: { host: '127.0.0.1', port, reconnectStrategy: false }, password })
  client.on('error', () => {})
  await client.connect()
  for (const command of commands) await client.sendCommand([...command])
  client.destroy()
}

async function until({ keyring }: Stage, by: LimiterState['by']): Promise<void> {
  while (keyring.limiterState()?.by !== by) await sleep(5)
}

describe('limits that instances share', { skip: noRedisServer }, () => {
  test('two servers admit a limit once; without Redis each its share, and says so everywhere', async () => {
    const redis = await startRedis({ more: ['--requirepass', password] })
    const store = `sqlite:${join(temporaryFolder('limiter'), 'keys.db')}`
    const limiter = `redis://:${password}@127.0.0.1:${redis.port}/1?prefix=shop`
    const one = await openStage({ store, limiter })
    const other = await openStage({ store, limiter, limiterInstances: 2 })
    const as = await one.admin()
    const limits = [{ name: 'burst', limit: 4, window: 600 }]
    const { secret } = await one.issue({ limits })
    const strict = await one.issue({ limits: [{ ...limits[0]!, whenUnavailable: 'refuse' }] })
    const verify = async ({ send }: Stage, credential = secret): Promise<string> =>
      (await send('POST /v1/verify', { as, body: { credential } })).json().code

    const codes: string[] = []
    for (const stage of [one, other, one, other, one, other]) codes.push(await verify(stage))
    assert.deepEqual(codes, [...Array.from({ length: 4 }, () => 'accepted'), 'over_limit', 'over_limit'])
    assert.deepEqual((await one.send('GET /readyz')).json(), { status: 'ok', limiter: 'shared' })
    assert.equal(await verify(one, strict.secret), 'accepted')
    assert.doesNotMatch(one.log(), /each counts limits on its own/, 'two processes are no fault')

    redis.signal('SIGSTOP')
    await Promise.all([until(one, 'share'), until(other, 'share')])
    const alone: string[] = []
    for (let call = 0; call < 3; call++) alone.push(await verify(other))
    assert.deepEqual(alone, ['accepted', 'accepted', 'over_limit'], 'half of the limit')
    assert.equal(await verify(other, strict.secret), 'unavailable')
    const ready = await other.send('GET /readyz')
    assert.deepEqual([ready.statusCode, ready.json()], [200, { status: 'ok', limiter: 'share' }])
    const { body } = await other.send('GET /metrics', { as })
    for (const line of [
      'latchkey_limiter_alone 1',
      'latchkey_limiter_instances 2',
      'latchkey_limiter_outages_total 1',
      'latchkey_limiter_alone_total{outcome="share"} 3',
      'latchkey_limiter_alone_total{outcome="refused"} 1',
    ])
      assert.ok(body.split('\n').includes(line), line)
    redis.signal('SIGCONT')
    await Promise.all([until(one, 'shared'), until(other, 'shared')])
    assert.equal(await verify(one, strict.secret), 'accepted')

    assert.match(other.log(), /limits are counted by this instance alone/)
    assert.match(other.log(), /limits are counted for all instances again/)
    for (const stage of [one, other]) {
      stage.watch(password)
      await stage.finish()
    }
    await redis.kill()
  })

  test('a server starts without its Redis, and says so', async () => {
    const stage = await openStage({ limiter: `redis://:${password}@127.0.0.1:1`, limiterInstances: 1 })
    const as = await stage.admin()
    const { secret } = await stage.issue({ limits: [{ name: 'burst', limit: 1, window: 60 }] })
    const { code } = (await stage.send('POST /v1/verify', { as, body: { credential: secret } })).json()
    assert.equal(code, 'accepted')
    assert.match(stage.log(), /limits are counted by this instance alone/)
    assert.match(stage.log(), /ECONNREFUSED/)
    stage.watch(password)
    await stage.finish()
  })

  test('the command line looks at the counts where the server has them', async () => {
    const redis = await startRedis()
    const env = { LATCHKEY_LIMITER: redis.url }
    const here = workplace(env)
    const secret = (
      await here.done('keys issue --create --name Key --owner acme --scope orders:read --limit burst=3/1h'.split(' '))
    ).trim()
    const verify = async (...more: string[]): Promise<string> => {
      const { stdout } = await here.run(['verify', ...more], { env: { ...env, LATCHKEY_CREDENTIAL: secret } })
      return stdout
    }
    await verify('--spend')
    assert.match(await verify('--spend'), /1 of 3 left/)
    assert.match(await verify(), /0 of 3 left/)
    await redis.kill()
  })

  test('doctor tells the version, and what is wrong with a Redis', async () => {
    const redis = await startRedis({ more: ['--requirepass', password] })
    const address = `redis://:${password}@127.0.0.1:${redis.port}`
    const told = async (at = address): Promise<string> => {
      const findings = await limiterFindings(at)
      const text = findings.map(({ state, what, found }) => `${state} ${what}: ${found}`).join('\n')
      assert.ok(!JSON.stringify(findings).includes(password))
      return text
    }
    assert.equal(await told('memory'), '')
    assert.match(await told(), /^ok limiter: (?:Redis|Valkey) \d+\.\d+\.\d+, and it forgets nothing \(noeviction\)$/)
    await tell(redis, ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru'])
    assert.match(await told(), /^fail limiter: .* forgets counts when its memory is full \(.*allkeys-lru\)$/)
    await tell(redis, ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'], ['REPLICAOF', '127.0.0.1', '1'])
    assert.match(await told(), /^fail limiter: .* cannot be written to$/)
    assert.match(
      await told(address.replace(password, `${password}-not`)),
      /^fail limiter: the Redis does not answer: WRONGPASS$/,
    )
    await redis.kill()
    assert.match(await told(), /^fail limiter: the Redis does not answer: ECONNREFUSED$/)
    const cluster = await startRedis({ more: ['--cluster-enabled', 'yes', '--dir', temporaryFolder('cluster')] })
    assert.match(await told(cluster.url), /^fail limiter: .* is a part of a cluster/)
    await cluster.kill()
  })

  test('doctor has a fault of the limiter in its report', async () => {
    const here = workplace({ LATCHKEY_LIMITER: 'redis://127.0.0.1:1' })
    const { code, stdout } = await here.run(['doctor', '--json'])
    assert.equal(code, 1)
    assert.match(stdout, /"what":"limiter","state":"fail","found":"the Redis does not answer: ECONNREFUSED"/)
  })
})
