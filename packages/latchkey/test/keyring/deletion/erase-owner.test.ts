import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { entriesOf } from '../../../../../test/entries.ts'
import { beforeRemoval, temporaryFolder } from '../../../../../test/temporary-folder.ts'
import type { LatchkeyError } from '../../../src/error.ts'
import type { OpenKeyring } from '../../../src/keyring/keyring.ts'
import { openKeyring } from '../../../src/keyring/open.ts'
import { settingsKey } from '../../../src/source/settings.ts'
import type { Scope } from '../workbench.ts'
import { codeOf, openOn, scopes, shop, speeds, storeIn } from '../workbench.ts'

const folder = temporaryFolder('erase-owner')

/** A name as JSON escapes it, and as SQL must not take it for a pattern. */
const owner = 'Zebulon "100%" & Söhne_'
const mark = 'Zebulon'

const endOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'done',
    (error: unknown) => (error as LatchkeyError).code,
  )

for (const [speed, shape] of speeds) {
  test(`of an erased owner nothing is left, and others keep what is theirs (store: ${speed})`, async () => {
    const { keyring } = await openOn(shape)
    const own = { ...shop, owner, name: `Key of ${mark}`, metadata: { who: mark } }
    const first = await keyring.issue({ ...own, quota: { amount: 5 } })
    await keyring.verify(first.secret)
    for (let count = 0; count < 130; count++) await keyring.change(first.key.id, { name: `${mark} ${count}` })
    await keyring.revoke((await keyring.issue(own)).key.id, { reason: 'unused', note: `Asked for by ${mark}` })
    const erasedBefore = await keyring.issue(own)
    await keyring.revoke(erasedBefore.key.id, { reason: 'unused' })
    await keyring.eraseKey(erasedBefore.key.id)
    // Given away, and taken over.
    const given = await keyring.issue(own)
    await keyring.change(given.key.id, { owner: 'globex', name: 'Shop', metadata: {} })
    const taken = await keyring.issue({ ...shop, owner: 'globex' })
    await keyring.change(taken.key.id, { owner })
    // An admin key that was bound to it.
    const delegation = { owner, environments: ['live'], scopes: ['*'] } as const
    const admin = { name: 'Admin', owner: 'ops', environment: 'admin', scopes: ['keys:read'] } as const
    const bound = await keyring.issue({ ...admin, delegation })
    await keyring.change(bound.key.id, { delegation: { ...delegation, owner: null } })
    // Something that it did itself.
    const touched = await keyring.issue({ ...shop, owner: 'globex', actor: owner })
    await keyring.disable(touched.key.id, { actor: owner, note: 'under investigation' })
    const stays = await keyring.issue({ ...shop, owner: 'initech' })
    await keyring.changeOwner(owner, { limits: [{ name: 'all', limit: 9, window: 60 }] }, { actor: owner })
    const { owner: disabled } = await keyring.changeOwner(owner, { disabled: true }, { note: `${mark} asked` })
    const before = await keyring.verifyJournal()
    const checkpoint = before.intact ? before.head : undefined
    assert.ok(checkpoint !== undefined)

    const options = { ifRevision: disabled.revision, idempotencyKey: 'once', actor: owner }
    const { entry, cleared } = await keyring.eraseOwner(owner, options)
    assert.equal(cleared, true)
    assert.deepEqual(
      [(await keyring.eraseOwner(owner, options)).entry, (await keyring.eraseOwner(owner, options)).repeated],
      [entry, true],
    )
    await keyring.flushUsage()
    const entries = await entriesOf(keyring)
    assert.equal(entries.at(-1)?.seq, entry)
    assert.ok(!JSON.stringify(entries).includes(mark))
    assert.equal(await keyring.owner(owner), undefined)
    assert.equal(await keyring.find(first.key.id), undefined)
    assert.equal(await codeOf(keyring.verify(first.secret)), 'unknown')
    assert.equal((await keyring.find(given.key.id))?.name, 'Shop')
    assert.equal(await codeOf(keyring.verify(given.secret)), 'accepted')
    assert.equal(await keyring.find(taken.key.id), undefined)
    const disabling = (await entriesOf(keyring, { key: touched.key.id })).find(({ action }) => action === 'disable')
    assert.deepEqual([disabling?.actor, disabling?.change['note']], ['erased', 'under investigation'])
    assert.equal((await keyring.find(stays.key.id))?.revision, stays.key.revision)
    const report = await keyring.verifyJournal({ rows: true, checkpoint })
    assert.ok(report.intact, JSON.stringify(report))

    // The name may be used again, and inherits nothing.
    await keyring.issue({ ...shop, owner })
    const again = await keyring.owner(owner)
    assert.deepEqual([again?.disabled, again?.limits, again?.revision], [false, [], 0])
    assert.equal((await entriesOf(keyring, { owner })).length, 1)
    assert.deepEqual((await keyring.usage({ owner, from: 0, to: Date.UTC(2031, 0) })).usage, [])
    // And a key whose entries were emptied in part can be erased after all.
    await keyring.revoke(touched.key.id, { reason: 'unused' })
    await keyring.eraseKey(touched.key.id)
    const last = await keyring.verifyJournal({ rows: true, checkpoint })
    assert.ok(last.intact, JSON.stringify(last))
    await keyring.close()
  })
}

test('only a disabled owner is erased, that nothing is bound to, at the revision that was read', async () => {
  const key = settingsKey({
    name: 'SERVICE_API_KEY',
    secret: 'a7Gq2Lx9Zp4Rk8Wm3Tn6',
    owner: 'from the settings',
    scopes: [],
  })
  const { keyring } = await openOn((store) => store, { sources: [key] })
  await keyring.issue(shop)
  assert.equal(await endOf(keyring.eraseOwner('nobody')), 'unknown_owner')
  assert.equal(await endOf(keyring.eraseOwner('acme')), 'conflict')
  await keyring.changeOwner('acme', { disabled: true })
  assert.equal(await endOf(keyring.eraseOwner('acme', { ifRevision: 1 })), 'precondition_failed')
  const delegation = { owner: 'acme', environments: ['live'], scopes: ['*'] } as const
  const admin = { name: 'Admin', owner: 'ops', environment: 'admin', scopes: ['owners:*', 'keys:*'] } as const
  const bound = await keyring.issue({ ...admin, delegation })
  assert.equal(await endOf(keyring.eraseOwner('acme')), 'conflict')
  assert.equal(await endOf(keyring.as(bound.key.id).eraseOwner('acme')), 'beyond_delegation')
  await keyring.revoke(bound.key.id, { reason: 'unused' })
  await keyring.eraseKey(bound.key.id)
  const all = { owner: null, environments: ['live', 'test', 'admin'], scopes: ['*'] } as const
  const writer = await keyring.issue({ ...admin, scopes: ['owners:write'], delegation: all })
  assert.equal(await endOf(keyring.as(writer.key.id).eraseOwner('acme')), 'beyond_delegation')
  const eraser = await keyring.issue({ ...admin, scopes: ['owners:erase'], delegation: all })
  assert.equal(await endOf(keyring.as(eraser.key.id).eraseOwner('acme')), 'done')
  assert.equal((await entriesOf(keyring)).at(-1)?.actor, eraser.key.id)
  await keyring.issue({ ...shop, owner: 'from the settings' })
  await keyring.changeOwner('from the settings', { disabled: true })
  assert.equal(await endOf(keyring.eraseOwner('from the settings')), 'conflict')
})

test('an owner with the name of a key takes with it nothing that this key did', async () => {
  const { keyring } = await openOn((store) => store)
  const delegation = { owner: null, environments: ['live', 'test', 'admin'], scopes: ['*'] } as const
  const admin = { name: 'Admin', owner: 'ops', environment: 'admin', scopes: ['keys:*', 'owners:*'] } as const
  const { key } = await keyring.issue({ ...admin, delegation })
  const acting = keyring.as(key.id)
  await acting.issue(shop)
  const own = await acting.issue({ ...shop, owner: key.id })
  await acting.changeOwner(key.id, { disabled: true })
  assert.equal(await endOf(acting.eraseOwner(key.id)), 'done')
  const done = await entriesOf(keyring, { actor: key.id })
  assert.ok(done.some(({ action, change }) => action === 'issue' && change['owner'] === 'acme'))
  assert.ok(done.some(({ action, subject }) => action === 'issue' && subject === own.key.id))
  assert.ok((await keyring.verifyJournal({ rows: true })).intact)
})

test('an owner with the name that stands in emptied entries can be erased like any other', async () => {
  const { keyring } = await openOn((store) => store)
  await keyring.issue({ ...shop, actor: 'globex' })
  for (const name of ['globex', 'erased']) {
    await keyring.issue({ ...shop, owner: name })
    await keyring.changeOwner(name, { disabled: true })
    assert.equal(await endOf(keyring.eraseOwner(name)), 'done')
  }
  assert.ok((await keyring.verifyJournal({ rows: true })).intact)
})

test('an owner that erases itself is not kept as the caller of that call', async () => {
  const file = join(folder, 'caller.db')
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  beforeRemoval(folder, keyring.close)
  await keyring.issue({ ...shop, owner })
  await keyring.changeOwner(owner, { disabled: true })
  const options = { idempotencyKey: 'once', actor: owner }
  const { entry } = await keyring.eraseOwner(owner, options)
  for (const path of [file, `${file}-wal`]) if (existsSync(path)) assert.ok(!readFileSync(path).includes(mark), path)
  const again = await keyring.eraseOwner(owner, options)
  assert.deepEqual([again.entry, again.repeated], [entry, true])
})

test('what is kept of calls about an erased owner goes, and of one that is called alike nothing does', async () => {
  const file = join(folder, 'calls.db')
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  beforeRemoval(folder, keyring.close)
  const owners = ['quisenberry', 'Quisenberry', 'quisenberry-2', '"owner":"quisenberry"'] as const
  const limits = [{ name: 'all', limit: 9, window: 60 }]
  for (const of of owners) {
    const { key } = await keyring.issue({ ...shop, owner: of, idempotencyKey: `issue ${of}` })
    await keyring.changeOwner(of, { limits }, { idempotencyKey: `change ${of}` })
    await keyring.change(key.id, { name: `Key of ${of}`, metadata: { owner: of } }, { idempotencyKey: `key of ${of}` })
  }
  const [erasing, ...others] = owners
  await keyring.changeOwner(erasing, { disabled: true }, { idempotencyKey: `disable ${erasing}` })
  const options = { idempotencyKey: `erase ${erasing}` }
  const { entry } = await keyring.eraseOwner(erasing, options)
  const again = await keyring.eraseOwner(erasing, options)
  assert.deepEqual([again.entry, again.repeated], [entry, true])
  for (const of of others) {
    const repeated = await keyring.changeOwner(of, { limits }, { idempotencyKey: `change ${of}` })
    assert.equal(repeated.repeated, true, of)
    const [{ name } = { name: '' }] = (await keyring.list({ owner: of })).keys
    assert.equal(name, `Key of ${of}`)
  }
  const database = new DatabaseSync(file, { readOnly: true })
  const tokens = database
    .prepare('SELECT token FROM latchkey_once')
    .all()
    .map(({ token }) => String(token))
  database.close()
  assert.equal(tokens.length, 3 * others.length + 1)
  assert.deepEqual(
    tokens.filter((token) => token.endsWith(' quisenberry')),
    [],
  )
})

test('an erased owner is not in the file, its log, or a backup made afterwards', async () => {
  const file = join(folder, 'traces.db')
  const store = storeIn(file)
  const keyring = await openKeyring({ store, scopes })
  beforeRemoval(folder, keyring.close)
  for (let count = 0; count < 60; count++) {
    const { key, secret } = await keyring.issue({ ...shop, owner, name: `${mark} ${count}`, metadata: { who: mark } })
    await keyring.issue({ ...shop, name: `Neighbour ${count}` })
    await keyring.verify(secret)
    if (count % 3 === 0) await keyring.change(key.id, { name: `${mark} again` }, { note: mark })
  }
  await keyring.changeOwner(owner, { disabled: true })
  assert.equal((await keyring.eraseOwner(owner)).cleared, true)
  await keyring.flushUsage()
  const copy = join(folder, 'traces-copy.db')
  await store.backup(copy)
  for (const path of [file, `${file}-wal`, copy]) {
    if (existsSync(path)) assert.ok(!readFileSync(path).includes(mark), path)
  }
})

test('another process answers nothing of an owner that was erased beside it, not even what it has in memory', async () => {
  const file = join(folder, 'beside.db')
  const open = async (): Promise<OpenKeyring<Scope>> => openKeyring({ store: storeIn(file), scopes })
  const [one, other] = [await open(), await open()]
  for (const { close } of [one, other]) beforeRemoval(folder, close)
  const refuse = async (secret: string, requestId: string): Promise<void> => {
    const verdict = await other.verify(secret, { allOf: ['reports:read'] })
    assert.ok(!verdict.ok)
    other.noteRefusal?.(verdict, { requestId, route: `GET /${requestId}` })
  }
  const own = await one.issue({ ...shop, owner })
  const given = await one.issue({ ...shop, owner })
  const stays = await one.issue({ ...shop, owner: 'globex' })
  await refuse(own.secret, 'of its key')
  await refuse(given.secret, 'of a key that it had')
  await refuse(stays.secret, 'of another')
  await one.change(given.key.id, { owner: 'globex' })
  await refuse(given.secret, 'of the next owner')
  await one.changeOwner(owner, { disabled: true })
  await one.eraseOwner(owner)
  for (const requestId of ['of its key', 'of a key that it had']) {
    assert.equal(await other.refusal(requestId), undefined, requestId)
    assert.equal(await other.why({ requestId }), undefined, requestId)
  }
  for (const requestId of ['of another', 'of the next owner']) {
    assert.equal((await other.refusal(requestId))?.owner, 'globex', requestId)
  }
  await other.flushUsage()
  assert.deepEqual((await other.refusals({ owner })).refusals, [])
  assert.deepEqual((await other.usage({ owner, from: 0, to: Date.now() + 3_600_000 })).usage, [])
})

test('of a file that is too large to be written anew beside others the answer says so, and rewriting clears it', async () => {
  const file = join(folder, 'large.db')
  const store = storeIn(file)
  const keyring = await openKeyring({ store, scopes })
  beforeRemoval(folder, keyring.close)
  await keyring.issue({ ...shop, owner })
  await keyring.changeOwner(owner, { disabled: true })
  // As an older version has left it, which did not overwrite what it deleted.
  const careless = new DatabaseSync(file)
  careless.exec('PRAGMA secure_delete = OFF')
  careless.exec('CREATE TABLE filler (text)')
  careless.prepare('INSERT INTO filler VALUES (?), (zeroblob(67108864))').run(mark.repeat(1000))
  careless.exec('DROP TABLE filler')
  careless.close()
  assert.equal((await keyring.eraseOwner(owner)).cleared, false)
  assert.ok(readFileSync(file).includes(mark), 'it says that it is not cleared, and so it is')
  assert.equal(await store.rewrite(), true)
  assert.ok(statSync(file).size < 1_000_000)
  for (const path of [file, `${file}-wal`]) assert.ok(!readFileSync(path).includes(mark), path)
  assert.ok((await keyring.verifyJournal({ rows: true })).intact)
})

test('owners that are erased at once, with keys given back and forth and a rotation in flight, are gone both', async () => {
  const file = join(folder, 'at-once.db')
  const open = async (): Promise<OpenKeyring<Scope>> => openKeyring({ store: storeIn(file), scopes })
  const [one, two] = [await open(), await open()]
  for (const { close } of [one, two]) beforeRemoval(folder, close)
  const names = [`${mark} A`, `${mark} B`] as const
  for (const [place, name] of names.entries()) {
    const other = names[1 - place] ?? ''
    for (let count = 0; count < 4; count++) {
      const { key } = await one.issue({ ...shop, owner: name, actor: other })
      await one.change(key.id, { owner: other }, { actor: name })
      if (count % 2 === 0) await one.change(key.id, { owner: 'globex' }, { actor: other })
    }
  }
  const { key: rotating } = await one.issue({ ...shop, owner: names[0] })
  for (const name of names) await one.changeOwner(name, { disabled: true }, { actor: names[0] })
  const page = await one.list({ owner: names[0], limit: 1, order: 'name' })
  const owners = await one.owners({ limit: 1 })
  const [rotated, ...ends] = await Promise.all([
    two.rotate(rotating.id).then(
      ({ secret }) => secret,
      (error: unknown) => (error as LatchkeyError).code,
    ),
    endOf(one.eraseOwner(names[0])),
    endOf(two.eraseOwner(names[1])),
    endOf(two.eraseOwner(names[0])),
  ])
  // Of the two that erase the same owner, one is first.
  assert.equal(ends[1], 'done')
  assert.ok([ends[0], ends[2]].includes('done'), ends.join(', '))
  assert.notEqual(await codeOf(two.verify(rotated)), 'accepted')
  const report = await one.verifyJournal({ rows: true })
  assert.ok(report.intact, JSON.stringify(report))
  assert.ok(!JSON.stringify(await entriesOf(two)).includes(mark))
  assert.equal((await one.list({ owner: 'globex' })).keys.length, 4)
  // Cursors of before go on where they were, and name nothing that is gone.
  assert.ok(page.cursor !== null && owners.cursor !== null)
  assert.deepEqual((await two.list({ owner: names[0], order: 'name', cursor: page.cursor })).keys, [])
  assert.ok(!JSON.stringify(await two.owners({ cursor: owners.cursor })).includes(mark))
  for (const path of [file, `${file}-wal`]) assert.ok(!readFileSync(path).includes(mark), path)
})
