import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../test/temporary-folder.ts'
import { inScratchFolder } from '../proofs/scratch-folder.ts'

test('a place that is there and takes no files is passed over, and nothing is left behind', async () => {
  const open = temporaryFolder('open')
  // Closed to the superuser too, who is not bound by rights.
  const closed = join(open, 'closed')
  writeFileSync(closed, '')
  const used = await inScratchFolder('test', async (folder) => folder, [closed, '/proc/self', open])
  assert.equal(dirname(used), open)
  assert.equal(existsSync(used), false)
  assert.deepEqual(readdirSync(open), ['closed'])
  await assert.rejects(
    inScratchFolder('test', async () => undefined, [closed]),
    /cannot be written to/,
  )
})
