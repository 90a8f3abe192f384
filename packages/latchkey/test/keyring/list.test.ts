import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testKeyring } from '../../src/testing.ts'

const scopes = { 'orders:read': 'Read orders' }

test('every key is listed once, page after page, whatever is issued in between', async () => {
  const { keyring } = await testKeyring({ scopes })
  const issue = async (name: string): Promise<string> =>
    (await keyring.issue({ name, owner: 'acme', scopes: [] })).key.name
  const expected = []
  for (let index = 0; index < 25; index++) expected.push(await issue(`Key ${index}`))
  const listed: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof keyring.list>> = await keyring.list({ limit: 10, ...(cursor && { cursor }) })
    listed.push(...page.keys.map(({ name }) => name))
    cursor = page.cursor
    if (listed.length === 10) expected.push(await issue('Late key'))
  } while (cursor !== null)
  assert.deepEqual(listed, expected)
})

test('lists are by owner and by state, as it is at the moment', async () => {
  const { keyring, clock } = await testKeyring({ scopes })
  const now = clock.now()
  const issue = async (name: string, options: object = {}): Promise<string> =>
    (await keyring.issue({ name, owner: 'acme', scopes: [], ...options })).key.id
  await issue('active')
  await issue('of another', { owner: 'umbrella' })
  await issue('pending', { notBefore: now + 10 })
  await issue('expired', { expiresAt: now + 5 })
  await keyring.revoke(await issue('revoked'), { reason: 'unused' })
  const names = async (options: object): Promise<readonly string[]> =>
    (await keyring.list(options)).keys.map(({ name, state }) => `${name}: ${state}`)

  assert.deepEqual(await names({ owner: 'umbrella' }), ['of another: active'])
  assert.deepEqual(await names({ state: 'active', owner: 'acme' }), ['active: active', 'expired: active'])
  assert.deepEqual(await names({ state: 'pending' }), ['pending: pending'])
  clock.set(now + 10)
  assert.deepEqual(await names({ state: 'active', owner: 'acme' }), ['active: active', 'pending: active'])
  assert.deepEqual(await names({ state: 'expired' }), ['expired: expired'])
  assert.deepEqual(await names({ state: 'revoked' }), ['revoked: revoked'])
})

test('a page that is full and the last has no cursor', async () => {
  const { keyring } = await testKeyring({ scopes })
  for (const name of ['one', 'two']) await keyring.issue({ name, owner: 'acme', scopes: [] })
  assert.equal((await keyring.list({ limit: 2 })).cursor, null)
  assert.notEqual((await keyring.list({ limit: 1 })).cursor, null)
})

test('a limit, a cursor or a state that cannot be is refused by name', async () => {
  const { keyring } = await testKeyring({ scopes })
  for (const limit of [0, -1, 1001, 1.5, NaN, '10' as never]) {
    await assert.rejects(keyring.list({ limit }), { code: 'invalid_input', message: /^limit/ })
  }
  for (const cursor of ['', 'x', '-1', '1e3', '9'.repeat(16), "1' OR 1=1"]) {
    await assert.rejects(keyring.list({ cursor }), { code: 'invalid_input', message: /^cursor/ })
  }
  await assert.rejects(keyring.list({ state: 'gone' as never }), { code: 'invalid_input', message: /^state/ })
})
