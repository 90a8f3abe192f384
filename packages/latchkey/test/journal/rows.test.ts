// The rows are what the journal says: whatever is changed by anything but a verb is found and named.

import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { hashSecret } from '../../src/secret/hash.ts'
import { chain } from '../../src/journal/chain.ts'
import type { OpenKeyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { RowFault } from '../../src/journal/rows-compared.ts'
import type { JournalEntry, JournalHead } from '../../src/ports.ts'
import { fileAll } from '../../src/store/filing.ts'
import { statementsOf } from '../../src/store/sqlite/statements.ts'
import { workingOf } from '../../src/store/sqlite/working.ts'
import type { Scope } from '../keyring/workbench.ts'
import { codeOf, newFile, openOn, scopes, shop, speeds, storeIn } from '../keyring/workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

/** Which rows are not what the journal says; none where all are. */
async function faultsOf(keyring: OpenKeyring<Scope>): Promise<readonly RowFault[]> {
  const report = await keyring.verifyJournal({ rows: true })
  if (report.intact) return []
  return report.fault === 'rows' ? report.rows : assert.fail(report.fault)
}

/** A key in every state and shape, and owners. */
async function populated(keyring: OpenKeyring<Scope>): Promise<{ readonly plain: string; readonly rotated: string }> {
  const { key: plain, secret } = await keyring.issue(shop)
  await keyring.verify(secret)
  await keyring.issue({
    ...shop,
    name: "Ünïcode ' \\ “x”",
    metadata: { 10: 'ten', 2: 'two', plan: 'pro', ['__proto__']: 'odd' },
    addresses: ['192.0.2.0/24'],
    limits: [{ name: 'burst', limit: 5, window: 1, reportOnly: true }],
    quota: { amount: 10, refill: 'month' },
    expiresAt: 4e12,
    notBefore: 3e12,
  })
  await keyring.importMany([
    { ...shop, hash: hashSecret('made elsewhere 0123456789'), algorithm: 'sha256', bits: 128, start: 'made' },
  ])
  const { key: admin } = await keyring.issue({
    name: 'Admin',
    owner: 'ops',
    environment: 'admin',
    scopes: ['keys:*'],
    delegation: { owner: null, environments: ['live'], scopes: ['*'], members: ['quota'] },
  })
  const { key: rotated } = await keyring.issue(shop)
  await keyring.rotate(rotated.id, { grace: 60 })
  const { key: retired } = await keyring.issue(shop)
  await keyring.rotate(retired.id)
  await keyring.retire(retired.id, { note: 'Nobody uses it' })
  const { key: replaced } = await keyring.issue(shop)
  await keyring.rotate(replaced.id, { replace: true })
  const { key: disabled } = await keyring.as(admin.id).issue(shop)
  await keyring.as(admin.id).disable(disabled.id)
  const { key: revoked } = await keyring.issue(shop)
  await keyring.revoke(revoked.id, { reason: 'compromised', note: 'posted' })
  await keyring.change(plain.id, { name: 'Renamed', metadata: { plan: 'free' }, quota: { amount: 3 } })
  await keyring.changeOwner('acme', { limits: [{ name: 'all', limit: 100, window: 60 }] })
  await keyring.changeOwner('ops', { disabled: true })
  await keyring.change(disabled.id, { owner: 'globex' })
  await keyring.enable(disabled.id)
  return { plain: plain.id, rotated: rotated.id }
}

for (const [speed, shape] of speeds) {
  test(`rows that verbs wrote, every verb, are what the journal says (store: ${speed})`, async () => {
    const { keyring } = await openOn(shape)
    const { plain } = await populated(keyring)
    assert.deepEqual(await faultsOf(keyring), [])
    const report = await keyring.verifyJournal({ rows: true })
    assert.equal(report.intact && report.compared, 9 + 2)
    // Using a key is no change of it.
    const { secret } = await keyring.issue({ ...shop, quota: { amount: 5 } })
    assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
    await keyring.flushUsage()
    assert.deepEqual(await faultsOf(keyring), [])
    assert.equal((await keyring.find(plain))?.name, 'Renamed')
    await keyring.close()
  })
}

/** What the check finds in a copy of a database that somebody has written to by hand. */
async function afterwards(file: string, statements: string): Promise<readonly RowFault[]> {
  const copy = newFile()
  copyFileSync(file, copy)
  const database = new DatabaseSync(copy)
  database.exec(`PRAGMA foreign_keys = OFF; ${statements}`)
  database.close()
  const keyring = await openKeyring({ store: storeIn(copy), scopes })
  try {
    return await faultsOf(keyring)
  } finally {
    await keyring.close()
  }
}

async function populatedFile(): Promise<{ readonly file: string; readonly plain: string; readonly rotated: string }> {
  const file = newFile()
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  const ids = await populated(keyring)
  await keyring.close()
  return { file, ...ids }
}

const rowOf = (id: string): string => `(SELECT place FROM latchkey_keys WHERE id = '${id}')`

test('every column of a key, a secret and an owner that is changed by hand is found, and the key or owner named', async () => {
  const { file, plain, rotated } = await populatedFile()
  const rows = [
    { table: 'latchkey_keys', where: `id = '${plain}'`, subject: plain },
    { table: 'latchkey_secrets', where: `place = ${rowOf(rotated)} AND ends_at IS NULL`, subject: rotated },
    { table: 'latchkey_secrets', where: `place = ${rowOf(rotated)} AND ends_at IS NOT NULL`, subject: rotated },
    { table: 'latchkey_owners', where: `owner = 'ops'`, subject: 'owner:ops' },
  ]
  // What a secret was used for last is no change; the others say which row it is, and are tried by themselves.
  const apart = new Set(['last_used_at', 'place', 'id', 'owner'])
  const texts: Readonly<Record<string, string>> = {
    scopes: '["orders:*"]',
    metadata: '{"plan":"enterprise"}',
    addresses: '["192.0.2.1/32"]',
    limits: '[{"name":"x","limit":9,"window":9}]',
    quota: '{"amount":99,"refill":null}',
    delegation: '{"owner":null,"environments":["live"],"scopes":["*"]}',
    hash: 'ab'.repeat(32),
  }
  const database = new DatabaseSync(file)
  let tried = 0
  for (const { table, where, subject } of rows) {
    const columns = database
      .prepare(`SELECT name, type, "notnull" AS required FROM pragma_table_info('${table}')`)
      .all()
    for (const column of columns) {
      const [name, type] = [String(column['name']), String(column['type'])]
      if (apart.has(name) && !(table === 'latchkey_keys' && name === 'owner')) continue
      const value = type === 'INTEGER' ? '7' : `'${texts[name] ?? 'changed'}'`
      const now = database.prepare(`SELECT ${name} AS value FROM ${table} WHERE ${where}`).get()?.['value'] ?? null
      for (const other of [value, ...(column['required'] === 1 || now === null ? [] : ['NULL'])]) {
        tried++
        const found = await afterwards(file, `UPDATE ${table} SET ${name} = ${other} WHERE ${where}`)
        assert.deepEqual(found, [{ subject, fault: 'altered' }], `${table}.${name} = ${other}`)
      }
    }
  }
  database.close()
  assert.ok(tried > 40, `${tried} changes were tried`)
})

test('rows that are added, deleted, exchanged or brought back by hand are found and named', async () => {
  const { file, plain, rotated } = await populatedFile()
  const database = new DatabaseSync(file)
  const before = database.prepare(`SELECT * FROM latchkey_keys WHERE id = '${plain}'`).get() ?? {}
  database.close()
  const copyOf = (id: string): string => {
    const columns = Object.keys(before).filter((name) => !['place', 'id'].includes(name))
    return `INSERT INTO latchkey_keys (place, id, ${columns.join(', ')}) SELECT 999, '${id}', ${columns.join(', ')} FROM latchkey_keys WHERE id = '${plain}'`
  }
  const secretFor = (place: string): string =>
    `INSERT INTO latchkey_secrets (hash, place, kind, start, created_at) VALUES ('${'cd'.repeat(32)}', ${place}, 'minted', '', 1)`
  const found: Readonly<Record<string, readonly [sql: string, faults: readonly RowFault[]]>> = {
    'a key': [`${copyOf('key_planted')}; ${secretFor('999')}`, [{ subject: 'key_planted', fault: 'added' }]],
    'a secret for a key': [secretFor(rowOf(plain)), [{ subject: plain, fault: 'altered' }]],
    'an owner': [
      `INSERT INTO latchkey_owners VALUES ('planted', NULL, '[]', 1)`,
      [{ subject: 'owner:planted', fault: 'added' }],
    ],
    'a key that is deleted': [
      `DELETE FROM latchkey_secrets WHERE place = ${rowOf(plain)}; DELETE FROM latchkey_keys WHERE id = '${plain}'`,
      [{ subject: plain, fault: 'missing' }],
    ],
    'a disabled owner that is deleted': [
      `DELETE FROM latchkey_owners WHERE owner = 'ops'`,
      [{ subject: 'owner:ops', fault: 'missing' }],
    ],
    'a secret that is deleted': [
      `DELETE FROM latchkey_secrets WHERE place = ${rowOf(plain)}`,
      [{ subject: plain, fault: 'altered' }],
    ],
    'a secret that moves to another key': [
      `UPDATE latchkey_secrets SET place = ${rowOf(plain)} WHERE place = ${rowOf(rotated)} AND ends_at IS NULL`,
      [
        { subject: plain, fault: 'altered' },
        { subject: rotated, fault: 'altered' },
      ],
    ],
    'two keys that change places': [
      `CREATE TABLE places AS SELECT ${rowOf(plain)} AS one, ${rowOf(rotated)} AS other;
       UPDATE latchkey_keys SET place = -1 WHERE id = '${plain}';
       UPDATE latchkey_keys SET place = (SELECT one FROM places) WHERE id = '${rotated}';
       UPDATE latchkey_keys SET place = (SELECT other FROM places) WHERE id = '${plain}'`,
      [
        { subject: rotated, fault: 'altered' },
        { subject: plain, fault: 'altered' },
      ],
    ],
    'a key that takes the id of another': [
      `UPDATE latchkey_keys SET id = 'key_other' WHERE id = '${plain}'`,
      [
        { subject: 'key_other', fault: 'added' },
        { subject: plain, fault: 'missing' },
      ],
    ],
  }
  for (const [name, [sql, faults]] of Object.entries(found)) assert.deepEqual(await afterwards(file, sql), faults, name)
})

test('a row that is put back to what it was before a change is found', async () => {
  const file = newFile()
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  const { key } = await keyring.issue(shop)
  const database = new DatabaseSync(file)
  database.exec('CREATE TABLE old_keys AS SELECT * FROM latchkey_keys')
  await keyring.revoke(key.id, { reason: 'compromised' })
  database.exec(
    'DELETE FROM latchkey_secrets; DELETE FROM latchkey_keys; INSERT INTO latchkey_keys SELECT * FROM old_keys',
  )
  assert.deepEqual(await faultsOf(keyring), [{ subject: key.id, fault: 'altered' }])
  database.close()
  await keyring.close()
})

test('a thousand rows are named, and that there are more is said', async () => {
  const file = newFile()
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  for (let count = 0; count < 2; count++) await keyring.issueMany(Array.from({ length: 600 }, () => shop))
  await keyring.close()
  const database = new DatabaseSync(file)
  database.exec(`UPDATE latchkey_keys SET scopes = '["orders:*"]'`)
  database.close()
  const again = await openKeyring({ store: storeIn(file), scopes })
  const report = await again.verifyJournal({ rows: true })
  assert.ok(!report.intact && report.fault === 'rows')
  assert.deepEqual([report.rows.length, report.more], [1000, true])
  await again.close()
})

test('rows of a version that did not tell how they stood are told of when they are first opened, and guarded from then on', async () => {
  const { file, plain } = await populatedFile()
  const database = new DatabaseSync(file)
  // As that version left it: no entry says how the rows stood.
  const entries = database.prepare('SELECT * FROM latchkey_journal ORDER BY seq').all() as unknown as JournalEntry[]
  let head: JournalHead | undefined
  database.exec('DELETE FROM latchkey_journal')
  for (const { at, actor, action, subject, change } of entries) {
    const { state: _, ...told } = JSON.parse(change) as Record<string, unknown>
    const entry = chain({ at, actor, action, subject, change: JSON.stringify(told) }, head)
    const values = [entry.seq, at, actor, action, subject, entry.change, entry.previous, entry.hash]
    database
      .prepare(
        'INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      )
      .run(...values)
    head = entry
  }
  const opened = async (): Promise<readonly RowFault[]> => afterwards(file, '')
  assert.ok(
    (await opened()).every(({ fault }) => fault === 'unrecorded'),
    'before the migration nothing is vouched for',
  )
  database.exec(
    `INSERT INTO latchkey_untold SELECT id FROM latchkey_keys UNION ALL SELECT 'owner:' || owner FROM latchkey_owners`,
  )
  database.close()
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  assert.deepEqual(await faultsOf(keyring), [])
  assert.equal((await entriesOf(keyring)).at(-1)?.action, 'snapshot')
  await keyring.change(plain, { name: 'Changed since' })
  assert.deepEqual(await faultsOf(keyring), [])
  await keyring.close()
  assert.equal((await afterwards(file, '')).length, 0, 'and once only')
  const widened = `UPDATE latchkey_keys SET scopes = '["orders:*"]' WHERE revoked_at IS NOT NULL`
  assert.equal((await afterwards(file, widened)).length, 1)
  // An owner in it is erased, and then another one: the rows of the others are guarded all the same.
  const again = await openKeyring({ store: storeIn(file), scopes })
  await again.eraseOwner('ops')
  assert.deepEqual(await faultsOf(again), [])
  assert.equal((await afterwards(file, widened)).length, 1)
  await again.changeOwner('acme', { disabled: true })
  await again.eraseOwner('acme')
  assert.deepEqual(await faultsOf(again), [])
  await again.close()
})

test('rows that are put where nobody would look, or cannot be read, are found and named as well', async () => {
  const { file, plain } = await populatedFile()
  const database = new DatabaseSync(file)
  const row = database.prepare(`SELECT * FROM latchkey_keys WHERE id = '${plain}'`).get() ?? {}
  database.close()
  const columns = Object.keys(row).filter((name) => !['place', 'id'].includes(name))
  const addedAt = (place: string): string =>
    `INSERT INTO latchkey_keys (place, id, ${columns.join(', ')}) SELECT ${place}, 'key_planted', ${columns.join(', ')} FROM latchkey_keys WHERE id = '${plain}'`
  for (const place of ['0', '-1', '-1152921504606846976', '1152921504606846976']) {
    assert.deepEqual(await afterwards(file, addedAt(place)), [{ subject: 'key_planted', fault: 'added' }], place)
  }
  assert.deepEqual(await afterwards(file, `INSERT INTO latchkey_owners VALUES ('', NULL, '[]', 1)`), [
    { subject: 'owner:', fault: 'added' },
  ])
  const columnsOfJson = ['scopes', 'metadata', 'addresses', 'limits', 'quota', 'delegation']
  const unreadable = columnsOfJson.map((column) => `${column} = '['`)
  for (const change of [...unreadable, 'created_at = 1152921504606846976', "created_at = x'00'", "scopes = x'00'"]) {
    const found = await afterwards(file, `UPDATE latchkey_keys SET ${change} WHERE id = '${plain}'`)
    assert.deepEqual(found, [{ subject: plain, fault: 'altered' }], change)
  }
  assert.deepEqual(await afterwards(file, `UPDATE latchkey_owners SET limits = '[' WHERE owner = 'ops'`), [
    { subject: 'owner:ops', fault: 'altered' },
  ])
})

test('a row that says it was changed after the end of the journal is named', async () => {
  const { file, plain } = await populatedFile()
  const database = new DatabaseSync(file)
  database.exec(`UPDATE latchkey_keys SET revision = 1000000 WHERE id = '${plain}'`)
  database.close()
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  const report = await keyring.verifyJournal({ rows: true })
  assert.ok(!report.intact && report.fault === 'cut')
  assert.deepEqual([report.rows, report.more], [[{ subject: plain, fault: 'altered' }], false])
  await keyring.close()
})

test('a row that was told of already is not vouched for anew because it is said to be of an older version', async () => {
  const { file, plain } = await populatedFile()
  const widened = `UPDATE latchkey_keys SET scopes = '["orders:*"]' WHERE id = '${plain}'; INSERT INTO latchkey_untold VALUES ('${plain}')`
  assert.deepEqual(await afterwards(file, widened), [{ subject: plain, fault: 'altered' }])
})

test('a number that JavaScript has not is found, and stops no check', async () => {
  for (const [edit, fault] of [
    ['UPDATE latchkey_keys SET revision = 9223372036854775807', 'cut'],
    ['UPDATE latchkey_owners SET revision = 9007199254740993', 'cut'],
    ['UPDATE latchkey_journal SET at = 9223372036854775807 WHERE seq = 1', 'altered'],
    ['UPDATE latchkey_journal SET at = -9223372036854775808 WHERE seq = 1', 'altered'],
  ] as const) {
    const file = newFile()
    const keyring = await openKeyring({ store: storeIn(file), scopes })
    await keyring.issue(shop)
    await keyring.changeOwner(shop.owner, { disabled: true })
    const database = new DatabaseSync(file)
    database.exec(edit)
    database.close()
    const report = await keyring.verifyJournal({ rows: true })
    assert.equal(report.intact || report.fault, fault, edit)
    await keyring.close()
  }
})

test('an entry that is chained and says nothing stops no check, and vouches for nothing', async () => {
  for (const change of ['', 'null', '[', '{"rows":1}', '{"rows":[1,[2,3],null]}']) {
    for (const action of ['snapshot', 'change'] as const) {
      const file = newFile()
      const keyring = await openKeyring({ store: storeIn(file), scopes })
      const { key } = await keyring.issue(shop)
      const { seq, hash } = (await entriesOf(keyring)).at(-1) ?? assert.fail()
      const entry = chain({ at: 1, actor: 'x', action, subject: key.id, change }, { seq, hash })
      const values = [entry.seq, 1, 'x', action, key.id, change, entry.previous, entry.hash]
      const database = new DatabaseSync(file)
      database
        .prepare(
          'INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        )
        .run(...values)
      database.close()
      assert.deepEqual(await faultsOf(keyring), [{ subject: key.id, fault: 'unrecorded' }], `${action} ${change}`)
      await keyring.close()
    }
  }
})

test('an entry that is missing in the journal of an owner, or is in that of another, is found and its key named', async () => {
  const { file, plain } = await populatedFile()
  const at = `(SELECT MIN(seq) FROM latchkey_journal WHERE subject = '${plain}')`
  const misfiled = [{ subject: plain, fault: 'misfiled' }]
  for (const statement of [
    `DELETE FROM latchkey_journal_owners WHERE seq = ${at}`,
    `UPDATE latchkey_journal_owners SET owner = 'globex' WHERE seq = ${at}`,
    `UPDATE latchkey_journal_owners SET environment = 'test' WHERE seq = ${at}`,
    `INSERT INTO latchkey_journal_owners VALUES ('globex', ${at}, 1, 'live', 0, 'issue')`,
    `UPDATE latchkey_journal_owners SET filed_action = 'revoke' WHERE seq = ${at}`,
    `DELETE FROM latchkey_journal_owners WHERE seq > ${at} AND seq IN (SELECT seq FROM latchkey_journal WHERE subject = '${plain}')`,
  ])
    assert.deepEqual(await afterwards(file, statement), misfiled, statement)
})

test('what an older version wrote is filed as what this one writes', async () => {
  const { file } = await populatedFile()
  const copy = newFile()
  copyFileSync(file, copy)
  const database = new DatabaseSync(copy)
  const filed = () => database.prepare('SELECT * FROM latchkey_journal_owners ORDER BY seq, moved').all()
  const before = filed()
  assert.ok(before.length > 20)
  database.exec('DELETE FROM latchkey_journal_owners')
  workingOf(statementsOf(database, copy))(fileAll())
  assert.deepEqual(filed(), before)
  database.close()
})
