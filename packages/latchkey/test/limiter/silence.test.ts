import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { watchSilence } from '../../src/limiter/redis/silence.ts'

/** A watch over one answer that may be owed, and when it has found it missing. */
function watched(least: number) {
  let since: number | undefined
  const told: number[] = []
  const watch = watchSilence({
    least,
    oldest: () => since,
    silent() {
      told.push(performance.now() - (since ?? 0))
      watch.end()
    },
  })
  return {
    told,
    ask() {
      since = performance.now()
      watch.owed()
    },
    answer() {
      since = undefined
      watch.heard()
    },
    end: () => watch.end(),
  }
}

function hold(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

test('an answer that does not come is missed after that time, and not before', async () => {
  const { ask, told } = watched(40)
  ask()
  while (told.length === 0) await sleep(1)
  assert.ok((told[0] ?? 0) >= 40, String(told))
})

test('an answer that lies in the socket while the loop is held is not missed', async () => {
  const { ask, answer, told, end } = watched(40)
  for (let time = 0; time < 5; time++) {
    ask()
    // Read in the turn after the one that was held, as from a socket.
    setImmediate(() => setImmediate(answer))
    hold(120)
    await sleep(1)
  }
  assert.deepEqual(told, [])
  end()
})

test('whoever has been slow of late is given several times as long', async () => {
  const { ask, answer, told } = watched(100)
  ask()
  await sleep(60)
  assert.deepEqual(told, [])
  answer()
  ask()
  while (told.length === 0) await sleep(1)
  assert.ok((told[0] ?? 0) >= 130, String(told))
})
