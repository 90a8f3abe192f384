import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { checkpointsOf } from '../../src/store/sqlite/checkpoints.ts'

test('who can write later waits while the log is emptied, if much was written meanwhile, and not without end', async () => {
  const emptied: PromiseWithResolvers<void>[] = []
  const reader = {
    async checkpoint() {
      emptied.push(Promise.withResolvers())
      return emptied.at(-1)?.promise
    },
  }
  const checkpoints = checkpointsOf(new DatabaseSync(':memory:'), reader)
  checkpoints.wrote(300)
  assert.equal(emptied.length, 1)
  assert.equal(checkpoints.caughtUp(), undefined)
  checkpoints.wrote(500)
  let waits = true
  const waiting = checkpoints.caughtUp()?.then(() => (waits = false))
  await new Promise(setImmediate)
  assert.ok(waits)
  emptied[0]?.resolve()
  await waiting
  assert.equal(checkpoints.caughtUp(), undefined)

  checkpoints.wrote(1)
  checkpoints.wrote(500)
  assert.equal(emptied.length, 2)
  // This one is never emptied.
  await checkpoints.caughtUp()
  assert.equal(checkpoints.caughtUp(), undefined)
})
