import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { openKeyring } from '../../src/index.ts'
import { chain } from '../../src/journal/chain.ts'
import type { Store } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { everything, inserting, newKey } from '../conformance/store.ts'

const folder = temporaryFolder('closing')
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

test('who closes while a thousand keys are issued waits for them, and their secrets are answered', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  const writing = Promise.withResolvers<void>()
  const watched: Store = {
    ...store,
    commit(...commit) {
      writing.resolve()
      return store.commit(...commit)
    },
  }
  const keyring = await openKeyring({ store: watched, scopes: { 'orders:read': 'x' } })
  const issued = keyring.issueMany(
    Array.from({ length: 1000 }, () => ({ name: 'robot', owner: 'acme', scopes: ['orders:read'] as const })),
    { actor: 'anna' },
  )
  await writing.promise
  await nextTurn()
  await keyring.close()
  const answer = await issued
  assert.ok(!answer.repeated)
  assert.equal(answer.created.length, 1000)
  const again = await openKeyring({ store: sqliteStore({ file }), scopes: { 'orders:read': 'x' } })
  assert.equal((await again.verify(answer.created[999]!.secret, {})).ok, true)
  await again.close()
})

test('a change that nobody waited for before the store was closed is done and answered', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  const made = newKey()
  const commit = Promise.resolve(store.commit([inserting(made)], chain))
  await store.close()
  assert.equal((await commit)?.length, 1)
  const again = sqliteStore({ file })
  assert.notEqual(await again.byId(made.key.id), undefined)
  await again.close()
})

test('after a store is closed, every write and every read in the thread is refused, and no thread starts', async (context: TestContext) => {
  let threads = 0
  const note = (): unknown => threads++
  process.on('worker', note)
  context.after(() => process.off('worker', note))
  const store = sqliteStore({ file: newFile() })
  await store.close()
  const calls: (() => unknown)[] = [
    () => store.commit([inserting(newKey())], chain),
    () => store.spend('key', { cost: 1, quota: { amount: 1, refill: null }, period: 0 }),
    () => store.noteFirstUse('hash', 1),
    () => store.recordUsage({ counts: [], lastUsed: new Map() }),
    () => store.declare({ scopes: {}, prefix: 'lk', environments: ['live'] }),
    () => store.list(everything),
  ]
  for (const call of calls) {
    await assert.rejects(async () => call(), { code: 'store_unusable', message: /is closed/ })
  }
  await nextTurn()
  assert.equal(threads, 0)
  await store.close()
})

test('a question that cannot be copied to the thread does not keep the process running', () => {
  const program = `
    import { sqliteStore } from ${JSON.stringify(new URL('../../src/store/sqlite.ts', import.meta.url).href)}
    const store = sqliteStore({ file: ${JSON.stringify(newFile())} })
    const filter = ${JSON.stringify(everything)}
    await store.list(filter)
    await store.list({ ...filter, owner: () => 1 }).catch((error) => console.log(error.name))`
  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
    encoding: 'utf8',
    timeout: 60_000,
  })
  assert.deepEqual([stdout.trim(), status], ['DataCloneError', 0])
})
