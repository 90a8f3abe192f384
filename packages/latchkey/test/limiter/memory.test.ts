import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MemoryLimiter } from '../../src/limiter/memory.ts'
import { memoryLimiter } from '../../src/limiter/memory.ts'
import { limiterConformance, newWindow } from '../conformance/limiter.ts'

function timed(slices = 60): { limiter: MemoryLimiter; advance: (ms: number) => void } {
  let now = 1000
  const limiter = memoryLimiter({ clock: { monotonic: () => now }, slices })
  return {
    limiter,
    advance(ms) {
      now += ms
    },
  }
}

for (const slices of [1, 8, 64]) {
  limiterConformance(`memory, ${slices} slices`, () => {
    const { limiter, advance } = timed(slices)
    return { limiters: [limiter], advance, slice: (window) => window / slices }
  })
}

test('it answers at once, by the time of the process unless given another', () => {
  const before = performance.now()
  const { at } = memoryLimiter().take([newWindow()], 1)
  assert.ok(before <= at && at <= performance.now())
})

test('nobody is told to wait longer than the window, wherever between two milliseconds the clock stands', () => {
  // Sums of such times are rounded, and a thousandth of a nanosecond more would be a whole second for the caller.
  for (const now of [0, 1421.1407995041725, 1788.6860308378161, 65388.43225317148]) {
    const limiter = memoryLimiter({ clock: { monotonic: () => now } })
    const window = newWindow({ limit: 1, window: 1 })
    assert.equal(limiter.take([window], 1).states[0]?.resetMs, 1000, String(now))
    assert.equal(limiter.take([window], 1).states[0]?.waitMs, 1000, String(now))
  }
})

test('calls that are further apart than a slice are counted to the millisecond', () => {
  const { limiter, advance } = timed()
  const windows = [newWindow({ limit: 4, window: 6 })]
  for (let round = 0; round < 100; round++) {
    for (const pause of [100, 1400, 2000]) {
      assert.equal(limiter.take(windows, 1).admitted, true)
      advance(pause)
    }
    assert.equal(limiter.take(windows, 1).admitted, true)
    advance(2499)
    assert.equal(limiter.take(windows, 1).admitted, false)
    assert.equal(limiter.take(windows, 1).states[0]?.waitMs, 1)
    advance(1)
  }
})

test('nothing is taken from the calls of another moment', () => {
  const { limiter, advance } = timed()
  const windows = [newWindow({ limit: 1, window: 60 })]
  limiter.take(windows, 1)
  advance(5000)
  const looked = limiter.peek([newWindow()], 1)
  advance(5000)
  limiter.giveBack(windows, 1, looked)
  assert.equal(limiter.take(windows, 1).admitted, false)
})

test('a full window of slices neither overflows nor slips, whatever the load', () => {
  const { limiter, advance } = timed()
  const windows = [newWindow({ limit: 500, window: 1 })]
  const admitted: number[] = []
  for (let call = 0; call < 50_000; call++) {
    const { admitted: so, at } = limiter.take(windows, 1)
    if (so) admitted.push(at)
    advance(call % 7 === 0 ? 3.25 : 0.5)
  }
  for (let index = 500; index < admitted.length; index++) {
    assert.ok((admitted[index] ?? 0) - (admitted[index - 500] ?? 0) >= 1000)
  }
  const [first = 0, last = 0] = [admitted[0], admitted.at(-1)]
  assert.ok(admitted.length > (500 * (last - first)) / (1000 + 1000 / 60), `${admitted.length} admitted`)
})

test('buckets that are idle are forgotten while others are used, and those in use never are', () => {
  const { limiter, advance } = timed()
  const steady = newWindow({ limit: 1000, window: 60 })
  let most = 0
  for (let caller = 0; caller < 20_000; caller++) {
    limiter.take([newWindow({ window: 0.5 }), newWindow({ window: 0.25 })], 1)
    if (caller % 100 === 0) assert.equal(limiter.take([steady], 1).states[0]?.remaining, 999 - caller / 100)
    most = Math.max(most, limiter.size)
    advance(1)
  }
  // 500 + 250 are in use at any moment.
  assert.ok(most < 1600, `${most} buckets held`)
  advance(60_000)
  for (let call = 0; call < 2000; call++) limiter.take([steady], 0)
  assert.equal(limiter.size, 0)
})
