import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { piecewise } from '../../src/keyring/piecewise.ts'

/** How many were made in each turn of the event loop. */
async function madeInTurns(count: number): Promise<readonly number[]> {
  const items = Array.from({ length: count }, (_, item) => item)
  const turns: number[] = []
  let made = 0
  const watch = { over: false }
  const all = piecewise(items, async (item, index) => {
    made++
    await Promise.resolve()
    return item * 1000 + index
  }).finally(() => (watch.over = true))
  for (let before = 0; !watch.over; before = made) {
    await nextTurn()
    turns.push(made - before)
  }
  assert.deepEqual(
    await all,
    items.map((item) => item * 1001),
  )
  return turns.filter((number) => number > 0)
}

test('what is quickly made is made fifty at a time, each once and in order', async (context) => {
  context.mock.method(performance, 'now', () => 0)
  const turns = await madeInTurns(120)
  // The first two pieces may fall into one turn of the watching loop.
  assert.ok(turns.length >= 2 && Math.max(...turns) <= 100, String(turns))
})

test('what takes long to make is made a few at a time', async (context) => {
  let now = 0
  context.mock.method(performance, 'now', () => (now += 0.6))
  const turns = await madeInTurns(40)
  assert.ok(turns.length >= 5 && Math.max(...turns) <= 8, String(turns))
})
