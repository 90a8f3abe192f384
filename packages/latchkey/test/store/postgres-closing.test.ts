import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noPostgres, testSchema } from '../../../../test/postgres.ts'
import { chain } from '../../src/journal/chain.ts'
import { postgresStore } from '../../src/store/postgres.ts'
import { everything, inserting, newKey } from '../conformance/store.ts'

test(
  'a store on PostgreSQL that is closed has done what was begun, and refuses the rest',
  { skip: noPostgres },
  async (context) => {
    const schema = await testSchema()
    context.after(schema.remove)
    const store = await postgresStore({ pool: schema.another({}), listen: false })
    const holder = await schema.pool.connect()
    await holder.query('BEGIN; SELECT 1 FROM latchkey_head FOR UPDATE')
    const made = newKey()
    const commit = store.commit([inserting(made)], chain)
    const order: string[] = []
    void Promise.resolve(commit).then(() => order.push('commit'))
    const close = Promise.resolve(store.close()).then(() => order.push('close'))
    await holder.query('COMMIT')
    holder.release()
    await close
    assert.deepEqual(order, ['commit', 'close'])
    assert.equal((await commit)?.length, 1)
    const calls: (() => unknown)[] = [
      () => store.commit([inserting(newKey())], chain),
      () => store.spend('key', { cost: 1, quota: { amount: 1, refill: null }, period: 0 }),
      () => store.noteFirstUse('hash', 1),
      () => store.recordUsage({ counts: [], lastUsed: new Map() }),
      () => store.recordRefusals([], { perKey: 1, inAll: 1 } as never),
      () => store.claimPurge({ holder: 'x', now: 1, until: 2 }),
      () => store.declare({ scopes: {}, prefix: 'lk', environments: ['live'] }),
      () => store.list(everything),
      () => store.byId('key'),
      () => store.ready?.(),
    ]
    for (const call of calls) {
      await assert.rejects(async () => call(), {
        code: 'store_unusable',
        message: 'The store on PostgreSQL is closed.',
      })
    }
    // Nothing would be read of a change that is waited for.
    await assert.rejects(async () => store.settled(1), { code: 'unavailable', message: /was closed/ })
    await store.close()
    const again = await postgresStore({ pool: schema.pool, listen: false })
    assert.notEqual(await again.byId(made.key.id), undefined)
    await again.close()
  },
)
