import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { chain } from '../../src/journal/chain.ts'
import type { Spending } from '../../src/ports.ts'
import type { SqliteStore } from '../../src/store/sqlite.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { inserting, newKey } from '../conformance/store.ts'

const folder = temporaryFolder('syncing')
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

/** Holds every sync of a log until `release` is called, which may say that it failed. */
function holdingSyncs(context: TestContext): { readonly held: (() => void)[]; readonly fail: (error: Error) => void } {
  const held: (() => void)[] = []
  let failure: Error | null = null
  const original = fs.fdatasync
  const holding = ((descriptor, callback) => {
    held.push(() => (failure === null ? original(descriptor, callback) : callback(failure)))
  }) as typeof fs.fdatasync
  const mock = context.mock.method(fs, 'fdatasync', holding)
  syncBuiltinESMExports()
  context.after(() => {
    mock.mock.restore()
    syncBuiltinESMExports()
  })
  return { held, fail: (error) => (failure = error) }
}

/** Whether a promise is still pending after all that can go on by itself has gone on. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true
  const settle = (): unknown => (pending = false)
  promise.then(settle, settle)
  for (let turn = 0; turn < 20; turn++) await nextTurn()
  return pending
}

/** A key with a quota of ten, in a store whose syncs are held. */
async function withQuota(
  store: SqliteStore,
  held: (() => void)[],
): Promise<{ readonly id: string; readonly spending: Spending }> {
  const quota = { amount: 10, refill: null }
  const made = newKey({ quota })
  const issued = store.commit([inserting(made)], chain)
  await nextTurn()
  held.shift()?.()
  await issued
  return { id: made.key.id, spending: { cost: 1, quota, period: 0 } }
}

test('a change, a first use and what was done before are answered only when they are on the disk', async (context) => {
  const store = sqliteStore({ file: newFile() })
  const { held } = holdingSyncs(context)
  const made = newKey()
  const once = { actor: 'anna', idempotencyKey: 'once', fingerprint: 'same', after: undefined }
  const calls: (() => Promise<unknown>)[] = [
    async () => store.commit([inserting(made)], chain, { idempotent: once }),
    async () => store.idempotentResult(once),
    async () => store.noteFirstUse(made.secret.hash, 1),
    async () => store.settled(),
  ]
  for (const [index, call] of calls.entries()) {
    const answer = call()
    assert.equal(await isPending(answer), true, `call ${index}`)
    assert.equal(held.length, 1)
    held.shift()?.()
    await answer
  }
  await store.close()
})

test('changes that wait for the disk at once share a sync, which begins after all of them', async (context) => {
  const store = sqliteStore({ file: newFile() })
  const { held } = holdingSyncs(context)
  const first = store.commit([inserting(newKey())], chain)
  await nextTurn()
  const others = Array.from({ length: 10 }, async () => store.commit([inserting(newKey())], chain))
  held.shift()?.()
  await first
  assert.equal(await isPending(Promise.race(others)), true, 'the first sync may have begun before them')
  assert.equal(held.length, 1)
  held.shift()?.()
  await Promise.all(others)
  assert.equal(held.length, 0)
  await store.close()
})

test('a change that the disk refuses is not acknowledged', async (context) => {
  const store = sqliteStore({ file: newFile() })
  const { held, fail } = holdingSyncs(context)
  const change = Promise.resolve(store.commit([inserting(newKey())], chain))
  await nextTurn()
  fail(Object.assign(new Error('i/o error'), { code: 'EIO' }))
  held.shift()?.()
  await assert.rejects(change, { code: 'store_unusable', message: /could not be synced to the disk \(EIO\)/ })
  void store.close()
})

test('what is spent is answered at once and is on the disk within a second', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const store = sqliteStore({ file: newFile() })
  const { held, fail } = holdingSyncs(context)
  const { id, spending } = await withQuota(store, held)
  assert.equal(store.spend(id, spending), 9)
  assert.equal(store.spend(id, spending), 8)
  context.mock.timers.tick(999)
  assert.equal(held.length, 0)
  context.mock.timers.tick(1)
  assert.equal(held.length, 1)
  fail(Object.assign(new Error('i/o error'), { code: 'EIO' }))
  held.shift()?.()
  await nextTurn()
  assert.throws(() => store.spend(id, spending), { code: 'store_unusable' }, 'the next call is told')
  assert.equal(store.spend(id, spending), 7, 'and nothing was taken from it')
  const closed = store.close()
  held.shift()?.()
  await closed
})

test('what was spent is on the disk before the store is closed', async (context) => {
  const store = sqliteStore({ file: newFile() })
  const { held } = holdingSyncs(context)
  const { id, spending } = await withQuota(store, held)
  void store.spend(id, spending)
  const closed = Promise.resolve(store.close())
  assert.equal(await isPending(closed), true)
  held.shift()?.()
  await closed
})

test('with full durability, calls that spend at once wait for the disk together', async (context) => {
  const store = sqliteStore({ file: newFile(), quotaDurability: 'full' })
  const { held } = holdingSyncs(context)
  const { id, spending } = await withQuota(store, held)
  const spent = Array.from({ length: 12 }, async () => store.spend(id, spending))
  assert.equal(await isPending(Promise.race(spent.slice(0, 10))), true)
  held.shift()?.()
  await spent[0]
  await nextTurn()
  held.shift()?.()
  assert.deepEqual(await Promise.all(spent), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, undefined, undefined])
  assert.equal(held.length, 0, 'one sync for the first, one for all others')
  await store.close()
})
