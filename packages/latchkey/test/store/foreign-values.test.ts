import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { verifyJournal } from '../../src/journal/verify-journal.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { codeOf, openOn, shop, storeIn } from '../keyring/workbench.ts'

const folder = temporaryFolder('foreign')
let files = 0
const newFile = (): string => join(folder, String(files++), 'keys.db')

function write(file: string, text: string): void {
  const database = new DatabaseSync(file)
  database.exec(text)
  database.close()
}

const most = '9223372036854775807'

/** An entry with a number that JavaScript has not. */
const entryAt = (seq: string): string =>
  `INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) VALUES (${seq}, 1, 'a', 'issue', 'key_1', '{}', '${'0'.repeat(64)}', '${'0'.repeat(64)}')`

/** What is said of a number, and of where it is. */
const tooLarge = (where: string): { readonly code: string; readonly message: RegExp } => ({
  code: 'store_unusable',
  message: new RegExp(`holds a number that is too large \\(\\d+\\) in ${where}\\. .*restore a backup`),
})

test('an entry with a number that JavaScript has not is told of when a keyring is opened, and while one is open', async () => {
  for (const seq of [most, '9007199254740992', '9007199254740991']) {
    const file = newFile()
    const { keyring, clock } = await openOn((store) => store, { file })
    const { secret } = await keyring.issue(shop)
    write(file, entryAt(seq))
    clock.advance(1000)
    const fault = tooLarge('latchkey_journal.seq')
    assert.equal(await codeOf(keyring.verify(secret)), 'unavailable', seq)
    await assert.rejects(keyring.issue(shop), fault)
    await assert.rejects(keyring.ready(), fault)
    const report = await keyring.verifyJournal({ rows: true })
    assert.ok(!report.intact && 'at' in report)
    assert.deepEqual([report.fault, report.at], ['missing', 2], 'a check finds it')
    await keyring.close()
    for (const mode of ['migrate', 'write', 'read'] as const) {
      const store = sqliteStore({ file, mode })
      await assert.rejects(openKeyring({ store }), fault)
      assert.equal((await verifyJournal(store)).intact, false)
      await store.close()
    }
  }
})

const columns: Readonly<Record<string, readonly string[]>> = {
  latchkey_keys: ['created_at', 'not_before', 'expires_at', 'disabled_at', 'revoked_at', 'revision'],
  latchkey_secrets: ['created_at', 'retired_at', 'ends_at', 'ended', 'last_used_at'],
  latchkey_owners: ['disabled_at', 'revision'],
}

for (const [table, names] of Object.entries(columns)) {
  for (const column of names) {
    test(`a number in ${table}.${column} that JavaScript has not lets nobody in, and is named to whoever reads`, async () => {
      const file = newFile()
      const { keyring } = await openOn((store) => store, { file })
      const { key, secret } = await keyring.issue(shop)
      await keyring.changeOwner(shop.owner, { limits: [{ name: 'calls', limit: 5, window: 60 }] })
      write(file, `UPDATE ${table} SET ${column} = ${most}`)
      assert.equal(await codeOf(keyring.verify(secret)), 'unavailable')
      const fault = tooLarge(`${table}\\.${column}`)
      await assert.rejects(keyring.find(key.id), fault)
      if (table === 'latchkey_owners') await assert.rejects(keyring.owner(shop.owner), fault)
      const report = await keyring.verifyJournal({ rows: true })
      assert.equal(report.intact, column === 'last_used_at')
      await keyring.close()
    })
  }
}

test('a number in what is counted or left that JavaScript has not is named to whoever asks', async () => {
  const file = newFile()
  const { keyring } = await openOn((store) => store, { file })
  const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 5 } })
  await keyring.verify(secret)
  await keyring.flushUsage()
  write(file, `UPDATE latchkey_usage SET count = ${most}; UPDATE latchkey_quotas SET remaining = ${most}`)
  await assert.rejects(keyring.usage(), tooLarge('latchkey_usage\\.count'))
  await assert.rejects(keyring.find(key.id), tooLarge('latchkey_quotas\\.remaining'))
  await keyring.close()
})

const notJson: Readonly<Record<string, string>> = {
  'latchkey_keys.scopes': 'a key',
  'latchkey_keys.metadata': 'a key',
  'latchkey_keys.addresses': 'a key',
  'latchkey_keys.limits': 'a key',
  'latchkey_keys.quota': 'a key',
  'latchkey_keys.delegation': 'a key',
  'latchkey_owners.limits': 'an owner',
  'latchkey_declared.scopes': 'what was declared',
}

for (const [place, what] of Object.entries(notJson)) {
  test(`a text in ${place} that is not JSON is named to whoever reads ${what}`, async () => {
    const file = newFile()
    const { keyring } = await openOn((store) => store, { file })
    const { key, secret } = await keyring.issue(shop)
    await keyring.changeOwner(shop.owner, { limits: [{ name: 'calls', limit: 5, window: 60 }] })
    const [table = '', column = ''] = place.split('.')
    write(file, `UPDATE ${table} SET ${column} = '[orders:read'`)
    const fault = { code: 'store_unusable', message: new RegExp(`holds a text that is not JSON in ${place}\\. `) }
    if (table === 'latchkey_declared') {
      await assert.rejects(async () => storeIn(file).declared(), fault)
    } else {
      await assert.rejects(keyring.find(key.id), fault)
      assert.equal(await codeOf(keyring.verify(secret)), 'unavailable')
    }
    await keyring.close()
  })
}

test('a rotation that is under way is told of also where a moment in the database is beyond all dates', async () => {
  const file = newFile()
  const { keyring, clock } = await openOn((store) => store, { file })
  const { key } = await keyring.issue(shop)
  await keyring.rotate(key.id)
  write(file, `UPDATE latchkey_secrets SET ends_at = 9007199254740990 WHERE ends_at IS NOT NULL`)
  clock.advance(2000)
  await assert.rejects(keyring.rotate(key.id), { code: 'conflict', message: /works until 9007199254740990\./ })
  await keyring.close()
})
