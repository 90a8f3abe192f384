import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adminScopes } from '../../src/index.ts'
import { testKeyring } from '../../src/testing.ts'
import { entriesOf } from '../../../../test/entries.ts'

const scopes = { 'orders:read': 'Read orders' }
const delegation = { owner: null, environments: ['live', 'test', 'admin'], scopes: ['*'] }
const admin = {
  name: 'Admin',
  owner: 'operator',
  environment: 'admin',
  scopes: Object.keys(adminScopes) as (keyof typeof adminScopes)[],
  delegation,
}
const refused = { code: 'conflict', message: /^It is the last admin key that can issue any key: issue another first/ }

test('no admin key takes away the last one that can issue any key, in whatever way', async (context) => {
  const { keyring, clock } = await testKeyring({ scopes })
  context.after(() => keyring.close())
  const { key } = await keyring.issue(admin)
  // None of these can issue any key, or may do anything now.
  await keyring.issue({ ...admin, delegation: { ...delegation, owner: 'operator' } })
  await keyring.issue({ ...admin, delegation: { ...delegation, environments: ['live', 'admin'] } })
  await keyring.issue({ ...admin, scopes: ['keys:read', 'owners:write'] })
  await keyring.issue({ ...admin, notBefore: clock.now() + 1000 })
  const { key: disabled } = await keyring.issue(admin)
  await keyring.disable(disabled.id)
  const entries = (await entriesOf(keyring)).length
  const view = keyring.as(key.id)
  const ways = [
    async () => view.revoke(key.id, { reason: 'other' }),
    async () => view.disable(key.id),
    async () => view.change(key.id, { scopes: ['keys:read'] }),
    async () => view.change(key.id, { delegation: null }),
    async () => view.change(key.id, { delegation: { ...delegation, owner: 'operator' } }),
    async () => view.change(key.id, { expiresAt: clock.now() + 1000 }),
    async () => view.change(key.id, { notBefore: clock.now() + 1000 }),
    async () => view.changeOwner('operator', { disabled: true }),
  ]
  for (const way of ways) await assert.rejects(way, refused, String(way))
  assert.equal((await entriesOf(keyring)).length, entries)
  // What leaves it what it is, is its own affair.
  await view.change(key.id, { name: 'Operator' })
  await view.rotate(key.id)
})

test('with another one it may go, and so may all that were never the last', async (context) => {
  const { keyring } = await testKeyring({ scopes })
  context.after(() => keyring.close())
  const { key } = await keyring.issue(admin)
  const { key: bound } = await keyring.issue({ ...admin, delegation: { ...delegation, owner: 'acme' } })
  const { key: other } = await keyring.issue({ ...admin, owner: 'second' })
  await keyring.as(key.id).revoke(bound.id, { reason: 'other' })
  await keyring.as(key.id).changeOwner('operator', { disabled: true })
  await assert.rejects(keyring.as(other.id).changeOwner('second', { disabled: true }), refused)
  await keyring.as(other.id).changeOwner('operator', { disabled: false })
  await keyring.as(key.id).revoke(key.id, { reason: 'superseded' })
  await assert.rejects(keyring.as(other.id).revoke(other.id, { reason: 'other' }), refused)
})

test('two admin keys that revoke each other at once leave one of them', async (context) => {
  const { keyring } = await testKeyring({ scopes })
  context.after(() => keyring.close())
  const [one, other] = [await keyring.issue(admin), await keyring.issue(admin)]
  const both = await Promise.allSettled([
    keyring.as(one.key.id).revoke(other.key.id, { reason: 'other' }),
    keyring.as(other.key.id).revoke(one.key.id, { reason: 'other' }),
  ])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
})

test('whoever holds the keyring itself can take away the last one, having the way back in hand', async (context) => {
  const { keyring } = await testKeyring({ scopes })
  context.after(() => keyring.close())
  const { key } = await keyring.issue(admin)
  await keyring.revoke(key.id, { reason: 'other' })
  await keyring.issue(admin)
})
