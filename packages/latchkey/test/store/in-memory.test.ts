import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import type { OpenDatabase } from '../../src/store/sqlite/database.ts'
import { openDatabase } from '../../src/store/sqlite/database.ts'

const folder = temporaryFolder('in-memory')

/** Databases in a file, the first in memory, and two copies of that. */
function opened(): Readonly<Record<'inFile' | 'first' | 'copy' | 'other', OpenDatabase>> {
  const inFile = openDatabase(join(folder, 'steps.db'), 'migrate')
  const first = openDatabase(':memory:', 'migrate')
  return { inFile, first, copy: openDatabase(':memory:', 'create'), other: openDatabase(':memory:', 'migrate') }
}

function contentOf(database: DatabaseSync): readonly unknown[] {
  const tables = database.prepare('SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name').all()
  const rows = tables
    .filter(
      ({ type, name }) => type === 'table' && !['latchkey_key_texts', 'latchkey_cursor_key'].includes(String(name)),
    )
    .map(({ name }) => [name, database.prepare(`SELECT * FROM ${String(name)}`).all()])
  return [tables, rows]
}

function cursorKeyOf(database: DatabaseSync): unknown {
  return database.prepare('SELECT key FROM latchkey_cursor_key').get()?.['key']
}

function settingsOf(database: DatabaseSync): readonly unknown[] {
  return ['foreign_keys', 'secure_delete', 'cache_size', 'journal_mode'].map((name) => {
    return database.prepare(`PRAGMA ${name}`).get()?.[name]
  })
}

test('each database in memory has the tables that the steps make, and begins empty', (context) => {
  const databases = opened()
  context.after(() => Object.values(databases).forEach(({ database }) => database.close()))
  const { inFile, first, copy, other } = databases
  assert.deepEqual(contentOf(first.database), contentOf(inFile.database))
  first.database.exec(`INSERT INTO latchkey_owners VALUES ('acme', NULL, '[]', 1)`)
  for (const one of [copy, other]) {
    assert.deepEqual(contentOf(one.database), contentOf(inFile.database))
    assert.equal(one.migrated, inFile.migrated)
    assert.deepEqual(settingsOf(one.database), [1, 1, -65_536, 'memory'])
    assert.equal(one.database.prepare('PRAGMA integrity_check').get()?.['integrity_check'], 'ok')
    one.database.exec(`INSERT INTO latchkey_owners VALUES ('acme', NULL, '[]', 1)`)
  }
  const cursorKeys = Object.values(databases).map(({ database }) => cursorKeyOf(database))
  assert.equal(new Set(cursorKeys).size, 4, 'the cursors of each are its own')
})
