// docs/reference/words.md is the one list of the domain's words, and no page uses a word that another one replaces.

import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { brokenLinks } from './links.ts'
import { readPage } from './markdown.ts'

const root = dirname(import.meta.dirname)
const path = 'docs/reference/words.md'
const read = (page: string): string => readFileSync(join(root, page), 'utf8')
const pages = globSync('**/*.md', { cwd: root, exclude: ['**/node_modules', '**/dist'] })

test('the words stand in the order of the alphabet, each with its meaning and a page that exists', () => {
  const [table] = readPage(read(path)).tables
  assert.ok(table !== undefined && table.rows.length > 0)
  assert.deepEqual(table.header, ['word', 'meaning', 'explained in'])
  const words = table.rows.map(([word]) => word ?? '')
  assert.deepEqual(
    words,
    words.toSorted((a, b) => a.localeCompare(b, 'en')),
  )
  assert.equal(new Set(words).size, words.length, 'each word stands once')
  for (const [word, meaning = '', place = ''] of table.rows) {
    assert.match(meaning, /\.$/, `${word} has a sentence`)
    assert.equal(readPage(place).links.length, 1, `${word} has one link`)
    assert.deepEqual(brokenLinks({ root, path, markdown: place }), [], word)
  }
})

test('README.md and the architecture lead to the words', () => {
  for (const page of ['README.md', 'docs/architecture.md']) {
    const lead = readPage(read(page)).links.some(({ target }) => target.endsWith('reference/words.md'))
    assert.ok(lead, page)
  }
})

/** Words that were replaced, and by what. `--anchor` is still another name of `--checkpoint`. */
const replaced: Readonly<Record<string, RegExp>> = {
  requirement: /\bdemand(?:s|ed)?\b/gi,
  'call context': /`Call`/g,
  'cached key': /\bStanding\b/g,
  checkpoint: /(?<!--)\banchors?\b/gi,
  intact: /`whole`|\bwhole: (?:true|false)|\.whole\b|\b(?:is|not|called) whole\b/g,
  chain: /\bseal(?:s|ed)?\b/gi,
  counter: /\btall(?:y|ies|ied)\b/gi,
  drain: /\bfarewells?\b/gi,
  'time or timestamp': /\bmoments?\b/gi,
  'what stands beside it in CHANGELOG.md': /\btoken_reused\b|`(?:Kept|Found|Listed|Look|OnceDone|OnceOptions)`/g,
}

/** The lines of a text in which a word stands that was replaced, each with the word that it should have. */
function oldWords(text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      Object.entries(replaced).flatMap(([word, pattern]) =>
        [...line.matchAll(pattern)].map(([old]) => `line ${index + 1}: ${old}; write ${word}`),
      ),
    )
}

/** The one place that may say how something was called: the entry of the changelog that tells what it is called now. */
const renaming = /^- \*\*Breaking\*\* New names:.*\n(?: {2}.*\n)*/m

for (const page of pages) {
  test(`${page}: no word that was replaced stands in its text or its code`, () => {
    const text = read(page)
    assert.deepEqual(oldWords(page === 'CHANGELOG.md' ? text.replace(renaming, '') : text), [])
  })
}

test('a word that was replaced is found in text and in code, and --anchor is let through', () => {
  const text =
    'A demand.\n\n```ts\nawait keyring.verifyJournal({ anchor })\n```\n\nThe journal is whole; `--anchor` too.'
  assert.deepEqual(oldWords(text), [
    'line 1: demand; write requirement',
    'line 4: anchor; write checkpoint',
    'line 7: is whole; write intact',
  ])
})
