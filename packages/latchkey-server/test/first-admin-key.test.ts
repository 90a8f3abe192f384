import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { compose } from '../src/compose.ts'
import { firstAdminKey } from '../src/first-admin-key.ts'
import { memorySettings, scenario } from './stage.ts'

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
    const [first] = await keyring.journal()
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

test('of two that start at once on one database, one is told a secret', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-first-'))
  const settings = memorySettings({ file: join(folder, 'latchkey.db') })
  const both = [await compose(settings), await compose(settings)]
  const secrets = await Promise.all(both.map(async ({ keyring }) => firstAdminKey(keyring)))
  assert.equal(secrets.filter((secret) => secret !== undefined).length, 1)
  assert.equal((await both[0]!.keyring.list({ environment: 'admin' })).keys.length, 1)
  for (const { close } of both) await close()
  rmSync(folder, { recursive: true })
})
