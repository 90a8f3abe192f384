import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { chain } from '../../src/journal/chain.ts'
import { verifyJournal } from '../../src/journal/verify-journal.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { changesSince, inserting, newKey } from '../conformance/store.ts'

const folder = temporaryFolder('bulk')
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

test('a thousand changes in one call let everything else have its turn, and nobody sees a part of them', async () => {
  const store = sqliteStore({ file: newFile() })
  const made = Array.from({ length: 1000 }, () => newKey())
  const watch = { over: false }
  const bulk = Promise.resolve(store.commit(made.map(inserting), chain)).finally(() => (watch.over = true))
  await nextTurn()
  const another = Promise.resolve(store.commit([inserting(newKey())], chain))
  let turns = 0
  const seen = new Set<number>()
  while (!watch.over) {
    await nextTurn()
    turns++
    // A part of them would be the first without the last.
    const found = [made[0]!, made[999]!].map(({ key }) => store.byId(key.id))
    seen.add(found.filter((one) => one !== undefined).length)
  }
  assert.ok(turns >= 20, `${turns} turns`)
  assert.equal(seen.has(1), false)
  assert.equal((await bulk)?.length, 1000)
  assert.equal((await another)?.[0]?.seq, 1001, 'a change that came meanwhile waited for all of them')
  assert.deepEqual([(await verifyJournal(store)).intact, (await verifyJournal(store)).entries], [true, 1001])
  await store.close()
})

test('a spend that comes while many bulks wait is done between two of them, not after all', async () => {
  const store = sqliteStore({ file: newFile() })
  const quota = { amount: 10, refill: null }
  const { key, secret } = newKey({ quota })
  await store.commit([inserting({ key, secret })], chain)
  const made = Array.from({ length: 5 }, () => Array.from({ length: 500 }, () => newKey()))
  const bulks = made.map(async (keys) => store.commit(keys.map(inserting), chain))
  await nextTurn()
  assert.equal(await store.spend(key.id, { cost: 1, quota, period: 0 }), 9)
  assert.equal(await store.byId(made[4]![0]!.key.id), undefined)
  assert.deepEqual(
    (await Promise.all(bulks)).map((entries) => entries?.at(-1)?.seq),
    [501, 1001, 1501, 2001, 2501],
  )
  await store.close()
})

test('if the last of a thousand changes cannot be made, none is', async () => {
  const store = sqliteStore({ file: newFile() })
  const made = Array.from({ length: 999 }, () => newKey())
  const twice = { ...newKey(), secret: made[0]!.secret }
  assert.equal(await store.commit([...made, twice].map(inserting), chain), undefined)
  assert.equal(await store.byId(made[0]!.key.id), undefined)
  const failing = store.commit(made.map(inserting), (draft, head) => {
    if (head?.seq === 900) throw new Error('no chain')
    return chain(draft, head)
  })
  await assert.rejects(Promise.resolve(failing), /no chain/)
  assert.equal((await verifyJournal(store)).entries, 0)
  await store.commit([inserting(made[0]!)], chain)
  await store.close()
})

test('a thousand changes are seen by the next look, and are not taken for those of another process', async () => {
  const shared: string[] = []
  const store = sqliteStore({ file: newFile(), onShared: () => shared.push('shared') })
  await changesSince(store, undefined)
  for (let count = 1; count <= 3; count++) {
    await store.commit(
      Array.from({ length: 100 }, () => inserting(newKey())),
      chain,
    )
    const look = await changesSince(store, undefined)
    assert.deepEqual([look.head?.seq, look.changed.length], [count * 100, count * 100])
    await nextTurn()
  }
  assert.deepEqual(shared, [])
  await store.close()
})
