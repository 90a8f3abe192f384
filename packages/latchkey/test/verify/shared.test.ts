import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharing } from '../../src/verify/shared.ts'

/** How many further values with texts of a length a pool takes until it makes the first one anew. */
function roomFor(length: number): number {
  const share = sharing<object>()
  const first = share('first', () => ({}))
  for (let count = 1; count < 20_000; count++) {
    share(`${count}`.padStart(length, ' '), () => ({}))
    if (share('first', () => ({})) !== first) return count - 1
  }
  return Infinity
}

test('equal texts share one value, and others do not', () => {
  const share = sharing<readonly string[]>()
  const one = share('["a"]', () => ['a'])
  assert.equal(
    share('["a"]', () => ['a']),
    one,
  )
  assert.notEqual(
    share('["b"]', () => ['b']),
    one,
  )
})

test('a pool holds as many values as fit, by their number and by the characters of their texts, and no more', () => {
  for (const [length, room] of [
    [5, 1999],
    [131, 1999],
    [500, 524],
    [1000, 262],
  ] as const) {
    assert.equal(roomFor(length), room, `${length} characters`)
  }
})

test('a text that is too long to be shared takes no room', () => {
  const share = sharing<object>()
  const first = share('first', () => ({}))
  const long = 'a'.repeat(1001)
  const made = share(long, () => ({}))
  assert.notEqual(
    share(long, () => ({})),
    made,
  )
  for (let count = 0; count < 3000; count++) share(`${count}${long}`, () => ({}))
  assert.equal(
    share('first', () => ({})),
    first,
  )
})
