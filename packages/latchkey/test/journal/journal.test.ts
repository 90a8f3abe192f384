import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { chain } from '../../src/journal/chain.ts'
import type { JournalReport } from '../../src/journal/verify-journal.ts'
import { verifyJournal } from '../../src/journal/verify-journal.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { JournalEntry, Store } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { toldOf, storeIn } from '../keyring/workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const folder = temporaryFolder('journal')
let files = 0

const scopes = { 'orders:read': 'Read orders' }

/** Issues three keys, revokes one, lets somebody at the database, and checks the journal. */
async function afterTampering(
  tamper: (database: DatabaseSync) => void,
): Promise<{ report: JournalReport; before: JournalReport }> {
  const file = join(folder, `${files++}.db`)
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  const issued = []
  for (const name of ['one', 'two', 'three'])
    issued.push(await keyring.issue({ name, owner: 'acme', scopes: [], actor: 'alice' }))
  await keyring.revoke(issued[1]?.key.id ?? '', { reason: 'unused', actor: 'bob' })
  const before = await keyring.verifyJournal()
  const database = new DatabaseSync(file)
  tamper(database)
  database.close()
  const checkpoint = before.intact ? before.head : undefined
  const report = await keyring.verifyJournal(checkpoint === undefined ? {} : { checkpoint })
  await keyring.close()
  return { report, before }
}

test('the journal tells who did what to which key, numbered without a gap, and is whole', async () => {
  const file = join(folder, 'whole.db')
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  assert.deepEqual(await keyring.verifyJournal(), { intact: true, entries: 0, head: undefined })
  const { key } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'], actor: 'alice' })
  await keyring.revoke(key.id, { reason: 'compromised', note: 'on a sticker', actor: 'bob' })
  const entries = await entriesOf(keyring)
  assert.deepEqual(
    entries.map(({ seq, actor, action, subject }) => [seq, actor, action, subject]),
    [
      [1, 'alice', 'issue', key.id],
      [2, 'bob', 'revoke', key.id],
    ],
  )
  assert.deepEqual(toldOf(entries[1]), { reason: 'compromised', note: 'on a sticker' })
  assert.deepEqual(await entriesOf(keyring, { after: 1 }), entries.slice(1))
  const report = await keyring.verifyJournal()
  assert.deepEqual(report, { intact: true, entries: 2, head: { seq: 2, hash: entries[1]?.hash } })
  await keyring.close()
})

test('a page of the journal is bounded, and what cannot be a page is refused by name', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  for (let index = 0; index < 101; index++) await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  assert.equal((await keyring.journal()).entries.length, 100)
  assert.equal((await keyring.journal({ limit: 1000 })).entries.length, 101)
  for (const limit of [0, -1, 1001, 1.5, NaN, '10' as never]) {
    await assert.rejects(entriesOf(keyring, { limit }), { code: 'invalid_input', message: /^limit/ })
  }
  for (const place of [-1, 1.5, NaN, '1' as never]) {
    await assert.rejects(entriesOf(keyring, { after: place }), { code: 'invalid_input', message: /^after/ })
  }
})

const tampering: Readonly<Record<string, readonly [statement: string, at: number, fault: string]>> = {
  'an edited actor': [`UPDATE latchkey_journal SET actor = 'mallory' WHERE seq = 2`, 2, 'altered'],
  'an edited change': [
    `UPDATE latchkey_journal SET change = replace(change, 'acme', 'evil') WHERE seq = 1`,
    1,
    'altered',
  ],
  'an edited action': [`UPDATE latchkey_journal SET action = 'revoke' WHERE seq = 2`, 2, 'altered'],
  'an edited subject': [
    'UPDATE latchkey_journal SET subject = (SELECT subject FROM latchkey_journal WHERE seq = 1) WHERE seq = 4',
    4,
    'altered',
  ],
  'text moved from one field into the next': [
    `UPDATE latchkey_journal SET actor = actor || ',' || action, action = subject,
      subject = substr(change, 1, instr(change, ',') - 1), change = substr(change, instr(change, ',') + 1) WHERE seq = 2`,
    2,
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
  'an entry put in front of the first': [
    'INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) SELECT 0, at, actor, action, subject, change, previous, hash FROM latchkey_journal WHERE seq = 1',
    1,
    'missing',
  ],
  'an added entry': [
    `INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) SELECT 5, at, actor, action, subject, change, hash, 'f' FROM latchkey_journal WHERE seq = 4`,
    5,
    'altered',
  ],
}

for (const [what, [statement, at, fault]] of Object.entries(tampering)) {
  test(`${what} is found, and where`, async () => {
    const { report, before } = await afterTampering((database) => database.exec(statement))
    assert.equal(before.intact, true)
    assert.deepEqual(report, { intact: false, entries: at - 1, at, fault })
  })
}

/** Puts another second entry in the place of the one that was written, its hash and all, as one who knows the rules would. */
function rewriteSecond(database: DatabaseSync): JournalEntry {
  const [first, second] = database.prepare('SELECT * FROM latchkey_journal ORDER BY seq').all() as unknown as [
    JournalEntry,
    JournalEntry,
  ]
  const forged = chain({ ...second, actor: 'mallory' }, first)
  database.prepare('UPDATE latchkey_journal SET actor = ?, hash = ? WHERE seq = 2').run(forged.actor, forged.hash)
  return forged
}

test('an entry written anew with a hash of its own does not fit the next', async () => {
  const { report } = await afterTampering(rewriteSecond)
  assert.deepEqual(report, { intact: false, entries: 2, at: 3, fault: 'unchained' })
})

test('an entry that was made to follow another one than it was written after is found', async () => {
  const { report } = await afterTampering((database) => {
    const { hash } = rewriteSecond(database)
    database.prepare('UPDATE latchkey_journal SET previous = ? WHERE seq = 3').run(hash)
  })
  assert.deepEqual(report, { intact: false, entries: 2, at: 3, fault: 'altered' })
})

test('a journal whose first entry follows something is found', async () => {
  const { report } = await afterTampering((database) => {
    const [first] = database.prepare('SELECT * FROM latchkey_journal ORDER BY seq').all() as unknown as [JournalEntry]
    const forged = chain(first, { seq: 0, hash: 'f'.repeat(64) })
    database
      .prepare('UPDATE latchkey_journal SET previous = ?, hash = ? WHERE seq = 1')
      .run(forged.previous, forged.hash)
  })
  assert.deepEqual(report, { intact: false, entries: 0, at: 1, fault: 'unchained' })
})

test('a checkpoint that is none is refused: it would be passed over, and the journal called whole', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const hash = 'a'.repeat(64)
  const wrong = [
    { seq: '1', hash },
    { seq: 0, hash },
    { seq: 1.5, hash },
    { seq: NaN, hash },
    { hash },
    { seq: 1, hash: 'bogus' },
    null,
  ]
  for (const checkpoint of wrong)
    await assert.rejects(verifyJournal(store, checkpoint as never), { code: 'invalid_input' })
})

test('a journal that is cut together with the keys is found by a head that was kept elsewhere', async () => {
  const { report } = await afterTampering((database) =>
    database.exec(
      'DELETE FROM latchkey_journal WHERE seq > 2; UPDATE latchkey_keys SET revision = 2 WHERE revision > 2',
    ),
  )
  assert.deepEqual(report, { intact: false, entries: 2, at: 3, fault: 'cut' })
})

test('a cut is found by the keys where no head was kept', async () => {
  const file = join(folder, 'cut.db')
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  for (let index = 0; index < 2; index++) await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  const database = new DatabaseSync(file)
  database.exec('DELETE FROM latchkey_journal WHERE seq = 2')
  database.close()
  assert.deepEqual(await keyring.verifyJournal(), { intact: false, entries: 1, at: 2, fault: 'cut' })
  await keyring.close()
})

test('keys that are issued while the journal is being checked do not make it look cut', async () => {
  const inner = sqliteStore({ file: ':memory:' })
  const meanwhile: (() => Promise<unknown>)[] = []
  const store: Store = {
    ...inner,
    async journal(filter) {
      const entries = await inner.journal(filter)
      for (const change of meanwhile) await change()
      return entries
    },
  }
  const keyring = await openKeyring({ store, scopes })
  const issue = (): Promise<unknown> => keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  await issue()
  meanwhile.push(issue)
  assert.equal((await keyring.verifyJournal()).intact, true)
})

test('a journal that was written anew, hashes and all, is found by a head that was kept elsewhere', async () => {
  const make = async (owner: string): Promise<ReturnType<typeof openKeyring<'orders:read'>>> => {
    const keyring = openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
    await (await keyring).issue({ name: 'Shop', owner, scopes: [] })
    return keyring
  }
  const [honest, rewritten] = [await make('acme'), await make('evil')]
  const report = await honest.verifyJournal()
  assert.ok(report.intact && report.head !== undefined)
  assert.equal((await rewritten.verifyJournal()).intact, true)
  assert.deepEqual(await rewritten.verifyJournal({ checkpoint: report.head }), {
    intact: false,
    entries: 0,
    at: 1,
    fault: 'rewritten',
  })
  assert.equal((await honest.verifyJournal({ checkpoint: report.head })).intact, true)
})

test('a journal that is longer than one page is read to its end', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  for (let index = 0; index < 1001; index++) await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  const report = await keyring.verifyJournal()
  assert.deepEqual([report.intact, report.entries], [true, 1001])
})
