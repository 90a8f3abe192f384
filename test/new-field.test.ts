// A new field of a key is a migration and a row in each of four tables. Here one is added, in a copy of the sources: it
// lives everywhere, and the compiler misses each row that is left out.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { copySources, planted } from '../bench/plant.ts'
import type { Edit } from '../bench/proofs/proof.ts'
import { lines, migration, rows } from './new-field/rows.ts'
import { temporaryFolder } from './temporary-folder.ts'

const root = dirname(import.meta.dirname)
const folder = temporaryFolder('new-field')
copySources(folder, ['package.json', 'tsconfig.json', 'packages', 'examples', 'bench', 'test'])

/** The compiler, which is a program and not for the Node that runs this. */
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

interface Ran {
  readonly code: number
  readonly printed: string
}

async function run(...values: readonly string[]): Promise<Ran> {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return new Promise((resolve) => {
    execFile(process.execPath, values, { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), printed: stdout + stderr })
    })
  })
}

/** Everything that a new field takes. */
const field: Readonly<Record<string, Edit>> = { 'the migration': migration, ...lines, ...rows }

/** Adds the field to the copy, but for a part of it. */
function addField(except?: string): void {
  const edits = Object.values(field)
  for (const { file } of edits) copyFileSync(join(root, file), join(folder, file))
  for (const [name, edit] of Object.entries(field)) {
    if (name !== except) writeFileSync(join(folder, edit.file), planted(edit, folder))
  }
}

/** Checks the types of these files, and of all that they import. */
async function checkTypes(...include: readonly string[]): Promise<Ran> {
  writeFileSync(join(folder, 'tsconfig.part.json'), JSON.stringify({ extends: './tsconfig.json', include }))
  return run(tsc, '-p', 'tsconfig.part.json', '--pretty', 'false')
}

test('with all of it the sources compile, and the field lives in the library, over HTTP and on the command line', async () => {
  addField()
  const checked = await checkTypes('packages/*/src', 'bench')
  assert.deepEqual(checked, { code: 0, printed: '' })
  const lived = await run('--conditions=@latchkey/source', '--test', 'test/new-field/life.ts')
  assert.equal(lived.code, 0, lived.printed)
  assert.match(lived.printed, /^# pass 5$|^ℹ pass 5$/m, 'every part of its life was tried')
})

for (const [name, { missedIn }] of Object.entries({ ...rows, ...lines })) {
  test(`without its place in ${name} the sources do not compile`, async () => {
    addField(name)
    // The file that misses it is enough: all others were checked above.
    const { code, printed } = await checkTypes(missedIn)
    assert.notEqual(code, 0)
    assert.ok(printed.startsWith(`${missedIn}(`) && /\bteam\b/.test(printed), printed)
  })
}
