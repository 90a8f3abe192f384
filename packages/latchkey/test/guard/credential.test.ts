import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialReaders, twoCredentials } from '../../src/guard/credential.ts'
import { mint } from '../../src/secret/mint.ts'

const { header, bearer, either } = credentialReaders
const secret = mint({ prefix: 'lk', environment: 'live' })

test('two lines are two credentials, in whatever case and even if one is empty', () => {
  assert.equal(header(['X-API-Key', 'one', 'x-api-key', 'two']), twoCredentials)
  assert.equal(header(['X-API-Key', 'one', 'Host', 'a', 'X-Api-Key', '']), twoCredentials)
  assert.equal(header(['X-API-Key', '', 'X-API-KEY', '']), twoCredentials)
})

test('one credential is one, whether it stands alone or has a comma', () => {
  assert.equal(header(['Host', 'x']), undefined)
  assert.equal(header(['X-API-Key', 'one']), 'one')
  assert.equal(header(['X-API-Key', '']), '')
  assert.equal(header(['Host', 'a', 'Cookie', 'x-api-key', 'X-API-Key', 'one, two']), 'one, two')
})

test('a bearer token is what follows the scheme, as it is', () => {
  const read = (authorization: string) => bearer(['Authorization', authorization])
  assert.equal(read('Bearer one'), 'one')
  assert.equal(read('BEARER   one two,three'), 'one two,three')
  assert.equal(read('Bearer'), '')
  for (const other of ['Basic YTpi', 'Bearerone', 'Bearer:one', 'one', '']) assert.equal(read(other), undefined, other)
})

test('a second line of Authorization is never overlooked, though Node keeps the first alone', () => {
  for (const first of ['Basic YTpi', 'Bearer one', '']) {
    const lines = ['X-API-Key', 'key', 'Authorization', first, 'authorization', `Bearer ${secret}`]
    for (const read of [header, bearer, either]) assert.equal(read(lines), twoCredentials, first)
    assert.equal(bearer(lines.slice(2)), twoCredentials)
  }
})

test('an unread header is a second credential only with a secret in it; of two that are read, both count', () => {
  const both = (key: string) => ['X-API-Key', key, 'Authorization', 'Bearer one']
  assert.equal(header(both('key')), 'key')
  assert.equal(bearer(both('key')), 'one')
  assert.equal(bearer(both(secret)), twoCredentials)
  assert.equal(either(both('key')), twoCredentials)
  assert.equal(either(['X-API-Key', 'key', 'Authorization', 'Basic YTpi']), 'key')
})
