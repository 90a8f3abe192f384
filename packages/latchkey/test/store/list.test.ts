import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { chain } from '../../src/journal/chain.ts'
import { placesOf } from '../../src/store/list-query.ts'
import { engine } from '../../src/store/sqlite/engine.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { listConformance, walkThrough } from '../conformance/list.ts'
import { everything, inserting, newKey } from '../conformance/store.ts'

listConformance('SQLite', () => sqliteStore({ file: ':memory:' }))

test('a page ends early where very many keys were looked at, says so by its cursor, and nothing is lost', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const common = Array.from({ length: 5100 }, (_, index) =>
    newKey({
      name: `nightly ${index}`,
      environment: index % 3 === 0 ? 'test' : 'live',
      expiresAt: 9000,
      createdAt: 900,
    }),
  )
  const rare = [
    newKey({ scopes: ['rare:read'], expiresAt: 9001 }),
    newKey({ scopes: ['rare:read'], environment: 'test' }),
  ]
  await store.commit([...common, ...rare].map(inserting), chain)
  const ids = rare.map(({ key }) => key.id)
  const grants = { grants: ['rare:read', 'rare:*'] }
  const first = await store.list({ ...everything, ...grants, count: true })
  assert.deepEqual([first.items.length, first.total], [0, { count: 0, more: true }])
  assert.notEqual(first.next, undefined)
  for (const order of ['oldest', 'newest', 'last_used', 'expires', 'name'] as const) {
    assert.deepEqual((await walkThrough(store, { ...grants, order })).toSorted(), ids.toSorted(), order)
  }
  // Too many for an index of their own.
  const many = { text: 'nightly', order: 'expires', expiresBefore: 9001 } as const
  assert.equal(new Set(await walkThrough(store, many)).size, common.length)
  for (const asked of [{ expiresBefore: 9001 }, { unusedSince: 1000 }]) {
    assert.equal((await walkThrough(store, { ...asked, order: 'name' })).length, common.length)
  }
  const counted = await store.list({ ...everything, text: 'nightly', count: true })
  assert.deepEqual(counted.total, { count: 1000, more: true })
  await store.close()
})

test('who sees the keys of one owner or of some environments is answered from those, before any index of all', () => {
  const asked = { text: 'nightly', issuedBy: 'key_1', rotating: true, states: ['revoked'] } as const
  for (const bound of [{ owner: 'acme' }, { environments: ['live'] }, { owner: 'acme', environments: ['live'] }]) {
    const filter = { ...everything, ...asked, ...bound, engine }
    const places = placesOf(filter, { ...filter, environments: ['live'] })
    assert.deepEqual(
      places.map(({ seen }) => seen),
      [true, false, false, false, false],
    )
    assert.match(
      places[0]?.places(() => '?') ?? '',
      /FROM latchkey_keys k WHERE (?:k\.owner = \? AND )?k\.environment = \?$/,
    )
  }
})

test('the index of texts has small pages: a change puts some hundred of them in order, and must not take long', async () => {
  const file = join(temporaryFolder('list'), 'latchkey.db')
  const store = sqliteStore({ file })
  const made = Array.from({ length: 300 }, (_, index) => newKey({ name: `Key of a shop, number ${index}` }))
  await store.commit(made.map(inserting), chain)
  await store.close()
  const database = new DatabaseSync(file)
  // The first ten rows say how the index is made up.
  const pages = database.prepare(`SELECT LENGTH(block) AS bytes FROM latchkey_key_texts_data WHERE id > 10`).all()
  assert.ok(pages.length > 10 && pages.every(({ bytes }) => Number(bytes) <= 1024))
  database.close()
})

test('for whoever may know of no other keys, a page is found only by looking at theirs', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const common = Array.from({ length: 5100 }, () => newKey({ owner: 'acme' }))
  const rare = newKey({ owner: 'acme', name: 'Rarest', revokedAt: 5 })
  await store.commit([...common, rare].map(inserting), chain)
  for (const asked of [{ text: 'rarest' }, { states: ['revoked'] }] as const) {
    const filter = { ...everything, owner: 'acme', ...asked }
    assert.equal((await store.list(filter)).items.length, 1, 'by an index that has the keys of all')
    const page = await store.list({ ...filter, bound: true, count: true })
    assert.deepEqual([page.items.length, page.next === undefined, page.total], [0, false, { count: 0, more: true }])
    assert.deepEqual(await walkThrough(store, { owner: 'acme', ...asked, bound: true }), [rare.key.id])
  }
  await store.close()
})

test('keys of others, however many meet a filter, do not change where a page ends', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const many = Array.from({ length: 5100 }, () => [newKey({ name: 'weekly' }), newKey({ name: 'nightly', owner: 'b' })])
  const last = newKey({ name: 'nightly' })
  await store.commit([...many.flat(), last].map(inserting), chain)
  const { items, next } = await store.list({ ...everything, owner: 'acme', text: 'nightly' })
  assert.deepEqual([items.map(({ key }) => key.id), next], [[last.key.id], undefined])
  await store.close()
})
