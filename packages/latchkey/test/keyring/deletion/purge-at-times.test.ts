import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LatchkeyError } from '../../../src/error.ts'
import { purgeAtTimes } from '../../../src/keyring/deletion/purge-at-times.ts'

const [minute, hour] = [60_000, 3_600_000]

test('a purge begins within ten minutes and then about every hour, whether it fails or not, until it is closed', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const failures = [new LatchkeyError('conflict', 'Another purges.'), new Error('disk')]
  const told: unknown[] = []
  let begun = 0
  const purging = purgeAtTimes(
    async () => {
      begun++
      const failure = failures.shift()
      if (failure !== undefined) throw failure
    },
    (error) => told.push(error),
  )
  const pass = async (milliseconds: number): Promise<number> => {
    context.mock.timers.tick(milliseconds)
    await nextTurn()
    return begun
  }
  assert.equal(await pass(minute - 1), 0)
  assert.equal(await pass(9 * minute + 1), 1)
  assert.equal(await pass(50 * minute - 1), 1)
  assert.equal(await pass(20 * minute + 1), 2)
  assert.equal(await pass(70 * minute), 3)
  assert.deepEqual(
    told.map((error) => (error as Error).message),
    ['disk'],
    'that another purges is no error',
  )
  await purging.close()
  assert.equal(await pass(10 * hour), 3)
})
