// The examples in doc comments are compiled and run, and what they say of a value is so.

import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { examplesOf } from '../check/reference/examples.ts'
import { readPages } from '../check/reference/model.ts'
import { programOf } from './doc-examples/program.ts'
import { kill } from './kill.ts'
import { noPostgres, testSchema } from './postgres.ts'
import { beforeRemoval, temporaryFolder } from './temporary-folder.ts'
import { typeCheck } from './type-check.ts'

const root = dirname(import.meta.dirname)
const pages = readPages(root)
const examples = examplesOf(pages)

// Where `latchkey` is found as users would find it, and where neither git nor a check looks.
const folder = temporaryFolder('doc-examples', { within: join(root, 'dist') })

const programs = new Map(
  examples.map((example) => [`${example.name.replaceAll(/\W/g, '-')}.ts`, programOf(example, pages)]),
)
for (const [name, { text }] of programs) writeFileSync(join(folder, name), text)

test('every example in a doc comment type-checks', async () => {
  assert.equal(programs.size, examples.length, 'each has a name of its own')
  assert.ok(examples.length > 60)
  await typeCheck(folder)
})

test('every example in a doc comment runs to its end, and each value is what the comment beside it says', async (context) => {
  const claims = [...programs.values()].reduce((sum, program) => sum + program.claims, 0)
  assert.ok(claims > 10, `${claims} values are compared`)
  const runnable = [...programs].flatMap(([name, { text }]) =>
    noPostgres === false || !text.includes(`from 'pg'`) ? [name] : [],
  )
  const schema = noPostgres === false ? await testSchema() : undefined
  context.after(() => schema?.remove())
  const child = fork(join(import.meta.dirname, 'doc-examples', 'run.ts'), [folder, ...runnable], {
    env: { ...process.env, DATABASE_URL: schema?.address },
    execArgv: ['--conditions=@latchkey/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  beforeRemoval(folder, () => kill(child))
  const [report] = (await once(child, 'message')) as [unknown]
  assert.deepEqual(report, { ran: runnable.length, failed: [] })
})
