import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { openKeyring } from '../../src/index.ts'
import { chain } from '../../src/journal/chain.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { testClock } from '../../src/testing.ts'
import { changesSince, inserting, manyRefusals, newKey, refusalOf } from '../conformance/store.ts'

const folder = temporaryFolder('newer-schema')
let files = 0
const newFile = (): string => join(folder, `${files++}.db`)

const newerSchema = { code: 'store_unusable', cause: 'newer schema', message: /start it anew with that version/ }

/** What a newer version does to a file that others have open. */
function bringUpToDate(file: string): DatabaseSync {
  const database = new DatabaseSync(file)
  database.exec('INSERT INTO latchkey_migrations (version) VALUES (1000)')
  return database
}

test('once a newer version has brought the tables up to date, an older process writes nothing, and says what to do', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  const made = newKey({ quota: { amount: 10, refill: 'month' } })
  await store.commit([inserting(made)], chain)
  const newer = bringUpToDate(file)
  const tables = newer.prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'latchkey%'`).all()
  const rows = (): readonly unknown[] =>
    tables.map(({ name }) => [name, newer.prepare(`SELECT * FROM ${String(name)}`).all()])
  const before = rows()
  const { id } = made.key
  const use = { counts: [], lastUsed: new Map([[made.secret.hash, 5]]) }
  const writes: Readonly<Record<string, () => unknown>> = {
    commit: () => store.commit([inserting(newKey())], chain),
    'commit of many': () =>
      store.commit(
        Array.from({ length: 11 }, () => inserting(newKey())),
        chain,
      ), // in pieces
    spend: () => store.spend(id, { cost: 1, quota: { amount: 10, refill: 'month' }, period: 1 }),
    noteFirstUse: () => store.noteFirstUse(made.secret.hash, 5),
    recordUsage: () => store.recordUsage(use),
    recordRefusals: () => store.recordRefusals([refusalOf({ key: id })], manyRefusals),
    forgetUse: () => store.forgetUse({ key: id }, 10),
    purgeRows: () => store.purgeRows({ usage: 1, refusals: 1 }),
    claimPurge: () => store.claimPurge({ holder: 'x', now: 1, until: 2 }),
    declare: () => store.declare({ scopes: {}, prefix: 'other', environments: ['live'] }),
  }
  for (const [name, write] of Object.entries(writes)) {
    await assert.rejects(async () => write(), newerSchema, name)
    assert.deepEqual(rows(), before, name)
  }
  await assert.rejects(async () => changesSince(store, undefined), newerSchema)
  await assert.rejects(async () => store.ready(), newerSchema)
  newer.close()
  await store.close()
})

test('an older process accepts no key once a newer version may have given keys what it does not know', async () => {
  const file = newFile()
  const store = sqliteStore({ file })
  const clock = testClock()
  const keyring = await openKeyring({ store, clock, scopes: { 'orders:read': 'x' } })
  const { secret } = await keyring.issue({ name: 'robot', owner: 'acme', scopes: ['orders:read'] })
  assert.equal((await keyring.verify(secret, {})).ok, true)
  bringUpToDate(file).close()
  await assert.rejects(keyring.issue({ name: 'robot', owner: 'acme', scopes: [] }), newerSchema)
  // The look before the newer version came is good for so long.
  clock.advance(store.lease)
  const verdict = await keyring.verify(secret, {})
  assert.ok(!verdict.ok)
  assert.equal(verdict.refusal.code, 'unavailable')
  await assert.rejects(keyring.close(), newerSchema, 'the usage that was not written is lost, and this says why')
})
