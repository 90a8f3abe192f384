import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import type { JournalReport } from '../../src/keyring/journal.ts'
import { openKeyring } from '../../src/keyring/keyring.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'latchkey-journal-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

const scopes = { 'orders:read': 'Read orders' }

/** Issues three keys, revokes one, lets somebody at the database, and checks the journal. */
async function afterTampering(statement: string): Promise<{ report: JournalReport; before: JournalReport }> {
  const file = join(folder, `${files++}.db`)
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  const issued = []
  for (const name of ['one', 'two', 'three'])
    issued.push(await keyring.issue({ name, owner: 'acme', scopes: [], actor: 'alice' }))
  await keyring.revoke(issued[1]?.key.id ?? '', { reason: 'unused', actor: 'bob' })
  const before = await keyring.verifyJournal()
  const database = new DatabaseSync(file)
  database.exec(statement)
  database.close()
  const anchor = before.whole ? before.head : undefined
  const report = await keyring.verifyJournal(anchor === undefined ? {} : { anchor })
  await keyring.close()
  return { report, before }
}

test('the journal tells who did what to which key, numbered without a gap, and is whole', async () => {
  const file = join(folder, 'whole.db')
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  assert.deepEqual(await keyring.verifyJournal(), { whole: true, entries: 0, head: undefined })
  const { key } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'], actor: 'alice' })
  await keyring.revoke(key.id, { reason: 'compromised', note: 'on a sticker', actor: 'bob' })
  const entries = await keyring.journal()
  assert.deepEqual(
    entries.map(({ seq, actor, action, subject }) => [seq, actor, action, subject]),
    [
      [1, 'alice', 'issue', key.id],
      [2, 'bob', 'revoke', key.id],
    ],
  )
  assert.deepEqual(JSON.parse(entries[1]?.change ?? ''), { reason: 'compromised', note: 'on a sticker' })
  assert.deepEqual(await keyring.journal({ after: 1 }), entries.slice(1))
  const report = await keyring.verifyJournal()
  assert.deepEqual(report, { whole: true, entries: 2, head: { seq: 2, hash: entries[1]?.hash } })
  await keyring.close()
})

test('a page of the journal is bounded, and what cannot be a page is refused by name', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  for (let index = 0; index < 101; index++) await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  assert.equal((await keyring.journal()).length, 100)
  assert.equal((await keyring.journal({ limit: 1000 })).length, 101)
  for (const limit of [0, -1, 1001, 1.5, NaN, '10' as never]) {
    await assert.rejects(keyring.journal({ limit }), { code: 'invalid_input', message: /^limit/ })
  }
  for (const after of [-1, 1.5, NaN, '1' as never]) {
    await assert.rejects(keyring.journal({ after }), { code: 'invalid_input', message: /^after/ })
  }
})

const tampering: Readonly<Record<string, readonly [statement: string, at: number, fault: string]>> = {
  'an edited actor': [`UPDATE latchkey_journal SET actor = 'mallory' WHERE seq = 2`, 2, 'altered'],
  'an edited change': [
    `UPDATE latchkey_journal SET change = replace(change, 'acme', 'evil') WHERE seq = 1`,
    1,
    'altered',
  ],
  'an edited time': [`UPDATE latchkey_journal SET at = at + 1 WHERE seq = 3`, 3, 'altered'],
  'a deleted entry': ['DELETE FROM latchkey_journal WHERE seq = 2', 2, 'missing'],
  'a deleted first entry': ['DELETE FROM latchkey_journal WHERE seq = 1', 1, 'missing'],
  'a cut tail': ['DELETE FROM latchkey_journal WHERE seq >= 3', 3, 'cut'],
  'an empty journal': ['DELETE FROM latchkey_journal', 1, 'cut'],
  'two swapped entries': [
    'UPDATE latchkey_journal SET seq = -seq WHERE seq IN (1, 3); UPDATE latchkey_journal SET seq = 4 + seq WHERE seq < 0',
    1,
    'altered',
  ],
  'an added entry': [
    `INSERT INTO latchkey_journal SELECT 5, at, actor, action, subject, change, hash, 'f' FROM latchkey_journal WHERE seq = 4`,
    5,
    'altered',
  ],
}

for (const [what, [statement, at, fault]] of Object.entries(tampering)) {
  test(`${what} is found, and where`, async () => {
    const { report, before } = await afterTampering(statement)
    assert.equal(before.whole, true)
    assert.deepEqual(report, { whole: false, entries: at - 1, at, fault })
  })
}

test('a journal that was written anew, hashes and all, is found by a head that was kept elsewhere', async () => {
  const make = async (owner: string): Promise<ReturnType<typeof openKeyring<'orders:read'>>> => {
    const keyring = openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
    await (await keyring).issue({ name: 'Shop', owner, scopes: [] })
    return keyring
  }
  const [honest, rewritten] = [await make('acme'), await make('evil')]
  const report = await honest.verifyJournal()
  assert.ok(report.whole && report.head !== undefined)
  assert.equal((await rewritten.verifyJournal()).whole, true)
  assert.deepEqual(await rewritten.verifyJournal({ anchor: report.head }), {
    whole: false,
    entries: 0,
    at: 1,
    fault: 'rewritten',
  })
  assert.equal((await honest.verifyJournal({ anchor: report.head })).whole, true)
})

test('a journal that is longer than one page is read to its end', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  for (let index = 0; index < 1001; index++) await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  const report = await keyring.verifyJournal()
  assert.deepEqual([report.whole, report.entries], [true, 1001])
})
