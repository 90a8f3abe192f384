import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { beforeRemoval, temporaryFolder } from '../../../../../test/temporary-folder.ts'
import { join } from 'node:path'
import { hash as digest } from 'node:crypto'
import { settingsKey } from '../../../src/source/settings.ts'
import { hashSecret } from '../../../src/secret/hash.ts'
import { chain } from '../../../src/journal/chain.ts'
import { emptied, emptyingOf } from '../../../src/journal/emptied.ts'
import { digestOfKey } from '../../../src/journal/row-digest.ts'
import type { Action, Emptied } from '../../../src/ports.ts'
import { openKeyring } from '../../../src/keyring/open.ts'
import type { LatchkeyError } from '../../../src/error.ts'
import { entriesOf } from '../../../../../test/entries.ts'
import { codeOf, openOn, scopes, shop, speeds, storeIn } from '../workbench.ts'

const folder = temporaryFolder('erase-key')

/** What must not be found anywhere afterwards. */
const personal = {
  name: 'Zebulon Quisenberry',
  metadata: { address: '17 Larkspur Crescent' },
  owner: 'quisenberry-4711',
} as const
const traces = [personal.name, personal.metadata.address, 'A word about Zebulon']

const erasedCode = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => (error as LatchkeyError).code,
  )

for (const [speed, shape] of speeds) {
  test(`an erased key is gone with its usage and its secrets, and the journal is intact (store: ${speed})`, async () => {
    const { keyring } = await openOn(shape)
    const { key, secret } = await keyring.issue({ ...shop, ...personal, quota: { amount: 5 } })
    const other = await keyring.issue({ ...shop, owner: personal.owner })
    assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
    await keyring.flushUsage()
    await keyring.change(key.id, { name: 'Zebulon again' }, { note: 'A word about Zebulon' })
    await keyring.rotate(key.id)
    const intactBefore = await keyring.verifyJournal()
    await keyring.revoke(key.id, { reason: 'requested', note: 'A word about Zebulon' })
    const { entry, cleared, repeated } = await keyring.eraseKey(key.id, { actor: 'clerk' })
    assert.deepEqual([cleared, repeated], [true, false])

    assert.equal(await keyring.find(key.id), undefined)
    assert.equal(await codeOf(keyring.verify(secret)), 'unknown')
    assert.deepEqual((await keyring.usage({ from: 0, to: Date.UTC(2031, 0) })).usage, [])
    const entries = await entriesOf(keyring)
    assert.deepEqual(
      entries.map(({ action, subject, change, emptiedBy }) => [
        action,
        subject === key.id,
        Object.keys(change).length === 0,
        emptiedBy,
      ]),
      [
        ['issue', true, true, entry],
        ['issue', false, false, undefined],
        ['change', true, true, entry],
        ['rotate', true, true, entry],
        ['revoke', true, true, entry],
        ['erase', true, false, undefined],
      ],
    )
    assert.equal(entries.at(-1)?.actor, 'clerk')
    for (const trace of traces) assert.ok(!JSON.stringify(entries).includes(trace), trace)
    const report = await keyring.verifyJournal({ rows: true })
    assert.ok(report.intact)
    assert.equal(report.compared, 1)
    const checkpoint = intactBefore.intact ? intactBefore.head : undefined
    assert.ok(checkpoint !== undefined)
    assert.ok((await keyring.verifyJournal({ checkpoint })).intact, 'a head that was kept before is still in it')
    assert.equal((await keyring.find(other.key.id))?.name, shop.name)
    await keyring.close()
  })
}

test('only a revoked key is erased, at the revision that was read, and an erased key is an unknown one', async () => {
  const { keyring } = await openOn((store) => store)
  const { key } = await keyring.issue(shop)
  assert.equal(await erasedCode(keyring.eraseKey(key.id)), 'conflict')
  assert.ok(await keyring.find(key.id))
  const { key: revoked } = await keyring.revoke(key.id, { reason: 'unused' })
  assert.equal(await erasedCode(keyring.eraseKey(key.id, { ifRevision: key.revision })), 'precondition_failed')
  const once = { ifRevision: revoked.revision, idempotencyKey: 'once' }
  const first = await keyring.eraseKey(key.id, once)
  const again = await keyring.eraseKey(key.id, once)
  assert.deepEqual([again.entry, again.repeated], [first.entry, true])
  assert.equal(await erasedCode(keyring.eraseKey(key.id)), 'unknown_key')
  assert.equal(await erasedCode(keyring.eraseKey('no such key')), 'unknown_key')
})

test('an admin key erases only with keys:erase, and only keys that it sees', async () => {
  const { keyring } = await openOn((store) => store)
  const delegation = { owner: 'acme', environments: ['live'], scopes: ['*'], members: [] } as const
  const admin = { name: 'Admin', owner: 'ops', environment: 'admin' } as const
  const writer = await keyring.issue({ ...admin, scopes: ['keys:write'], delegation })
  const eraser = await keyring.issue({ ...admin, scopes: ['keys:erase'], delegation })
  const [seen, unseen] = [await keyring.issue(shop), await keyring.issue({ ...shop, owner: 'globex' })]
  for (const { key } of [seen, unseen]) await keyring.revoke(key.id, { reason: 'unused' })
  assert.equal(await erasedCode(keyring.as(writer.key.id).eraseKey(seen.key.id)), 'beyond_delegation')
  assert.equal(await erasedCode(keyring.as(eraser.key.id).eraseKey(unseen.key.id)), 'unknown_key')
  assert.equal(await erasedCode(keyring.as(eraser.key.id).eraseKey(eraser.key.id)), 'unknown_key')
  assert.equal(await erasedCode(keyring.as(eraser.key.id).eraseKey(seen.key.id)), 'done')
  assert.equal((await entriesOf(keyring)).at(-1)?.actor, eraser.key.id)
})

test('an admin key erases nothing that it sees no longer, however far the erasing has come', async () => {
  let meanwhile = async (): Promise<unknown> => undefined
  const { keyring } = await openOn((store) => ({
    ...store,
    async forgetUse(...use) {
      await meanwhile()
      return store.forgetUse(...use)
    },
  }))
  const delegation = { owner: 'acme', environments: ['live'], scopes: ['*'] } as const
  const admin = { name: 'Admin', owner: 'ops', environment: 'admin', scopes: ['keys:erase'], delegation } as const
  const eraser = await keyring.issue(admin)
  const { key } = await keyring.issue(shop)
  for (let count = 0; count < 30; count++) await keyring.change(key.id, { name: `Shop ${count}` })
  await keyring.revoke(key.id, { reason: 'unused' })
  meanwhile = async () => keyring.change(eraser.key.id, { delegation: { ...delegation, owner: 'globex' } })
  assert.equal(await erasedCode(keyring.as(eraser.key.id).eraseKey(key.id)), 'unknown_key')
  assert.equal((await keyring.find(key.id))?.name, 'Shop 29')
  assert.ok((await entriesOf(keyring)).every(({ emptiedBy }) => emptiedBy === undefined))
})

test('the secret of an erased key is never imported again', async () => {
  const { keyring } = await openOn((store) => store)
  const imported = { ...shop, hash: hashSecret('made elsewhere 0123456789'), algorithm: 'sha256', bits: 128 } as const
  const done = await keyring.importMany([imported])
  assert.ok(!done.repeated)
  const id = done.created[0]?.id ?? ''
  await keyring.revoke(id, { reason: 'compromised' })
  await keyring.eraseKey(id)
  assert.equal(await erasedCode(keyring.importMany([imported])), 'conflict')
  const skipped = await keyring.importMany([imported], { skipKnown: true })
  assert.deepEqual(skipped.repeated ? undefined : skipped.skipped, [0])
  const report = await keyring.verifyJournal({ rows: true })
  assert.ok(report.intact)
})

test('usage that was counted before a key was erased, and is written after that, is not kept', async () => {
  const { keyring } = await openOn((store) => store)
  const { key, secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  await keyring.revoke(key.id, { reason: 'unused' })
  await keyring.eraseKey(key.id)
  await keyring.flushUsage()
  assert.deepEqual((await keyring.usage({ from: 0, to: Date.UTC(2031, 0) })).usage, [])
})

test('a key with more entries than fit in one transaction is erased all the same, and the journal is intact all the time', async () => {
  const { keyring } = await openOn((store) => store)
  const { key } = await keyring.issue(shop)
  for (let count = 0; count < 250; count++) await keyring.change(key.id, { name: `Zebulon ${count}` })
  await keyring.revoke(key.id, { reason: 'unused' })
  const { entry } = await keyring.eraseKey(key.id)
  const entries = await entriesOf(keyring)
  assert.equal(entries.at(-1)?.seq, entry)
  assert.ok(!JSON.stringify(entries).includes('Zebulon'))
  const report = await keyring.verifyJournal({ rows: true })
  assert.ok(report.intact)
})

test('nothing of an erased key is left in the file, its log, or a backup made afterwards', async () => {
  const file = join(folder, 'traces.db')
  const store = storeIn(file)
  const keyring = await openKeyring({ store, scopes })
  beforeRemoval(folder, keyring.close)
  const { key, secret } = await keyring.issue({ ...shop, ...personal })
  for (let count = 0; count < 200; count++) {
    await keyring.issue({ ...shop, name: `Neighbour ${count}` })
    if (count % 20 === 0) await keyring.change(key.id, { name: `${personal.name} ${count}` })
  }
  await keyring.verify(secret)
  await keyring.flushUsage()
  const found = (path: string): readonly string[] => {
    const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    return traces.filter((trace) => bytes.includes(trace))
  }
  assert.ok(found(`${file}-wal`).length > 0, 'it was there')
  await keyring.revoke(key.id, { reason: 'requested', note: 'A word about Zebulon' })
  assert.equal((await keyring.eraseKey(key.id)).cleared, true)
  const copy = join(folder, 'traces-copy.db')
  await store.backup(copy)
  for (const path of [file, `${file}-wal`, copy]) assert.deepEqual(found(path), [], path)
})

/** What a program that can write to the database may do with the journal afterwards. */
const tamperings: readonly (readonly [what: string, sql: string, fault: string])[] = [
  ['empties another entry', `UPDATE latchkey_journal SET change = '{}', emptied_by = 4 WHERE seq = 2`, 'altered'],
  ['empties an entry without saying so', `UPDATE latchkey_journal SET change = '{}' WHERE seq = 2`, 'altered'],
  [
    'empties one by an entry that is not there',
    `UPDATE latchkey_journal SET change = '{}', emptied_by = 9 WHERE seq = 2`,
    'altered',
  ],
  ['says that a sound entry was emptied', `UPDATE latchkey_journal SET emptied_by = 4 WHERE seq = 2`, 'altered'],
  [
    'fills an emptied entry again',
    `UPDATE latchkey_journal SET change = '{"name":"Mallory"}' WHERE seq = 1`,
    'altered',
  ],
  ['gives an emptied entry another actor', `UPDATE latchkey_journal SET actor = 'mallory' WHERE seq = 1`, 'altered'],
  ['gives an emptied entry another subject', `UPDATE latchkey_journal SET subject = 'key_x' WHERE seq = 1`, 'altered'],
  ['gives an emptied entry another time', `UPDATE latchkey_journal SET at = 1 WHERE seq = 1`, 'altered'],
  ['lets an emptied entry be emptied by itself', `UPDATE latchkey_journal SET emptied_by = 1 WHERE seq = 1`, 'altered'],
  [
    'no longer says that an entry was emptied',
    `UPDATE latchkey_journal SET emptied_by = NULL WHERE seq = 1`,
    'altered',
  ],
  ['takes the word back', `UPDATE latchkey_journal SET change = '{}' WHERE seq = 4`, 'altered'],
]

test('an emptied entry is accepted only as the entry that emptied it says', async (context) => {
  for (const [index, [what, sql, fault]] of tamperings.entries()) {
    await context.test(what, async () => {
      const file = join(folder, `tampered-${index}.db`)
      const keyring = await openKeyring({ store: storeIn(file), scopes })
      beforeRemoval(folder, keyring.close)
      const { key } = await keyring.issue(shop)
      await keyring.issue(shop)
      await keyring.revoke(key.id, { reason: 'unused' })
      const { entry } = await keyring.eraseKey(key.id)
      assert.equal(entry, 4)
      assert.ok((await keyring.verifyJournal({ rows: true })).intact)
      const database = new DatabaseSync(file)
      assert.equal(database.prepare(sql).run().changes, 1)
      database.close()
      const report = await keyring.verifyJournal()
      assert.equal(report.intact ? 'intact' : report.fault, fault)
    })
  }
})

/** Empties entries by hand, as something that can write to the database may, so that the chain holds. */
function emptyByHand(
  file: string,
  {
    entries,
    rows,
    action = 'erase',
  }: { readonly entries: readonly Emptied[]; readonly rows?: string; readonly action?: Action },
): void {
  const database = new DatabaseSync(file)
  const head = database.prepare('SELECT seq, hash FROM latchkey_journal ORDER BY seq DESC LIMIT 1').get()
  const change = JSON.stringify({ emptied: emptyingOf(entries) })
  const draft = { at: 1, actor: 'latchkey', action, subject: 'erased', change }
  const added = chain(draft, { seq: Number(head?.['seq']), hash: String(head?.['hash']) })
  const { seq, at, actor, subject, previous, hash } = added
  database
    .prepare(
      'INSERT INTO latchkey_journal (seq, at, actor, action, subject, change, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    )
    .run(seq, at, actor, action, subject, change, previous, hash)
  for (const { before, after } of entries) {
    database
      .prepare('UPDATE latchkey_journal SET change = ?, emptied_by = ? WHERE seq = ?')
      .run(after.change, seq, before.seq)
  }
  if (rows !== undefined) database.exec(rows)
  database.close()
}

test('a row that was changed by hand is named, whatever is left in an entry that was emptied', async () => {
  const file = join(folder, 'vouched.db')
  const store = storeIn(file)
  const keyring = await openKeyring({ store, scopes })
  beforeRemoval(folder, keyring.close)
  const { key } = await keyring.issue(shop)
  const kept = await store.byId(key.id)
  const [before] = await store.journal({ after: 0, limit: 1 })
  assert.ok(kept !== undefined && before !== undefined)
  const state = digestOfKey({ ...kept.key, name: 'Mallory' }, kept.secrets)
  const rows = `UPDATE latchkey_keys SET name = 'Mallory'`
  emptyByHand(file, { entries: [emptied(before, { change: { ...shop, state } })], rows })
  const report = await keyring.verifyJournal({ rows: true })
  assert.deepEqual(report.intact || report.fault !== 'rows' ? undefined : report.rows, [
    { subject: key.id, fault: 'unrecorded' },
  ])
})

test('only an entry that says that something was erased answers for emptied ones', async () => {
  const file = join(folder, 'answered.db')
  const store = storeIn(file)
  const keyring = await openKeyring({ store, scopes })
  beforeRemoval(folder, keyring.close)
  await keyring.issue(shop)
  const [before] = await store.journal({ after: 0, limit: 1 })
  assert.ok(before !== undefined)
  emptyByHand(file, { entries: [emptied(before)], action: 'change' })
  const report = await keyring.verifyJournal()
  assert.equal(report.intact ? 'intact' : report.fault, 'altered')
})

test('the row of an erased key that is put back is named', async () => {
  const file = join(folder, 'revived.db')
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  beforeRemoval(folder, keyring.close)
  const { key } = await keyring.issue(shop)
  await keyring.revoke(key.id, { reason: 'unused' })
  const database = new DatabaseSync(file)
  beforeRemoval(folder, () => database.close())
  database.exec('CREATE TEMP TABLE kept AS SELECT * FROM latchkey_keys')
  await keyring.eraseKey(key.id)
  database.exec('INSERT INTO latchkey_keys SELECT * FROM kept')
  const report = await keyring.verifyJournal({ rows: true })
  assert.deepEqual(report.intact || report.fault !== 'rows' ? undefined : report.rows, [
    { subject: key.id, fault: 'added' },
  ])
})

for (const [speed, shape] of speeds) {
  test(`an erased secret stays refused, by whatever hash it comes back, and from the settings (store: ${speed})`, async () => {
    const secret = 'a7Gq2Lx9Zp4Rk8Wm3Tn6'
    const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: [] })
    const { keyring } = await openOn(shape, { sources: [source] })
    const minted = await keyring.issue(shop)
    const taken = { ...shop, hash: hashSecret(secret), algorithm: 'sha256', bits: 100 } as const
    const imported = await keyring.importMany([taken])
    assert.ok(!imported.repeated)
    const [again] = imported.created
    assert.ok(again !== undefined)
    for (const { id } of [minted.key, again]) {
      await keyring.revoke(id, { reason: 'compromised' })
      await keyring.eraseKey(id)
    }
    const sha512 = digest('sha512', minted.secret, 'hex')
    await keyring.importMany([{ ...shop, hash: sha512, algorithm: 'sha512', bits: 190 }])
    assert.equal(await codeOf(keyring.verify(minted.secret)), 'unknown')
    assert.notEqual(await codeOf(keyring.verify(secret)), 'accepted')
    await keyring.close()
  })
}
