import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
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

/** The keys of an owner who has more than a page looks at, and the few that are asked for. */
const crowd = Array.from({ length: 5100 }, () => newKey({ name: 'Till', owner: 'acme' }))
const rarest = newKey({ owner: 'acme', name: 'Rarest', revokedAt: 5 })
const beginning = [
  newKey({ name: 'zebra', owner: 'acme' }),
  newKey({ owner: 'acme', start: 'Zk_live_abcd' }),
  newKey({ owner: 'Zoo' }),
]
const crowded = sqliteStore({ file: ':memory:' })
await crowded.commit([...crowd, rarest, ...beginning].map(inserting), chain)
after(async () => crowded.close())

test('for whoever may know of no other keys, a page is found only by looking at theirs', async () => {
  for (const asked of [{ text: 'rarest' }, { states: ['revoked'] }] as const) {
    const filter = { ...everything, owner: 'acme', ...asked }
    assert.equal((await crowded.list(filter)).items.length, 1, 'by an index that has the keys of all')
    const page = await crowded.list({ ...filter, bound: true, count: true })
    assert.deepEqual([page.items.length, page.next === undefined, page.total], [0, false, { count: 0, more: true }])
    assert.deepEqual(await walkThrough(crowded, { owner: 'acme', ...asked, bound: true }), [rarest.key.id])
  }
})

test('a text of one or two characters is found at a beginning, at any size, and a page that ends early says so', async () => {
  const ids = beginning.map(({ key }) => key.id)
  for (const bound of [false, true]) {
    const found = await crowded.list({ ...everything, text: 'z', bound, count: true })
    assert.deepEqual(
      [found.items.map(({ key }) => key.id), found.next, found.total],
      [ids, undefined, { count: 3, more: false }],
    )
    const ofOwner = await crowded.list({ ...everything, owner: 'acme', text: 'Z', bound })
    assert.deepEqual([ofOwner.items.map(({ key }) => key.id), ofOwner.next], [ids.slice(0, 2), undefined])
  }
  // All of these begin with it, so the page is taken from the keys in their order, and what follows is behind its cursor.
  const many = await crowded.list({ ...everything, text: 'tI', order: 'newest' })
  assert.deepEqual([many.items.length, many.next === undefined], [everything.limit, false])
  const ended = await crowded.list({ ...everything, text: 'tI', states: ['disabled'], count: true })
  assert.deepEqual([ended.items.length, ended.next, ended.total], [0, undefined, { count: 0, more: false }])
  assert.equal((await walkThrough(crowded, { text: 'ti' })).length, crowd.length)
})

test('metadata takes longer to look at, so a page that asks for it looks at fewer keys, and says so by its cursor', async () => {
  const asked = { metadata: [['plan', 'gold']] } as const
  const page = await crowded.list({ ...everything, ...asked, count: true })
  assert.deepEqual([page.items, page.next, page.total], [[], [2000], { count: 0, more: true }])
  const few = await crowded.list({ ...everything, ...asked, text: 'Ti', expiresBefore: 1 })
  assert.deepEqual([few.items, few.next], [[], undefined], 'by an index of its own')
  assert.deepEqual(await walkThrough(crowded, asked), [])
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
