import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from './temporary-folder.ts'

const machine = JSON.stringify(join(import.meta.dirname, 'machine.ts'))

/** What an expression comes to in a process that has this environment and no other. */
function evaluate(
  expression: string,
  env: Readonly<Record<string, string>>,
): { status: number | null; output: string } {
  const code = `const machine = await import(${machine}); console.log(${expression})`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env,
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

test('a script(1) that tells its version and has no terminal to give is no terminal', () => {
  const folder = temporaryFolder('machine')
  writeFileSync(join(folder, 'script'), '#!/bin/sh\n[ "$1" = --version ]\n', { mode: 0o755 })
  const { status, output } = evaluate('machine.noTerminal()', { PATH: folder })
  assert.deepEqual([status, output], [0, 'neither script(1) nor python3 can open a pseudo-terminal here\n'])
})

test('what is missing is a reason to skip, and where nothing may be skipped a failure that says it', () => {
  const asked = `machine.skipUnless(false, 'no moon')`
  assert.deepEqual(evaluate(asked, {}), { status: 0, output: 'no moon\n' })
  const complete = evaluate(asked, { LATCHKEY_TEST_COMPLETE: '1' })
  assert.notEqual(complete.status, 0)
  assert.match(complete.output, /Error: no moon: LATCHKEY_TEST_COMPLETE wants all tests/)
})
