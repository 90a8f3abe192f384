// The API reference has all that the packages export, and a doc comment that lacks something does not pass.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { testKeyring } from 'latchkey/testing'
import { shownOf } from '../check/reference/declaration.ts'
import { faultsOf } from '../check/reference/faults.ts'
import type { Page } from '../check/reference/model.ts'
import { readPages } from '../check/reference/model.ts'
import { renderPages } from '../check/reference/render.ts'
import { exportsOf, sourceReader } from '../check/reference/source.ts'

const root = dirname(import.meta.dirname)
const pages = readPages(root)

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].toSorted()

/** A page of one file, and of what stands beside it. */
function pageOf(files: Readonly<Record<string, string>>): Page {
  const read = sourceReader('', (path) => files[path] ?? assert.fail(path))
  return { specifier: 'own', file: 'own.md', source: read('own.ts'), exports: exportsOf('own.ts', read).map(shownOf) }
}

test('every path that can be imported has a page, with every value that the module has and no other', async () => {
  for (const name of ['latchkey', 'latchkey-server']) {
    const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')) as {
      readonly exports: Readonly<Record<string, unknown>>
    }
    for (const path of Object.keys(manifest.exports).filter((one) => !one.endsWith('.json'))) {
      const specifier = name + path.slice(1)
      const page = pages.find((one) => one.specifier === specifier)
      const values = page?.exports.filter(({ code }) => /^(?:function|const|class) /.test(code)).map((one) => one.name)
      // A class may be exported as a type alone.
      const own = values?.filter((one) => one !== 'Credential')
      assert.deepEqual(sorted(own ?? []), sorted(Object.keys((await import(specifier)) as object)), specifier)
    }
  }
})

test('every function of a keyring has a section of its own', async () => {
  const { keyring } = await testKeyring({ scopes: {} })
  const verbs = Object.entries(keyring).flatMap(([name, member]) => (typeof member === 'function' ? [name] : []))
  const described = pages
    .flatMap(({ exports }) => exports)
    .filter(({ name }) => ['Keyring', 'OpenKeyring', 'Verifier'].includes(name))
    .flatMap(({ methods }) => methods.map(({ name }) => name))
  assert.deepEqual(sorted(described), sorted(verbs))
  await keyring.close()
})

test('every doc comment says what readers need', () => {
  assert.deepEqual(faultsOf(pages), [])
})

test('the pages are what the doc comments say, and there are no others', async () => {
  const folder = join(root, 'docs', 'reference', 'api')
  const made = await renderPages(root, pages)
  assert.deepEqual(sorted(globSync('*', { cwd: folder })), sorted(made.keys()))
  for (const [file, text] of made) {
    const path = join(folder, file)
    assert.ok(existsSync(path) && readFileSync(path, 'utf8') === text, `${file}: npm run reference writes it anew`)
    assert.ok(!text.includes(root), `${file} has no path of this machine in it`)
  }
})

test('a comment, an example or a tag that is missing or wrong is named, in whatever form the export stands', () => {
  const module = '/** @module For tests. */\n'
  const planted: readonly (readonly [text: string, faults: readonly string[]])[] = [
    [`${module}/** Is one. */\nexport type One = 1`, []],
    ['/** A type. */\nexport type One = 1', ['own.ts: no doc comment with @module says what this path is for']],
    [`${module}export const one = 1`, ['own.ts: one has no doc comment']],
    [`${module}// Not a doc comment.\nexport type One = 1`, ['own.ts: One has no doc comment']],
    [`${module}/** Is one. */\nconst before = 1\nexport const one = before`, ['own.ts: one has no doc comment']],
    [`${module}/** Does. */\nexport function one(): void {}`, ['own.ts: one has no @example']],
    [`${module}/** @example one() */\nexport function one(): void {}`, ['own.ts: one has no doc comment']],
    [
      `${module}/** Does.\n * @exmaple one() */\nexport const one = 1`,
      ['own.ts: one has the tag @exmaple, which means nothing here'],
    ],
    [`${module}/** Has. */\nexport interface One { does(): void }`, ['own.ts: One.does has no doc comment']],
    [
      `${module}/** Has. */\nexport interface One {\n/** Does. */\ndoes(): void }`,
      ['own.ts: One.does has no @example'],
    ],
    [
      `${module}/** Is. */\nexport type One = Two\ninterface Two { a: 1 }`,
      ['own.ts: One names the type Two, which no path exports'],
    ],
    [
      `${module}import type { Two } from './two.ts'\n/** Is. */\nexport type One = Two | Date`,
      ['own.ts: One names the type Two, which no path exports'],
    ],
    [`${module}import type { Two } from 'two'\n/** Is. */\nexport type One = Two`, []],
    [`${module}export { other } from './other.ts'`, ['other.ts: other has no @example']],
    [`${module}import { other } from './other.ts'\nexport { other }`, ['other.ts: other has no @example']],
  ]
  for (const [text, faults] of planted) {
    const page = pageOf({ 'own.ts': text, 'other.ts': '/** Does. */\nexport function other(): void {}' })
    assert.deepEqual(faultsOf([page]), faults, text)
  }
})

test('a declaration is shown as its caller needs it: without bodies, private members and inner names', () => {
  const declarations: Readonly<Record<string, string>> = {
    "export function one(file = '.env'): void {}": "function one(file = '.env'): void",
    'export const one = Object.keys(two) as readonly Two[]': 'const one: readonly Two[]',
    'export async function one({ a, b = 1 }: Options, c: number = 2, d: string = ""): Promise<void> { await a }':
      'function one(options: Options, c?: number, d?: string): Promise<void>',
    'export function one<const T>(...all: readonly T[]): T { return all[0] }':
      'function one<const T>(...all: readonly T[]): T',
    'export const one: Readonly<Two> = make()': 'const one: Readonly<Two>',
    "export const one = 'two'": "const one = 'two'",
    'export class One extends Two { #three = 3\n readonly four: 4 = 4\n five(): void { this.four } }':
      'class One extends Two {\n  readonly four: 4 = 4\n  five(): void\n}',
    'export interface One extends Two {\n  readonly a: 1\n  b(): 2\n}':
      'interface One extends Two {\n  readonly a: 1\n}',
    'export interface One { b(): 2 }': 'interface One',
  }
  for (const [text, shown] of Object.entries(declarations)) {
    assert.equal(pageOf({ 'own.ts': text }).exports[0]?.code, shown)
  }
})
