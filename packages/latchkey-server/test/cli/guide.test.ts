// docs/guides/command-line.md says what `--help` says.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { exits } from '../../src/cli/exit.ts'
import { commandSections } from './guide.ts'

const page = readFileSync(
  join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'guides', 'command-line.md'),
  'utf8',
)
const described = new Map(
  [...page.matchAll(/^### `([^`]+)`\n\n(```text\n[^]*?```\n)/gm)].map(([, name, text]) => [name!, text!]),
)

test('every command has a section, and none is about a command that is gone', () => {
  assert.deepEqual([...described.keys()], [...commandSections().keys()])
})

test('every section is the help of its command', () => {
  const mend = 'node --conditions=@latchkey/source check/command-line.ts'
  for (const [name, text] of commandSections()) assert.equal(described.get(name), text, `${name}: ${mend}`)
})

test('the exit codes are those of the table in code', () => {
  const [, section = ''] = page.split('\n## Exit codes\n')
  const [table = ''] = section.split('\n## ')
  const rows = [...table.matchAll(/^\| (\d+) +\| (.+?) +\|$/gm)].map(([, code, means]) => [Number(code), means])
  assert.deepEqual(
    rows,
    Object.values(exits).map(({ code, means }) => [code, means]),
  )
})
