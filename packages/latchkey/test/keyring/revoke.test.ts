import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import type { Issued } from '../../src/keyring/issue.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { Store } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { testKeyring } from '../../src/testing.ts'
import { entriesOf } from '../../../../test/entries.ts'

const scopes = { 'orders:read': 'Read orders' }
const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const
const folder = temporaryFolder('revoke')

test('a revoked key is refused from the moment the answer is there, and stays revoked', async () => {
  const { keyring, clock } = await testKeyring({ scopes })
  const { key, secret } = await keyring.issue(shop)
  assert.equal((await keyring.verify(secret)).ok, true)
  const revoked = await keyring.revoke(key.id, { reason: 'compromised', note: 'posted in a chat', actor: 'alice' })
  assert.deepEqual(revoked.key.revoked, { at: clock.now(), reason: 'compromised', note: 'posted in a chat' })
  assert.equal(revoked.key.state, 'revoked')
  assert.ok(revoked.propagation.waitedMs > 0)
  assert.equal((await keyring.verify(secret)).ok, false)
  clock.advance(1e9)
  assert.equal((await keyring.verify(secret)).ok, false)
})

test('to revoke twice is to revoke once: the first reason stays and the journal has one entry', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { key } = await keyring.issue(shop)
  await keyring.revoke(key.id, { reason: 'unused' })
  const again = await keyring.revoke(key.id, { reason: 'compromised' })
  assert.equal(again.key.revoked?.reason, 'unused')
  assert.equal((await entriesOf(keyring)).length, 2)
})

test('sixteen revocations of one key at once are one', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { key } = await keyring.issue(shop)
  const all = await Promise.all(Array.from({ length: 16 }, () => keyring.revoke(key.id, { reason: 'unused' })))
  assert.equal(new Set(all.map((revoked) => revoked.key.revoked?.at)).size, 1)
  assert.equal((await entriesOf(keyring)).length, 2)
})

test('the answer says how long it took until no instance could accept the key, and comes no sooner for a key that was revoked before', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const keyring = await openKeyring({ store, scopes })
  const { key } = await keyring.issue(shop)
  for (let time = 0; time < 2; time++) {
    const began = performance.now()
    const { propagation, lapsedInstances } = await keyring.revoke(key.id, { reason: 'unused' })
    // Whoever revoked it first may still be waiting for the leases of others.
    const { waitedMs, ...known } = propagation
    assert.ok(waitedMs >= store.lease && waitedMs <= performance.now() - began, `${waitedMs} ms`)
    // Which processes look at the file is not known: all of them are waited for.
    assert.deepEqual({ ...known, lapsedInstances }, { instances: null, confirmed: 0, lapsed: 0, lapsedInstances: [] })
  }
  await keyring.close()
})

test('a key that others change at the same moment is revoked all the same, or the caller is told that it is not', async () => {
  const inner = sqliteStore({ file: ':memory:' })
  let conflicts = 0
  const store: Store = {
    ...inner,
    commit: (changes, chain) => (conflicts-- > 0 ? undefined : inner.commit(changes, chain)),
  }
  const keyring = await openKeyring({ store, scopes })
  const [one, other] = [await keyring.issue(shop), await keyring.issue(shop)]
  conflicts = 3
  assert.equal((await keyring.revoke(one.key.id, { reason: 'unused' })).key.state, 'revoked')
  assert.equal((await keyring.find(one.key.id))?.state, 'revoked')
  conflicts = Infinity
  await assert.rejects(keyring.revoke(other.key.id, { reason: 'unused' }), { code: 'conflict' })
  assert.equal((await keyring.verify(other.secret)).ok, true)
})

test('a key that does not exist and a reason that does not exist are refused', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { key } = await keyring.issue(shop)
  await assert.rejects(keyring.revoke('key_nobody', { reason: 'unused' }), { code: 'unknown_key' })
  await assert.rejects(keyring.revoke(key.id, { reason: 'because' as never }), { code: 'invalid_input' })
  for (const wrong of [{ note: 'x'.repeat(501) }, { actor: '' }, { actor: 'a\nb' }, { actor: 'x'.repeat(121) }]) {
    await assert.rejects(keyring.revoke(key.id, { reason: 'other', ...wrong }), { code: 'invalid_input' })
  }
  assert.equal((await keyring.find(key.id))?.state, 'active')
})

test('a key revoked through one keyring is refused by every other on the same file', async () => {
  const file = join(folder, 'shared.db')
  const keyrings = await Promise.all(
    Array.from({ length: 3 }, () => openKeyring({ store: sqliteStore({ file }), scopes })),
  )
  const [first] = keyrings
  assert.ok(first)
  for (let round = 0; round < 30; round++) {
    const { key, secret }: Issued = await first.issue(shop)
    // Every one has it in its cache, with a lease that has just begun.
    for (const keyring of keyrings) assert.equal((await keyring.verify(secret)).ok, true)
    await first.revoke(key.id, { reason: 'unused' })
    for (const keyring of keyrings) assert.equal((await keyring.verify(secret)).ok, false)
  }
  for (const keyring of keyrings) await keyring.close()
})
