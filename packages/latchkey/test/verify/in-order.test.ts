import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { inOrder } from '../../src/verify/in-order.ts'

const byNumber = ([one]: readonly [number, number], [other]: readonly [number, number]): number => one - other

test('any list is sorted, what is alike stays as it was, and the list itself is not touched', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(50), { maxLength: 1800, size: 'max' }), async (numbers) => {
      const items = numbers.map((number, index) => [number, index] as const)
      const before = [...items]
      assert.deepEqual(await inOrder(items, byNumber), items.toSorted(byNumber))
      assert.deepEqual(items, before)
    }),
    { numRuns: 30 },
  )
})

test('the event loop turns while very many are sorted, after some hundred comparisons each time', async () => {
  const watch = { over: false, compared: 0 }
  const counting = (one: number, other: number): number => {
    watch.compared++
    return one - other
  }
  const items = Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 20_011)
  const sorted = inOrder(items, counting).finally(() => (watch.over = true))
  let most = 0
  for (let before = watch.compared; !watch.over; before = watch.compared) {
    await nextTurn()
    most = Math.max(most, watch.compared - before)
  }
  assert.deepEqual(
    await sorted,
    items.toSorted((one, other) => one - other),
  )
  assert.ok(most <= 10_000, `${most} comparisons in a turn`)
})
