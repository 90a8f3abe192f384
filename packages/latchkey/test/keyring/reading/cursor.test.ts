import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { cursorOf, positionOf } from '../../../src/keyring/reading/cursor.ts'

const shape = ['text', 'integer or null', 'integer'] as const

test('a cursor is read as it was made, and fits into a URL as it is', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 120 }).filter((value) => !/\p{Cc}|\p{Cs}/u.test(value))
  const position = fc.tuple(text, fc.option(fc.maxSafeInteger()), fc.maxSafeInteger())
  fc.assert(
    fc.property(position, (values) => {
      const cursor = cursorOf('name', values)
      assert.match(cursor, /^[\w-]+$/)
      assert.deepEqual(positionOf(cursor, 'name', shape), values)
    }),
  )
})

test('whatever is not the cursor of this order is refused by name, and never taken as the first page', () => {
  const refused = { code: 'invalid_input', message: /cursor/ }
  assert.equal(positionOf(undefined, 'name', shape), undefined)
  const wrong = [
    cursorOf('oldest', ['a', 1, 2]),
    cursorOf('name', ['a', 1]),
    cursorOf('name', ['a', null, null]),
    cursorOf('name', [1, 1, 2]),
    cursorOf('name', ['a\0', 1, 2]),
    cursorOf('name', ['a', 0.5, 2]),
    '',
    '12',
    'bnVsbA',
    null,
    7,
    'x'.repeat(5000),
  ]
  for (const cursor of wrong) assert.throws(() => positionOf(cursor, 'name', shape), refused, String(cursor))
  fc.assert(fc.property(fc.string(), (cursor) => assert.throws(() => positionOf(cursor, 'name', shape), refused)))
})
