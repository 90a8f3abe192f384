import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import type { RefusalDraft, UsageBatch } from '../../src/ports.ts'
import { chain } from '../../src/journal/chain.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { recordRefusals, recordUsage } from '../conformance/record.ts'
import { inserting, manyRefusals, newKey, refusalOf } from '../conformance/store.ts'
import { everyUse } from '../conformance/usage.ts'

/** Each look at the clock finds that so many milliseconds have passed. */
function slow(context: TestContext, milliseconds: number): void {
  let now = 0
  context.mock.method(performance, 'now', () => (now += milliseconds))
}

const place = { hour: 0, owner: 'acme', environment: 'live', outcome: 'accepted', limitName: '' }

test('however slow the disk is, usage holds the loop for some milliseconds at once, and each row is written once', async (context) => {
  const store = sqliteStore({ file: ':memory:' })
  const made = Array.from({ length: 20 }, () => newKey())
  await store.commit(made.map(inserting), chain)
  const counts = made.map(({ key }) => ({ ...place, key: key.id, count: 2, cost: 3 }))
  const lastUsed = new Map(made.map(({ secret }) => [secret.hash, 7000]))
  slow(context, 0.6)
  let left: UsageBatch = { counts, lastUsed }
  for (let times = 0; left.counts.length + left.lastUsed.size > 0; times++) {
    const before = left.counts.length + left.lastUsed.size
    left = await store.recordUsage(left)
    const written = before - left.counts.length - left.lastUsed.size
    assert.ok(written >= 1 && written <= 4, `${written} rows in 2 ms of 0.6`)
    assert.ok(times < 40)
  }
  const rows = await store.usage(everyUse)
  assert.equal(rows.length, 20)
  assert.ok(rows.every(({ count, cost }) => count === 2 && cost === 3))
  for (const { key } of made) assert.equal((await store.byId(key.id))?.secrets[0]?.lastUsedAt, 7000)
  await store.close()
})

test('the same is true of refusals', async (context) => {
  const store = sqliteStore({ file: ':memory:' })
  slow(context, 0.6)
  let left: readonly RefusalDraft[] = Array.from({ length: 20 }, (_, at) => refusalOf({ at, requestIds: [`${at}`] }))
  while (left.length > 0) {
    const { length } = left
    left = await store.recordRefusals(left, manyRefusals)
    assert.ok(length - left.length >= 1 && length - left.length <= 4, `${length - left.length} refusals in 2 ms of 0.6`)
  }
  const kept = await store.refusals({ order: 'oldest', limit: 100 })
  assert.deepEqual(
    kept.map(({ requestId }) => requestId),
    Array.from({ length: 20 }, (_, at) => `${at}`),
  )
  await store.close()
})

test('the event loop turns as often while many changes are written', async (context) => {
  const store = sqliteStore({ file: join(temporaryFolder('brief'), 'latchkey.db') })
  const made = Array.from({ length: 40 }, () => newKey())
  slow(context, 0.6)
  const watch = { over: false, written: 0 }
  const counting = (...placed: Parameters<typeof chain>): ReturnType<typeof chain> => {
    watch.written++
    return chain(...placed)
  }
  const bulk = Promise.resolve(store.commit(made.map(inserting), counting)).finally(() => (watch.over = true))
  let most = 0
  for (let before = 0; !watch.over; before = watch.written) {
    await nextTurn()
    most = Math.max(most, watch.written - before)
  }
  assert.equal((await bulk)?.length, 40)
  // Two pieces may fall into one turn of the watching loop.
  assert.ok(most >= 1 && most <= 8, `${most} changes of 0.6 ms in a turn`)
  await store.close()
})

test('the same is true where the use of a key is forgotten, and at the end nothing is left', async (context) => {
  const store = sqliteStore({ file: ':memory:' })
  const counts = Array.from({ length: 20 }, (_, at) => ({
    ...place,
    hour: at * 3_600_000,
    key: 'a',
    count: 1,
    cost: 1,
  }))
  await recordUsage(store, { counts, lastUsed: new Map() })
  const refusals = Array.from({ length: 20 }, (_, at) => refusalOf({ at, key: 'a', requestIds: [`${at}`] }))
  await recordRefusals(store, refusals, manyRefusals)
  slow(context, 0.6)
  let forgotten = 0
  for (let some = -1; some !== 0; forgotten += some) {
    some = await store.forgetUse({ key: 'a' }, 100)
    assert.ok(some <= 10, `${some} rows at once`)
  }
  assert.equal(forgotten, 40)
  assert.deepEqual([...(await store.usage(everyUse)), ...(await store.refusals({ order: 'oldest', limit: 1 }))], [])
  await store.close()
})

test('a row that takes long is written all the same', async (context) => {
  const store = sqliteStore({ file: ':memory:' })
  const counts = ['a', 'b'].map((key) => ({ ...place, key, count: 1, cost: 1 }))
  slow(context, 1000)
  assert.deepEqual(await store.recordUsage({ counts, lastUsed: new Map() }), {
    counts: counts.slice(1),
    lastUsed: new Map(),
  })
  await store.close()
})
