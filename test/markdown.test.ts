// The tests of documents notice what a reader would stumble over.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { brokenLinks } from './links.ts'
import { readPage, sectionsOf } from './markdown.ts'

const root = dirname(import.meta.dirname)

const table = '| one | two |\n| --- | --- |\n| `a` | b |\n| `c` | d |\n'

test('what is well formed has no faults', () => {
  const page = `# A title\n\n${table}\nText with \`code\`.\n\n\`\`\`sh\nls | wc\n\`\`\`\n`
  assert.deepEqual(readPage(page).faults, [])
})

test('a malformed table, block or row is named with its line', () => {
  const planted: Readonly<Record<string, readonly string[]>> = {
    [table.replace('| `c`', '\n| `c`')]: ['line 5: a row outside of a table'],
    [`${table}| \`c\` | d |\n`]: ['line 5: a row that stands twice'],
    [`Text.\n\n| \`c\` | d |\n`]: ['line 3: a row outside of a table'],
    [`- an item\n  | \`c\` | d |\n`]: ['line 2: a row outside of a table'],
    [`> quoted\n> | \`c\` | d |\n`]: ['line 2: a row outside of a table'],
    [`${table}| \`e\` |\n`]: ['line 5: a row of 1 cells in a table of 2'],
    [`${table}| \`e\` | f | g |\n`]: ['line 5: a row of 3 cells in a table of 2'],
    [`${table}Text without a blank line before it.\n`]: ['line 5: a row that does not stand between bars'],
    ['Text.\n\n```\nls\n```\n']: ['line 3: a block without a language'],
    ['Text.\n\n    indented\n']: ['line 3: a block without a language'],
    ['- an item\n\n  ```\n  ls\n  ```\n']: ['line 3: a block without a language'],
    ['Text.\n\n```sh\nls\n\n## And so on\n']: ['line 3: a fence that is not closed'],
    ['Text.\n\n```sh']: ['line 3: a fence that is not closed'],
    ['````sh\nls\n```\n']: ['line 1: a fence that is not closed'],
  }
  for (const [markdown, faults] of Object.entries(planted)) assert.deepEqual(readPage(markdown).faults, faults)
})

test('a bar within a cell does not make another cell', () => {
  assert.deepEqual(readPage(`${table}| \`a \\| b\` | e |\n`).faults, [])
})

test('headings, links and sections in a block of code are none', () => {
  const page = '## One\n\n```md\n## Two\n\n[to](nowhere.md)\n```\n\n## Three\n\n[a](b.md)\n'
  assert.deepEqual([...sectionsOf(page, 2).keys()], ['One', 'Three'])
  assert.deepEqual(readPage(page).links, [{ line: 11, target: 'b.md' }])
})

test('anchors are those of GitHub', () => {
  const page = '# `npm run`: what, and why?\n\n## A [link](b.md)\n\n### Twice\n\n### Twice\n\n## Größe & Maß\n'
  assert.deepEqual(
    readPage(page).headings.map(({ anchor }) => anchor),
    ['npm-run-what-and-why', 'a-link', 'twice', 'twice-1', 'größe--maß'],
  )
})

test('a link that leads nowhere is named, wherever it stands', () => {
  const path = 'docs/architecture.md'
  const page = readFileSync(join(root, path), 'utf8')
  const line = page.split('\n').length + 1
  assert.deepEqual(brokenLinks({ root, path, markdown: page }), [])
  const planted: Readonly<Record<string, string>> = {
    '[a](decisions/0099-never.md)': 'decisions/0099-never.md does not exist',
    '[a](#never)': '#never has no such heading',
    '[a](../README.md#never)': '../README.md#never has no such heading',
    '![a](images/never.png)': 'images/never.png does not exist',
    '- one\n- **[a](never.md)**': 'never.md does not exist',
    '| a | b |\n| --- | --- |\n| c | [a](never.md) |': 'never.md does not exist',
    '[a][b]\n\n[b]: never.md': 'never.md does not exist',
    '[a]( <never.md> "with a title")': 'never.md does not exist',
    '[a](../../elsewhere/README.md)': '../../elsewhere/README.md leads out of the repository',
  }
  for (const [text, expected] of Object.entries(planted)) {
    const found = brokenLinks({ root, path, markdown: `${page}\n${text}\n` })
    assert.equal(found.length, 1, text)
    const [first = ''] = found
    assert.match(first, new RegExp(`^${path}, line (?:${line}|${line + 1}|${line + 2}): `))
    assert.ok(first.endsWith(expected), first)
  }
})
