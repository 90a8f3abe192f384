import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKeyring } from '../../src/keyring/open.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { testKeyring } from '../../src/testing.ts'
import { toldOf } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }
const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const

test('a secret is seen once: neither it nor its hash is in what the keyring tells afterwards', async () => {
  const { keyring, secretsIn } = await testKeyring({ scopes })
  const { key, secret } = await keyring.issue(shop)
  await keyring.verify(secret)
  await keyring.revoke(key.id, { reason: 'compromised', note: 'found in a repository' })
  const told = [
    key,
    await keyring.find(key.id),
    await keyring.list(),
    await entriesOf(keyring),
    await keyring.verify(secret),
  ]
  assert.deepEqual(secretsIn(JSON.stringify(told)), [])
  assert.deepEqual(secretsIn(`${secret} ${hashSecret(secret)}`), ['Shop', 'Shop'], 'the check would find them')
})

test('an issued key can be found, and looks as it was issued', async () => {
  const { keyring, clock } = await testKeyring({ scopes })
  const expiresAt = clock.now() + 1000
  const { key, secret } = await keyring.issue({
    ...shop,
    scopes: ['orders:*', 'orders:*'],
    expiresAt,
    environment: 'test',
  })
  assert.deepEqual(await keyring.find(key.id), key)
  assert.match(key.id, /^key_[0-9A-Za-z]{20}$/)
  assert.ok(secret.startsWith(key.start) && key.start.length === 'lk_test_'.length + 4)
  assert.deepEqual(
    [key.scopes, key.expiresAt, key.environment, key.state, key.createdAt, key.revoked],
    [['orders:*'], expiresAt, 'test', 'active', clock.now(), null],
  )
  assert.equal(await keyring.find('key_nobody'), undefined)
  for (const id of ['', 'x'.repeat(121), 'a\nb', 7 as never]) {
    await assert.rejects(keyring.find(id), { code: 'invalid_input', message: /^id/ })
  }
})

test('the journal tells all that a key was issued with, but for its secret', async () => {
  const { keyring } = await testKeyring({ scopes })
  const given = {
    name: 'Shop',
    owner: 'acme',
    environment: 'test',
    scopes: ['orders:read', 'orders:*'],
    metadata: { plan: 'pro' },
    notBefore: 8e12,
    expiresAt: 9e12,
    addresses: ['192.0.2.0/24'],
    limits: [{ name: 'minute', limit: 10, window: 60 }],
    quota: { amount: 1000, refill: 'month' },
  } as const
  const { key } = await keyring.issue({ ...given, actor: 'alice' })
  const [entry] = await entriesOf(keyring)
  assert.deepEqual(toldOf(entry), { ...given, delegation: null, start: key.start })
  assert.deepEqual([entry?.actor, entry?.subject, entry?.at], ['alice', key.id, key.createdAt])
})

test('what is as long and as much as it may be is taken, and comes back as it was', async () => {
  const { keyring } = await testKeyring({ scopes })
  const members = Array.from({ length: 27 }, (_, index) => [String(index).padEnd(64, 'n'), 'v'.repeat(500)] as const)
  const metadata = Object.fromEntries([...members, ['__proto__', 'a member like any other']])
  const longest = { name: 'n'.repeat(120), owner: 'o'.repeat(120), notBefore: 0, expiresAt: 8.64e15, metadata }
  const { key, secret } = await keyring.issue({ ...longest, scopes: [], actor: 'a'.repeat(120) })
  const found = await keyring.find(key.id)
  const { name, owner, notBefore, expiresAt } = found ?? key
  assert.deepEqual({ name, owner, notBefore, expiresAt, metadata }, longest)
  const verdict = await keyring.verify(secret)
  assert.ok(verdict.ok)
  for (const told of [found?.metadata, verdict.key.metadata]) {
    assert.deepEqual(new Map(Object.entries(told ?? {})), new Map(Object.entries(metadata)))
  }
})

test('what a key cannot be is refused by name, and nothing is written', async () => {
  const { keyring, clock } = await testKeyring({ scopes })
  const wrong: Record<string, readonly object[]> = {
    name: [{ name: '' }, { name: ' ' }, { name: 'x'.repeat(121) }, { name: 'a\u0000b' }, { name: 'a\nb' }, { name: 7 }],
    owner: [{ owner: '..' }, { owner: undefined }, { owner: '' }, { owner: '\u001b[31m' }, { owner: '\ud800' }],
    scopes: [
      { scopes: undefined },
      { scopes: 'orders:read' },
      { scopes: Array.from({ length: 101 }, () => 'orders:read') },
    ],
    environment: [{ environment: 'prod' }, { environment: '' }, { environment: 'LIVE' }],
    notBefore: [
      { notBefore: 1.5 },
      { notBefore: -1 },
      { notBefore: '2030' },
      { notBefore: new Date() },
      { notBefore: NaN },
    ],
    expiresAt: [
      { expiresAt: clock.now() },
      { expiresAt: Infinity },
      { expiresAt: 2 ** 60 },
      { expiresAt: 8.64e15 + 1 },
      { notBefore: 9e12, expiresAt: 9e12 },
    ],
    metadata: [
      { metadata: Object.fromEntries(Array.from({ length: 1700 }, (_, index) => [String(index), 'x'])) },
      { metadata: { ['n'.repeat(65)]: 'x' } },
      { metadata: { '': 'x' } },
      { metadata: [] },
      { metadata: { a: 'x'.repeat(16_384) } },
      { metadata: { a: 'ü'.repeat(8200) } },
      { metadata: { a: [[[[[[[[]]]]]]]] } },
      { metadata: { a: { ['n'.repeat(65)]: 1 } } },
      { metadata: { a: NaN } },
      { metadata: { a: 1n } },
      { metadata: { a: undefined } },
      { metadata: { a: [undefined] } },
      { metadata: { a: new Date(0) } },
      { metadata: { a: '\ud800' } },
      { metadata: { '\udc00': 1 } },
      { metadata: { a: () => 1 } },
      { metadata: 'x' },
      { metadata: new Map([['a', 'b']]) },
    ],
    actor: [{ actor: '' }],
  }
  for (const [member, cases] of Object.entries(wrong)) {
    for (const overrides of cases) {
      const issuing = keyring.issue({ ...shop, ...overrides })
      await assert.rejects(
        issuing,
        { name: 'LatchkeyError', code: 'invalid_input', message: new RegExp(member) },
        member,
      )
    }
  }
  await assert.rejects(keyring.issue({ ...shop, scopes: ['orders:delete'] as never }), { code: 'unknown_scope' })
  assert.deepEqual(await entriesOf(keyring), [])
  assert.deepEqual((await keyring.list()).keys, [])
})

test('the message of an error does not repeat what was given: it may be a secret in the wrong place', async () => {
  const { keyring } = await testKeyring({ scopes })
  const secret = 'a-secret-in-the-wrong-place\n'
  await assert.rejects(
    keyring.issue({ ...shop, name: secret }),
    (error: Error) => !error.message.includes('wrong-place'),
  )
})

test('a keyring on a store that cannot be read does not open: the operator is told, not the first caller', async () => {
  const store = sqliteStore({ file: ':memory:' })
  await store.close()
  await assert.rejects(openKeyring({ store, scopes }))
})

test('a keyring with a prefix, an environment or a scope that is misspelt does not open', async () => {
  const store = sqliteStore({ file: ':memory:' })
  for (const options of [{ prefix: 'LK' }, { prefix: 'l_k' }, { prefix: '' }, { environments: ['Live'] as const }]) {
    await assert.rejects(openKeyring({ store, scopes, ...options }), { code: 'invalid_input' })
  }
  await assert.rejects(openKeyring({ store, scopes: { read: 'x' } }), { code: 'invalid_input' })
  for (const environments of [[], ['live', 'live'], ['live', 'admin']] as never[]) {
    await assert.rejects(openKeyring({ store, scopes, environments }), { code: 'invalid_input' })
  }
  await assert.rejects(openKeyring({ store, scopes, cacheSize: 0 }), { code: 'invalid_input' })
})

test('to close a keyring twice is to close it once', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  await Promise.all([keyring.close(), keyring.close()])
  await keyring.close()
})
