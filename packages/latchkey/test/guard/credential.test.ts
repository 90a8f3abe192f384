import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialReaders, twoCredentials } from '../../src/guard/credential.ts'
import { mint } from '../../src/secret/mint.ts'

const { header, bearer, either } = credentialReaders
const secret = mint({ prefix: 'lk', environment: 'live' })

const inHeader = (value: string | readonly string[] | undefined, lines: readonly string[]) =>
  header({ 'x-api-key': value }, lines)

test('two credentials are two, whether the framework joins the lines of a header or lists them', () => {
  assert.equal(inHeader('one, two', ['X-API-Key', 'one', 'x-api-key', 'two']), twoCredentials)
  assert.equal(inHeader(['one', 'two'], ['X-API-Key', 'one', 'x-api-key', 'two']), twoCredentials)
  assert.equal(inHeader(['one', ''], ['X-API-Key', 'one', 'X-API-Key', '']), twoCredentials)
})

test('one credential is one, whether it stands alone, in a list or has a comma', () => {
  assert.equal(inHeader(undefined, ['Host', 'x']), undefined)
  assert.equal(inHeader('one', ['X-API-Key', 'one']), 'one')
  assert.equal(inHeader(['one'], ['X-API-Key', 'one']), 'one')
  assert.equal(inHeader('one, two', ['Host', 'a', 'Cookie', 'x-api-key', 'X-API-Key', 'one, two']), 'one, two')
})

test('a bearer token is what follows the scheme, as it is', () => {
  const read = (authorization: string) => bearer({ authorization }, ['Authorization', authorization])
  assert.equal(read('Bearer one'), 'one')
  assert.equal(read('BEARER   one two,three'), 'one two,three')
  assert.equal(read('Bearer'), '')
  for (const other of ['Basic YTpi', 'Bearerone', 'Bearer:one', 'one', '']) assert.equal(read(other), undefined, other)
})

test('a second line of Authorization is never overlooked, though Node keeps the first alone', () => {
  for (const first of ['Basic YTpi', 'Bearer one', '']) {
    const lines = ['X-API-Key', 'key', 'Authorization', first, 'authorization', `Bearer ${secret}`]
    const headers = { 'x-api-key': 'key', authorization: first }
    for (const read of [header, bearer, either]) assert.equal(read(headers, lines), twoCredentials, first)
    assert.equal(bearer({ authorization: first }, lines.slice(2)), twoCredentials)
  }
})

test('an unread header is a second credential only with a secret in it; of two that are read, both count', () => {
  const authorization = 'Bearer one'
  const both = (key: string) =>
    [{ 'x-api-key': key, authorization }, ['X-API-Key', key, 'Authorization', authorization]] as const
  assert.equal(header(...both('key')), 'key')
  assert.equal(bearer(...both('key')), 'one')
  assert.equal(bearer(...both(secret)), twoCredentials)
  assert.equal(either(...both('key')), twoCredentials)
  assert.equal(either({ 'x-api-key': 'key', authorization: 'Basic YTpi' }, ['Authorization', 'Basic YTpi']), 'key')
})
