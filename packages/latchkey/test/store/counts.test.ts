// The tables of counts on SQLite: how a database that has keys already comes by them, and which indexes answer.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { countQuery, ownerQuery, suspendedQuery } from '../../src/store/count-queries.ts'
import { countTables } from '../../src/store/count-tables.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'

const folder = temporaryFolder('counts')
let files = 0

async function filled(): Promise<DatabaseSync> {
  const file = join(folder, `${++files}.db`)
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes: { 'orders:read': 'Read orders' } })
  const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const
  const { key } = await keyring.issue({ ...shop, expiresAt: Date.now() + 1000 })
  await keyring.issueMany([shop, { ...shop, owner: 'umbrella' }, { ...shop, environment: 'test' }])
  const gone = await keyring.issue(shop)
  await keyring.disable(key.id)
  await keyring.disable(gone.key.id)
  await keyring.revoke(gone.key.id, { reason: 'other' })
  await keyring.close()
  return new DatabaseSync(file)
}

test('a database that has keys already has its counts after the migration', async () => {
  const database = await filled()
  const counts = (): readonly object[] =>
    database.prepare('SELECT * FROM latchkey_counts ORDER BY owner, environment').all()
  const kept = counts()
  assert.equal(kept.length, 5)
  const names = database.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'index' AND (name LIKE 'latchkey_count%' OR name LIKE 'latchkey_owners\\_%' ESCAPE '\\')",
  )
  for (const { name } of names.all())
    if (!String(name).endsWith('_by_revision')) database.exec(`DROP INDEX ${String(name)}`)
  database.exec('DROP TABLE latchkey_counts')
  const dialect = { integer: 'INTEGER', byPrimaryKey: 'WITHOUT ROWID' }
  for (const statement of countTables(dialect)) database.exec(statement)
  assert.deepEqual(counts(), kept)
  database.close()
})

test('no question about counts or owners walks through keys, or through more owners than a page has', async () => {
  const database = await filled()
  const count = { owner: undefined, environments: undefined, now: 1, expiresBefore: 2 }
  const page = { ...count, withoutKeys: true, text: undefined, after: undefined, limit: 10 }
  const some = { environments: ['live', 'test'] }
  const queries = [
    ...[count, { ...count, owner: 'acme' }, { ...count, ...some }].map(countQuery),
    ...[count, { ...count, ...some }].map(suspendedQuery),
    ...[page, { ...page, after: 'b' }, { ...page, text: 'b' }, { ...page, text: 'b', after: 'bc' }].map(ownerQuery),
    ...[
      { ...page, ...some },
      { ...page, owner: 'acme' },
    ].map(ownerQuery),
  ]
  for (const { text, values } of queries) {
    const bound = Object.fromEntries(values.map((value, index) => [index + 1, value]))
    const steps = database.prepare(`EXPLAIN QUERY PLAN ${text}`).all(bound)
    for (const { detail } of steps) {
      // Disabled owners are walked through, by the index that has nothing else. The others are pages.
      assert.doesNotMatch(
        String(detail),
        /^SCAN (?!o USING (?:COVERING )?INDEX latchkey_owners_disabled)(?:c|k|o|latchkey_\w+)\b(?! USING COVERING)/,
        text,
      )
    }
  }
  database.close()
})
