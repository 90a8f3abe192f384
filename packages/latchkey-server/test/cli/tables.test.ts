// Tables and pages in terminals of several widths, over the longest and the widest that may stand in them.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { beforeRemoval } from '../../../../test/temporary-folder.ts'
import { stripVTControlCharacters } from 'node:util'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { noTerminal } from '../../../../test/machine.ts'
import { cut, padded, widthOf, wrapped } from '../../src/cli/terminal/width.ts'
import { workplace } from './running.ts'
import type { Shown } from './terminal.ts'
import { inTerminal } from './terminal.ts'

const here = workplace({ LATCHKEY_ENVIRONMENTS: 'live,staging1staging2' })
const resources = Array.from({ length: 30 }, (_, index) => `resource-${String(index + 10).padEnd(22, '0')}:act`)
const keyring = await openKeyring({
  store: sqliteStore({ file: join(here.folder, 'data', 'latchkey.db') }),
  scopes: Object.fromEntries(resources.map((scope) => [scope, 'Do it'])),
  environments: ['live', 'staging1staging2'],
})
beforeRemoval(here.folder, keyring.close)

/** Of the longest allowed: plain, of two columns each, with marks that take none (and are no part of a letter in NFC), and pictures. */
const labels = [
  'n'.repeat(120),
  'Plain words with spaces between them, as people write them when they have a great deal to say about a key of theirs …',
  '日本語の名前'.repeat(20),
  'x\u0301q\u0308j\u0303'.repeat(20),
  '🔑🚀'.repeat(30),
  '한국어 이름 '.repeat(17).trim(),
]
const admin = await keyring.issue({
  name: 'Admin',
  owner: 'operator',
  environment: 'admin',
  scopes: ['keys:read', 'keys:write'],
  delegation: { owner: null, environments: ['live', 'staging1staging2'], scopes: [] },
})
const ids: string[] = [admin.key.id]
for (const label of labels) {
  const { key, secret } = await keyring.issue({
    name: label,
    owner: label,
    environment: 'staging1staging2',
    scopes: resources,
    metadata: { [label.slice(0, 60)]: label },
    limits: [{ name: 'l'.repeat(32), limit: 1_000_000_000, window: 2_678_399 }],
    addresses: ['2001:db8:1234:5678:9abc:def0:1234:5678', '192.0.2.0/24'],
  })
  ids.push(key.id)
  await keyring.verify(secret, { environment: 'staging1staging2' })
  const requirement = { environment: 'live' }
  const refused = await keyring.verify(secret, requirement)
  assert.ok(!refused.ok)
  const call = {
    route: `POST /${label.slice(0, 60)}/:id`,
    address: '2001:db8:1234:5678:9abc:def0:1234:5678',
    requirement,
  }
  keyring.noteRefusal?.(refused, { requestId: `refused-${key.id}`, ...call })
  await keyring.rotate(key.id)
  // The actor is an id too.
  await keyring.disable(key.id, { actor: admin.key.id, note: label.repeat(4) })
  await keyring.changeOwner(label, { disabled: true }, { actor: label })
}
await keyring.flushUsage()
const [firstId = ''] = ids.slice(1)

const lists: readonly (readonly string[])[] = [
  ['keys', 'list'],
  ['keys', 'list', '--rotating'],
  ['journal', 'show', '--all'],
  ['usage'],
  ['refusals', 'list'],
  ['usage', '--by', 'owner'],
  ['usage', '--by', 'key'],
  ['owners', 'list'],
  ['keys', 'count'],
]
const pages: readonly (readonly string[])[] = [
  ...[0, 2, 4].map((index) => ['keys', 'show', ids[index] ?? '']),
  ...[1, 2].map((index) => ['owners', 'show', labels[index] ?? '']),
  ['refusals', 'show', `refused-${ids[1]}`],
  ['whoami'],
  ['doctor'],
]

/** The lines of a screen without its colours. */
function linesOf(screen: string): readonly string[] {
  return stripVTControlCharacters(screen).trimEnd().split(/\r?\n/)
}

const screens = new Map<string, Promise<Shown>>()

/** What a command shows. It is run once for all tests: nothing is changed meanwhile. */
async function shown(values: readonly string[], columns: number): Promise<Shown> {
  const name = [columns, ...values].join(' ')
  const screen = screens.get(name) ?? inTerminal(here, values, { columns })
  screens.set(name, screen)
  return screen
}

describe('in a terminal', { skip: noTerminal(), concurrency: 2 }, () => {
  for (const columns of [60, 80]) {
    test(`every line fits ${columns} columns`, async () => {
      for (const values of [...lists, ...pages]) {
        const { code, screen } = await shown(values, columns)
        assert.equal(code, 0, `${values.join(' ')}: ${screen}`)
        // A command that is to be pasted is one line, however long.
        const lines = linesOf(screen).filter((line) => !/^\s+(?:npm run -s )?latchkey /.test(line))
        for (const line of lines) assert.ok(widthOf(line) <= columns, `${values.join(' ')}: ${line}`)
      }
    })

    test(`with ${columns} columns ids are whole, and nothing of a page or of a note is left out`, async () => {
      const list = await shown(['keys', 'list'], columns)
      const journal = await shown(['journal', 'show', '--all'], columns)
      const usage = await shown(['usage'], columns)
      const refused = await shown(['refusals', 'list'], columns)
      for (const id of ids) {
        assert.match(list.screen, new RegExp(`^${id}\\s`, 'm'))
        assert.match(journal.screen, new RegExp(`\\b${id}\\b`))
        if (id === admin.key.id) continue
        assert.match(usage.screen, new RegExp(`\\b${id}\\b`))
        assert.match(refused.screen, new RegExp(`\\b${id}\\b`))
        assert.match(refused.screen, new RegExp(`\\brefused-${id}\\b`), 'people copy the id of a request, too')
      }
      const joined = (screen: string) => linesOf(screen).join('').replaceAll(/\s/g, '')
      for (const label of labels)
        assert.ok(joined(journal.screen).includes(label.repeat(4).slice(0, 500).replaceAll(' ', '')))
      const page = await shown(['keys', 'show', firstId], columns)
      for (const scope of resources) assert.ok(joined(page.screen).includes(scope))
    })
  }

  test('a row is one line where there is room, and goes on in an indented line where there is not', async () => {
    const there = workplace()
    await there.done(['keys', 'issue', '--create', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read'])
    const lines = linesOf((await inTerminal(there, ['keys', 'list'], { columns: 80 })).screen)
    assert.match(lines[0] ?? '', /^ID +NAME +OWNER +ENV +STATE +SCOPES +LAST USED$/)
    assert.match(lines[1] ?? '', /^key_\w{20} {2}Shop {2}acme +live +active +orders:read {2}never$/)
    assert.equal(lines.length, 2)
    const narrow = linesOf((await inTerminal(there, ['keys', 'list'], { columns: 60 })).screen)
    assert.match(narrow[0] ?? '', /^ID +NAME +OWNER +ENV +STATE$/)
    assert.equal(narrow[1]?.trim(), 'SCOPES       LAST USED')
    assert.match(narrow[3] ?? '', /^ {2}orders:read {2}never$/)
  })
})

test('outside a terminal every cell is whole, between tabs', async () => {
  const rows = (await here.done(['keys', 'list'])).split('\n').map((line) => line.split('\t'))
  assert.deepEqual(
    rows.map(([, name]) => name),
    ['NAME', ...labels.toReversed(), 'Admin'],
  )
  assert.deepEqual(rows[1]?.[5], resources.join(' '))
})

describe('the width of a text', () => {
  test('is that of its columns', () => {
    const widths: readonly (readonly [string, number])[] = [
      ['', 0],
      ['abc', 3],
      ['日本', 4],
      ['e\u0301', 1],
      ['각', 2],
      ['\u1100\u1161', 2],
      ['ｱ', 1],
      ['Ａ', 2],
      ['🔑', 2],
      ['❤\ufe0f', 2],
      ['…', 1],
    ]
    for (const [text, width] of widths) assert.equal(widthOf(text), width, JSON.stringify(text))
  })

  test('a text that is cut off, wrapped or padded takes what it may, and a mark stays with its letter', () => {
    assert.equal(cut('日本語テキスト', 6), '日本…')
    assert.equal(cut('e\u0301'.repeat(5), 3), 'e\u0301e\u0301…')
    assert.equal(padded('日本', 6), '日本  ')
    assert.deepEqual(wrapped('one two, three', 8), ['one two,', 'three'])
    assert.deepEqual(wrapped('{"a":1,"b":2}', 8), ['{"a":1,', '"b":2}'])
    assert.deepEqual(wrapped('1,000 keys', 7), ['1,000', 'keys'])
    assert.deepEqual(wrapped('日本語テキスト', 5), ['日本', '語テ', 'キス', 'ト'])
    assert.deepEqual(wrapped('', 5), [''])
  })
})
