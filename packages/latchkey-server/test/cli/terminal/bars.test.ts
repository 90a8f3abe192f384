import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bars } from '../../../src/cli/terminal/bars.ts'

test('the highest number is the highest bar, nothing is a dot, and what does not fit is added up', () => {
  assert.equal(bars([0, 1, 4, 8]), '·▁▄█')
  assert.equal(bars([0, 0]), '··')
  assert.equal(bars([1, 1_000_000]), '▁█', 'a little is not nothing')
  assert.equal(bars(Array.from({ length: 62 }, (_, index) => (index < 2 ? 1 : 0))), `█${'·'.repeat(30)}`)
  assert.ok(bars(Array.from({ length: 800 }, () => 1)).length <= 31)
})
