// What a validator finds is said in words, and what a caller has chosen in it is cut short.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faultOf } from '../../src/problem/validation-fault.ts'

/** What is said of a fault of this kind, at `/name`. */
function detailOf(keyword: string, params: Readonly<Record<string, unknown>>): string | undefined {
  return faultOf({ instancePath: '/name', schemaPath: '', keyword, params, message: 'must NOT >= fit' }).detail
}

test('bounds are words, without capitals and signs', () => {
  const words: readonly (readonly [keyword: string, limit: number, detail: string])[] = [
    ['minLength', 1, 'must not be empty'],
    ['minLength', 2, 'must have at least 2 characters'],
    ['maxLength', 120, 'must have at most 120 characters'],
    ['minItems', 1, 'must not be empty'],
    ['maxItems', 8, 'must have at most 8 items'],
    ['minProperties', 1, 'must not be empty'],
    ['maxProperties', 32, 'must have at most 32 members'],
    ['minimum', 0, 'must be at least 0'],
    ['maximum', 9, 'must be at most 9'],
  ]
  for (const [keyword, limit, detail] of words) assert.equal(detailOf(keyword, { limit }), detail)
})

test('what is missing, unknown or no such value is named; anything else is as the validator says it', () => {
  assert.equal(detailOf('enum', { allowedValues: ['day', null] }), 'must be one of day, null')
  assert.equal(detailOf('pattern', { pattern: '^a$' }), 'must NOT >= fit')
  const fault = (keyword: string, params: Readonly<Record<string, unknown>>) =>
    faultOf({ instancePath: '/keys/0', schemaPath: '', keyword, params })
  assert.deepEqual(fault('required', { missingProperty: 'a/b' }), {
    pointer: '/keys/0/a~1b',
    detail: 'is required',
  })
  assert.deepEqual(fault('additionalProperties', { additionalProperty: 'x'.repeat(100) }), {
    pointer: `/keys/0/${'x'.repeat(64)}…`,
    detail: 'is not known here',
  })
  assert.deepEqual(fault('additionalProperties', { additionalProperty: 'b', knownProperties: ['a', 'c'] }), {
    pointer: '/keys/0/b',
    detail: 'is not known here; known are: a, c',
  })
  assert.equal(fault('type', {}).detail, 'does not fit')
})
