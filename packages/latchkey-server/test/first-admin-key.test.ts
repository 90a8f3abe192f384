import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { beforeRemoval, temporaryFolder } from '../../../test/temporary-folder.ts'
import { compose } from '../src/compose.ts'
import type { Composed } from '../src/compose.ts'
import { firstAdminKey, writeFirstAdminKey } from '../src/first-admin-key.ts'
import { memorySettings, scenario } from './stage.ts'
import { entriesOf } from '../../../test/entries.ts'

scenario(
  'a keyring without an admin key gets one that may do and give everything, and no second',
  async ({ keyring, send, watch }) => {
    const secret = (await firstAdminKey(keyring)) ?? ''
    watch(secret)
    assert.match(secret, /^lk_admin_\w{38}$/)
    assert.equal(await firstAdminKey(keyring), undefined)
    for (const body of [
      { name: 'Shop', owner: 'acme', scopes: ['orders:*', 'reports:read'], environment: 'test' },
      { name: 'Reader', owner: 'acme', scopes: ['keys:read', 'metrics:read'], environment: 'admin' },
    ]) {
      assert.equal((await send('POST /v1/keys', { as: secret, body })).statusCode, 201)
    }
    const [first] = await entriesOf(keyring)
    assert.deepEqual([first?.actor, first?.action], ['first start', 'issue'])
  },
)

scenario(
  'an admin key in any state is one: a revoked one does not come back by a restart',
  async ({ keyring, admin }) => {
    const { key } = await admin()
    await keyring.revoke(key.id, { reason: 'compromised' })
    assert.equal(await firstAdminKey(keyring), undefined)
  },
)

test('of two that start at once on one database, one is told a secret', async (context) => {
  const folder = temporaryFolder('first', { context })
  const settings = memorySettings({ store: `sqlite:${join(folder, 'latchkey.db')}` })
  const both = [await compose(settings), await compose(settings)]
  for (const { close } of both) beforeRemoval(folder, close)
  const secrets = await Promise.all(both.map(async ({ keyring }) => firstAdminKey(keyring)))
  assert.equal(secrets.filter((secret) => secret !== undefined).length, 1)
  assert.equal((await both[0]!.keyring.list({ environment: 'admin' })).keys.length, 1)
})

/** Keyrings of processes that share a database, and the folder that it is in. */
async function inFolder(
  count: number,
  use: (folder: string, keyrings: readonly Composed['keyring'][]) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder('first')
  const settings = memorySettings({ store: `sqlite:${join(folder, 'data', 'latchkey.db')}` })
  const composed: Composed[] = []
  for (let index = 0; index < count; index++) {
    const one = await compose(settings)
    composed.push(one)
    beforeRemoval(folder, one.close)
  }
  await use(
    folder,
    composed.map(({ keyring }) => keyring),
  )
}

const adminKeys = async (keyring: Composed['keyring']): Promise<number> =>
  (await keyring.list({ environment: 'admin' })).keys.length

test('the first admin key is written for its owner alone, works, and is written once', async () => {
  await inFolder(1, async (folder, [keyring]) => {
    const path = join(folder, 'admin.key')
    assert.equal(await writeFirstAdminKey(keyring!, path), true)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const written = readFileSync(path, 'utf8')
    assert.match(written, /^lk_admin_\w{38}\n$/)
    assert.equal((await keyring!.admin.verify(written.trim(), { allOf: ['keys:write'] })).ok, true)
    // Nor is there another key where the file was taken away.
    rmSync(path)
    assert.equal(await writeFirstAdminKey(keyring!, path), false)
    assert.deepEqual(readdirSync(folder), ['data'])
    assert.equal(await adminKeys(keyring!), 1)
  })
})

test('of several that start at once on one database, one writes the key, and the others leave nothing behind', async () => {
  await inFolder(4, async (folder, keyrings) => {
    const path = join(folder, 'admin.key')
    const wrote = await Promise.all(keyrings.map(async (keyring) => writeFirstAdminKey(keyring, path)))
    assert.deepEqual(
      wrote.filter((one) => one),
      [true],
    )
    assert.deepEqual(readdirSync(folder).toSorted(), ['admin.key', 'data'])
    assert.equal(await adminKeys(keyrings[0]!), 1)
    const secret = readFileSync(path, 'utf8').trim()
    for (const keyring of keyrings) assert.equal((await keyring.admin.verify(secret, {})).ok, true)
  })
})

test('a file that cannot be made, or exists, leaves no key behind, and stays as it is', async () => {
  await inFolder(1, async (folder, [keyring]) => {
    const taken = join(folder, 'taken')
    writeFileSync(taken, 'mine')
    symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
    for (const [path, code] of [
      [taken, 'EEXIST'],
      [join(folder, 'data'), 'EEXIST'],
      [join(folder, 'link'), 'EEXIST'],
      ['/dev/full', 'EEXIST'],
      [join(folder, 'missing', 'admin.key'), 'ENOENT'],
      [join(taken, 'admin.key'), 'ENOTDIR'],
    ] as const) {
      await assert.rejects(writeFirstAdminKey(keyring!, path), { code }, path)
      assert.equal(await adminKeys(keyring!), 0)
    }
    assert.equal(readFileSync(taken, 'utf8'), 'mine')
    assert.deepEqual(readdirSync(folder).toSorted(), ['data', 'link', 'taken'])
    assert.equal(await writeFirstAdminKey(keyring!, join(folder, 'admin.key')), true)
  })
})

test('a key that could not be issued leaves no file behind', async () => {
  await inFolder(1, async (folder, [keyring]) => {
    const issueMany: Composed['keyring']['issueMany'] = async () => Promise.reject(new Error('The store is gone.'))
    await assert.rejects(writeFirstAdminKey({ ...keyring!, issueMany }, join(folder, 'admin.key')), /The store is gone/)
    assert.deepEqual(readdirSync(folder), ['data'])
  })
})
