import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presented, twoCredentials } from '../../src/guard/credential.ts'

test('two credentials are two, whether the framework joins the lines of a header or lists them', () => {
  assert.equal(presented('one, two', ['X-API-Key', 'one', 'x-api-key', 'two']), twoCredentials)
  assert.equal(presented(['one', 'two'], ['X-API-Key', 'one', 'x-api-key', 'two']), twoCredentials)
  assert.equal(presented(['one', ''], ['X-API-Key', 'one', 'X-API-Key', '']), twoCredentials)
})

test('one credential is one, whether it stands alone, in a list or has a comma', () => {
  assert.equal(presented(undefined, ['Host', 'x']), undefined)
  assert.equal(presented('one', ['X-API-Key', 'one']), 'one')
  assert.equal(presented(['one'], ['X-API-Key', 'one']), 'one')
  assert.equal(presented('one, two', ['Host', 'a', 'Cookie', 'x-api-key', 'X-API-Key', 'one, two']), 'one, two')
})
