import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { openKeyring } from '../../src/keyring/open.ts'
import { mint } from '../../src/secret/mint.ts'
import { settingsKey } from '../../src/source/settings.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { countingStore } from '../keyring/counting-store.ts'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }

const weak = [
  '',
  'q7T-x9',
  'fifteen-letters',
  'changeme-changeme',
  'your-api-key-here',
  'YOUR_SECRET_API_KEY',
  'replace-me-with-a-secret-key',
  '<insert your api key here>',
  '${SERVICE_API_KEY}',
  'xxxxxxxxxxxxxxxxxxxxxxxx',
  'supersecretpassword123',
  'my-super-secret-api-key',
  'test-api-key-1234',
  'replace-with-random-value',
  'put-your-key-here',
  'your-random-key-goes-here',
  'generate-a-long-random-string',
  'replace_this_with_a_secure_key',
  'changethisbeforeproduction',
  'thisisasecretkey1',
  'admin-admin-admin-admin',
  'lk_live_xxxxxxxxxxxxxxxx',
  'lk_live_00000000000000000000000000',
  '12345678901234567890',
  '0123456789abcdef',
  '0123456789ABCDEF0123456789ABCDEF',
  'abcdefghijklmnopqrst',
  'qwertyuiopasdfgh',
  'two words are not a header value',
  'trailing-space-in-here ',
  'ümlaute-sind-kein-ascii',
  'correct.horse!battery/staple'.repeat(37),
]

for (const secret of weak) {
  test(`${JSON.stringify(secret.slice(0, 40))} is not taken from the settings, and not repeated`, () => {
    assert.throws(
      () => settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: [] }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'weak_key')
        assert.match(error.message, /^SERVICE_API_KEY .*openssl rand/)
        return secret === '' || !error.message.includes(secret)
      },
    )
    assert.doesNotThrow(() => settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: [] }, { allowWeak: true }))
  })
}

test('random values of any common shape are taken, from the shortest on', () => {
  const alphabets = {
    hex: '0123456789abcdef',
    base62: '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',
    base64: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
    base64url: 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_',
  }
  const refused: string[] = []
  for (const [shape, alphabet] of Object.entries(alphabets)) {
    for (let round = 0; round < 10_000; round++) {
      const length = 16 + (round % 8)
      const secret = [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join('')
      try {
        settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: [] })
      } catch {
        refused.push(`${shape} ${secret}`)
      }
    }
  }
  // One in a million may look like a row of one character, or like words.
  assert.ok(refused.length <= 1, refused.join(', '))
})

test('a key from the settings is accepted whatever its form, with its scopes only, and the store is asked only for one that it may have', async () => {
  const minted = mint({ prefix: 'lk', environment: 'live' })
  for (const secret of ['correct.horse!battery/staple', minted]) {
    const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: ['orders:read'] })
    const store = countingStore(sqliteStore({ file: ':memory:' }))
    const keyring = await openKeyring({ store, scopes, sources: [source] })
    const verdict = await keyring.verify(secret, { allOf: ['orders:read'] })
    assert.ok(verdict.ok)
    assert.deepEqual([verdict.key.id, verdict.key.owner], ['settings:SERVICE_API_KEY', 'settings'])
    const more = await keyring.verify(secret, { allOf: ['orders:write'] })
    assert.ok(!more.ok && more.refusal.code === 'insufficient_scope')
    assert.equal(store.reads, secret === minted ? 1 : 0)
  }
})

test('an issued key that also stands in the settings is revoked when it is revoked', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const before = await openKeyring({ store, scopes })
  const { key, secret } = await before.issue({ name: 'First', owner: 'acme', scopes: ['orders:read'] })
  const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: ['orders:read', 'orders:write'] })
  const keyring = await openKeyring({ store, scopes, sources: [source] })
  const verdict = await keyring.verify(secret)
  assert.ok(verdict.ok)
  assert.deepEqual([verdict.key.id, verdict.key.scopes], [key.id, ['orders:read']])
  await keyring.revoke(key.id, { reason: 'compromised' })
  const revoked = await keyring.verify(secret)
  assert.ok(!revoked.ok && revoked.refusal.code === 'revoked')
})

test('a key in the settings that no route could accept stops the start', async () => {
  const secret = 'correct.horse!battery/staple'
  const open = (options: object): Promise<unknown> => {
    const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: [], ...options })
    return openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes, sources: [source] })
  }
  await assert.rejects(open({ scopes: ['orders:raed'] }), { code: 'unknown_scope' })
  await assert.rejects(open({ environment: 'prod' }), { code: 'invalid_input', message: /SERVICE_API_KEY/ })
})

test('beside a key from the settings nothing else is accepted, and issued keys still are', async () => {
  const secret = 'correct.horse!battery/staple'
  const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: [] })
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes, sources: [source] })
  const issued = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  assert.equal((await keyring.verify(issued.secret)).ok, true)
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string(), fc.constant(secret.toUpperCase()), fc.constant(` ${secret}`)),
      async (text) => {
        assert.equal((await keyring.verify(text)).ok, text === secret)
      },
    ),
  )
})

test('beside a key from the settings a credential that cannot be an issued one is refused without a read of the store', async () => {
  const source = settingsKey({ name: 'SERVICE_API_KEY', secret: 'correct.horse!battery/staple', scopes: [] })
  const inner = sqliteStore({ file: ':memory:' })
  const store = { ...inner, bySecret: () => assert.fail('the store was asked') }
  const keyring = await openKeyring({ store, scopes, sources: [source] })
  const secret = mint({ prefix: 'lk', environment: 'live' })
  const mistyped = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`
  for (const [credential, code] of [
    ['correct.horse!battery/stapled', 'malformed'],
    [mint({ prefix: 'xy', environment: 'live' }), 'malformed'],
    [mistyped, 'mistyped'],
  ] as const) {
    const verdict = await keyring.verify(credential)
    assert.ok(!verdict.ok && verdict.refusal.code === code, credential)
  }
})

test('the longest key that the settings may hold is accepted, and what is longer is refused unread', async () => {
  const longest = randomBytes(512).toString('hex')
  const keys = settingsKey({ name: 'SERVICE_API_KEY', secret: longest, scopes: [] })
  let asked = 0
  const source = { keys: [], bySecret: (hash: string) => (asked++, keys.bySecret(hash)) }
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes, sources: [source] })
  assert.equal((await keyring.verify(longest)).ok, true)
  asked = 0
  const verdict = await keyring.verify(`${longest}x`)
  assert.ok(!verdict.ok && verdict.refusal.code === 'malformed')
  assert.equal(asked, 0)
})
