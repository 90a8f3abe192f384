import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { noPostgres, testSchema } from '../../../test/postgres.ts'
import { readSettings } from '../src/config.ts'
import { hasPassword, isStore, placeOf } from '../src/store.ts'
import { openStage } from './stage.ts'
import { workplace } from './cli/running.ts'

test(
  'what two servers do on one database is one, and a key that one revokes is refused by the other',
  {
    skip: noPostgres,
  },
  async (context) => {
    const schema = await testSchema()
    context.after(schema.remove)
    const [one, other] = [
      await openStage({ store: schema.address, instance: 'one' }),
      await openStage({ store: schema.address, instance: 'other' }),
    ]
    const as = await one.admin()
    const { key, secret } = await one.issue()
    assert.equal((await other.keyring.verify(secret)).ok, true)
    const revoked = await one.send(`POST /v1/keys/${key.id}/revoke`, { as, body: { reason: 'compromised' } })
    assert.equal(revoked.statusCode, 200, revoked.body)
    const { propagation } = revoked.json()
    assert.deepEqual([propagation.instances, propagation.confirmed, propagation.lapsed], [2, 2, 0])
    assert.equal((await other.keyring.verify(secret)).ok, false)
    assert.match(one.log(), /each counts limits on its own.*LATCHKEY_LIMITER/)
    await one.finish()
    await other.finish()
    const counting = await openStage({ store: schema.address, limiter: 'redis://127.0.0.1:1' })
    assert.doesNotMatch(counting.log(), /counts limits on its own/)
    await counting.finish()
  },
)

test(
  'the command line works on the database, and says what is done with files only',
  { skip: noPostgres },
  async (context) => {
    const schema = await testSchema()
    context.after(schema.remove)
    const { run, done, start, folder } = workplace({ LATCHKEY_STORE: schema.address })
    const before = await run(['keys', 'list'])
    assert.match(before.stderr, /migrate/, 'there are no tables yet')
    await done(['migrate'])
    await done(['keys', 'issue', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read'])
    assert.match(await done(['keys', 'list']), /Shop/)
    assert.match(await done(['doctor']).catch((error: Error) => error.message), /database +it opens/)
    assert.match((await run(['backup', join(folder, 'copy.db')])).stderr, /pg_dump/)

    const server = start(['serve', '--port', '0'])
    let said = ''
    for await (const text of server.stderr!.setEncoding('utf8')) {
      said += text
      if (said.includes('--admin')) server.kill('SIGTERM')
    }
    // The command that a server prints works as it stands, where the setting is as it is for the server.
    const [printed = ''] = /(?<=latchkey )keys issue .*/.exec(said) ?? []
    await done(printed.split(' '))
    assert.match(await done(['keys', 'list', '--environment', 'admin']), /Operator/)
  },
)

test('the password of a database is in no error, and in no flag', { skip: noPostgres }, async () => {
  const password = 'hunter2-hunter2'
  const { run } = workplace()
  for (const address of [
    `postgres://latchkey:${password}@127.0.0.1:1/keys`,
    `postgres://nobody-here:${password}@127.0.0.1:5432/test`,
    `postgres://latchkey:${password}%zz@127.0.0.1/keys`,
    `postgres://latchkey:${password}@127.0.0.1/`,
  ]) {
    const { code, stdout, stderr } = await run(['keys', 'list'], { env: { LATCHKEY_STORE: address } })
    assert.notEqual(code, 0, address)
    assert.ok(!`${stdout}${stderr}`.includes(password), stderr)
    assert.throws(
      () => readSettings({ environment: {}, flags: { store: address } }),
      /--store must be without a password/,
    )
    assert.ok(!placeOf(address).includes(password))
  }
})

test('the address of a database has a host and a name', () => {
  for (const address of ['postgres://db/keys', 'postgresql://me@db:6432/keys?sslmode=verify-full']) {
    assert.ok(isStore(address), address)
    assert.ok(!hasPassword(address))
  }
  for (const address of ['postgres:', 'postgres:///keys', 'postgres://db', 'postgres://db/a/b', 'mysql://db/keys']) {
    assert.ok(!isStore(address), address)
  }
})
