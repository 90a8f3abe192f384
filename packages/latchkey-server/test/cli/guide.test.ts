// docs/guides/command-line.md says what `--help` says.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readPage, sectionOf, sectionsOf } from '../../../../test/markdown.ts'
import { exits } from '../../src/cli/exit.ts'
import { commandSections } from './guide.ts'

const page = readFileSync(
  join(import.meta.dirname, '..', '..', '..', '..', 'docs', 'guides', 'command-line.md'),
  'utf8',
)
const described = new Map(
  [...sectionsOf(page, 3)].map(([title, text]) => [title.replaceAll('`', ''), readPage(text).blocks[0]?.code ?? '']),
)

test('every command has a section, and none is about a command that is gone', () => {
  assert.deepEqual([...described.keys()], [...commandSections().keys()])
})

test('every section is the help of its command', () => {
  const mend = 'node --conditions=@latchkey/source check/command-line.ts'
  for (const [name, text] of commandSections())
    assert.equal(described.get(name), readPage(text).blocks[0]?.code, `${name}: ${mend}`)
})

test('the exit codes are those of the table in code', () => {
  const [table] = readPage(sectionOf(page, 'Exit codes')).tables
  assert.deepEqual(
    table?.rows,
    Object.values(exits).map(({ code, means }) => [String(code), means]),
  )
})
