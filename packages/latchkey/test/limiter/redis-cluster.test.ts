import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, Redis } from 'ioredis'
import { noRedisServer, startRedis } from '../../../../test/redis-server.ts'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { redisLimiter } from '../../src/limiter/redis.ts'
import { newWindow } from '../conformance/limiter.ts'
import { withRedis } from './redis-here.ts'

/** The slots of three nodes. */
const slots = [
  ['0', '5460'],
  ['5461', '10922'],
  ['10923', '16383'],
] as const

test(
  'a Redis Cluster takes several windows of a call at once, of every owner; one node alone is used no more than now and then',
  { skip: noRedisServer },
  async () => {
    const folder = temporaryFolder('redis-cluster')
    const nodes = await Promise.all(
      slots.map((_, index) =>
        startRedis({ more: ['--cluster-enabled', 'yes', '--cluster-config-file', join(folder, `${index}.conf`)] }),
      ),
    )
    try {
      for (const [index, { url }] of nodes.entries()) {
        await withRedis(async (run) => {
          await run('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1))
          await run('CLUSTER', 'ADDSLOTSRANGE', ...(slots[index] ?? []))
        }, url)
      }
      await withRedis(async (run) => {
        for (const { port } of nodes) await run('CLUSTER', 'MEET', '127.0.0.1', String(port))
      }, nodes[0]?.url)
      for (const { url } of nodes) {
        await withRedis(async (run) => {
          while (!String(await run('CLUSTER', 'INFO')).includes('cluster_state:ok')) await sleep(50)
        }, url)
      }
      const client = new Cluster(
        nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
        { lazyConnect: true },
      )
      const limiter = await redisLimiter({ client })
      for (let owner = 0; owner < 40; owner++) {
        const windows = [1, 60, 3600].map((window) => newWindow({ group: `owner ${owner}`, limit: 1, window }))
        const taken = await limiter.take(windows, 1)
        assert.deepEqual([taken.admitted, taken.by], [true, 'shared'])
        assert.equal((await limiter.take(windows, 1)).admitted, false)
        await limiter.giveBack(windows, 1, taken)
        assert.equal((await limiter.take(windows, 1)).admitted, true)
      }
      const sizes = await Promise.all(
        nodes.map(({ url }) => withRedis(async (run) => Number(await run('DBSIZE')), url)),
      )
      for (const size of sizes) assert.ok(size > 3, `owners lie on every node: ${sizes.join(', ')}`)
      assert.equal(limiter.state().outages, 0)
      await limiter.close()
      const seconds = await secondsWithOneNode(new Redis(nodes[0]?.url ?? '', { lazyConnect: true }))
      assert.ok(seconds.lost <= 8 + 4 * seconds.lasted, JSON.stringify(seconds))
    } finally {
      for (const node of nodes) await node.kill()
    }
  },
)

/** How often a limiter loses a node that serves only some owners, in about two seconds in which it is asked for all. */
async function secondsWithOneNode(client: Redis): Promise<{ readonly lost: number; readonly lasted: number }> {
  const limiter = await redisLimiter({ client, instances: 2 })
  const began = performance.now()
  for (let owner = 0; performance.now() - began < 2000; owner++) {
    const { admitted } = await limiter.take([newWindow({ group: `owner ${owner % 40}`, limit: 10, window: 60 })], 1)
    assert.ok(admitted)
    await sleep(2)
  }
  const lasted = (performance.now() - began) / 1000
  const { outages: lost } = limiter.state()
  assert.ok(lost > 0)
  await limiter.close()
  return { lost, lasted }
}
