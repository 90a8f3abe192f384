import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSoundSqlite, soundSqlite } from 'latchkey/store/sqlite'

test('a version of SQLite is sound from the first sound one on, and two mended releases are', () => {
  for (const version of [soundSqlite, '3.51.10', '3.52.0', '3.100.0', '4.0.0', '3.50.7', '3.44.6']) {
    assert.equal(isSoundSqlite(version), true, version)
  }
  for (const version of ['3.51.2', '3.51', '3.50.8', '3.44.7', '3.9.9', '2.99.99', '', 'undefined']) {
    assert.equal(isSoundSqlite(version), false, version)
  }
})
