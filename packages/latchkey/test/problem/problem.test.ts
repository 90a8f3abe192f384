import assert from 'node:assert/strict'
import { test } from 'node:test'
import { problemDocument } from '../../src/problem/problem.ts'

test('an occurrence is named by a URI, whatever the id of the request is', () => {
  const instanceOf = (id: string): string => problemDocument({ status: 404, code: 'x', detail: 'x' }, id).instance
  const uuid = '6fa459ea-ee8a-4ca4-894e-db77e160355e'
  assert.equal(instanceOf(uuid), `urn:uuid:${uuid}`)
  assert.equal(instanceOf('req-1'), '#req-1')
  assert.equal(instanceOf('a b/"<#'), '#a%20b%2F%22%3C%23')
})
