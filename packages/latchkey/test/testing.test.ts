import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashSecret } from '../src/secret/hash.ts'
import { testKeyring } from '../src/testing.ts'

const scopes = { 'orders:read': 'Read orders' }
const shop = { owner: 'acme', scopes: [] }

test('a secret is found in a text by whatever verb it came about, and so is its hash', async () => {
  const { keyring, secretsIn, headersFor } = await testKeyring({ scopes })
  const admin = await keyring.issue({
    name: 'Admin',
    owner: 'ops',
    environment: 'admin',
    scopes: ['keys:write', 'keys:read'],
    delegation: { owner: null, environments: ['live', 'test', 'admin'], scopes: ['orders:read'] },
  })
  const acting = keyring.as(admin.key.id)
  const secrets = new Map([['Admin', admin.secret]])
  for (const [by, verbs] of Object.entries({ keyring, acting })) {
    const one = await verbs.issue({ ...shop, name: `${by} one` })
    secrets.set(`${by} one`, one.secret)
    const many = await verbs.issueMany([{ ...shop, name: `${by} many` }])
    assert.ok(!many.repeated)
    secrets.set(`${by} many`, many.created[0]?.secret ?? '')
    const first = await verbs.issue({ ...shop, name: `${by} rotated` })
    secrets.set(`${by} rotated`, (await verbs.rotate(first.key.id)).secret)
  }
  secrets.set('Test key', (await headersFor(['orders:read']))['X-API-Key'] ?? '')
  for (const [name, secret] of secrets) {
    assert.deepEqual(secretsIn(`{"given":"${secret}"}`), [name])
    assert.deepEqual(secretsIn(hashSecret(secret)), [name])
  }
  const hash = hashSecret('made elsewhere')
  await keyring.importMany([{ ...shop, name: 'Old', algorithm: 'sha256', hash: hash.toUpperCase(), bits: 128 }])
  assert.deepEqual(secretsIn(hash), ['Old'])
  assert.deepEqual(secretsIn('nothing of the kind'), [])
})
