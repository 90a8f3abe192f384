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

/** Holds every sync of a log until it is released; after `fail`, the next one that is released fails. */
function holdingSyncs(context: TestContext): { readonly held: (() => void)[]; readonly fail: () => void } {
  const held: (() => void)[] = []
  let failure: Error | null = null
  const original = fs.fdatasync
  const holding = ((descriptor, callback) => {
    held.push(() => {
      if (failure === null) original(descriptor, callback)
      else callback(failure)
      failure = null
    })
  }) as typeof fs.fdatasync
  const mock = context.mock.method(fs, 'fdatasync', holding)
  syncBuiltinESMExports()
  context.after(() => {
    mock.mock.restore()
    syncBuiltinESMExports()
  })
  return { held, fail: () => (failure = Object.assign(new Error('i/o error'), { code: 'EIO' })) }
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
  const once = { actor: 'anna', idempotencyKey: 'once', fingerprint: 'same', at: 1, after: undefined }
  const calls: (() => Promise<unknown>)[] = [
    async () => store.commit([inserting(made)], chain, { idempotent: once }),
    async () => store.idempotentResult(once),
    async () => store.noteFirstUse(made.secret.hash, 1),
    async () => store.settled(0),
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

test('once the disk has refused a sync, nothing is acknowledged until the file is opened anew', async (context) => {
  const file = newFile()
  const store = sqliteStore({ file })
  const { held, fail } = holdingSyncs(context)
  const { id, spending } = await withQuota(store, held)
  const once = { actor: 'anna', idempotencyKey: 'once', fingerprint: 'same', at: 1 }
  const change = Promise.resolve(store.commit([inserting(newKey())], chain, { idempotent: once }))
  await nextTurn()
  const waiting = Promise.resolve(store.commit([inserting(newKey())], chain))
  waiting.catch(() => {})
  await nextTurn()
  fail()
  held.shift()?.()
  const refusal = { code: 'store_unusable', message: /could not be synced to the disk \(EIO\).* restart every process/ }
  await assert.rejects(change, refusal)
  await assert.rejects(waiting, refusal)
  const late = newKey()
  const many = Array.from({ length: 60 }, () => newKey())
  const calls: (() => unknown)[] = [
    () => store.commit([inserting(late)], chain),
    () => store.commit(many.map(inserting), chain),
    () => store.spend(id, spending),
    () => store.noteFirstUse(late.secret.hash, 1),
    () => store.recordUsage({ counts: [], lastUsed: new Map() }),
    () => store.idempotentResult(once),
    () => store.settled(0),
    () => store.ready(),
  ]
  for (const [index, call] of calls.entries()) await assert.rejects(async () => call(), refusal, `call ${index}`)
  assert.equal(held.length, 0, 'the disk is not asked again')
  assert.equal((await store.byId(id))?.key.id, id, 'keys are still read')
  for (const made of [late, ...many]) assert.equal(await store.byId(made.key.id), undefined)
  await store.close()
  const anew = sqliteStore({ file })
  await anew.ready()
  assert.equal(anew.spend(id, spending), 9)
  const next = anew.commit([inserting(late)], chain)
  await nextTurn()
  held.shift()?.()
  assert.equal((await next)?.[0]?.subject, late.key.id)
  const closed = anew.close()
  held.shift()?.()
  await closed
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
  fail()
  held.shift()?.()
  await nextTurn()
  assert.throws(() => store.spend(id, spending), { code: 'store_unusable' }, 'the next call is told')
  assert.deepEqual((await store.byId(id))?.quotas, [{ remaining: 8, period: 0 }], 'and nothing was taken from it')
  await store.close()
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

test('a change that has begun is on the disk before the store is closed', async (context) => {
  const store = sqliteStore({ file: newFile() })
  const { held } = holdingSyncs(context)
  const changed = store.commit([inserting(newKey())], chain)
  const closed = Promise.resolve(store.close())
  assert.equal(await isPending(closed), true)
  assert.equal(held.length, 1)
  held.shift()?.()
  await closed
  assert.equal((await changed)?.length, 1)
})
