import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mixes } from '../proofs/sim-disturbances.ts'
import { prepare, run } from '../proofs/sim-run.ts'

test('a simulated run is the same each time, so a seed that finds something can be run again', async () => {
  const prepared = await prepare()
  const mix = mixes[1]!
  const [first, again, another] = [
    await run(prepared, 7, mix),
    await run(await prepare(), 7, mix),
    await run(prepared, 8, mix),
  ]
  assert.deepEqual(first, again)
  assert.notDeepEqual(first, another)
})
