import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Import } from './architecture.ts'
import { covers, importsOf, readTable, violations } from './architecture.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const source = join(root, 'packages', 'latchkey', 'src')
const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8')
const rows = readTable(page)

/** Files of a folder, with paths as the table writes them: the library's from its source, the others' from the root. */
function importsIn(folder: string): readonly Import[] {
  const pattern = folder === source ? '**/*.ts' : `{examples,bench,packages/latchkey-server/{src,test}}/**/*.ts`
  return globSync(pattern, { cwd: folder, exclude: ['**/node_modules/**'] }).flatMap((file) =>
    importsOf(file, readFileSync(join(folder, file), 'utf8')),
  )
}

const allImports = [...importsIn(source), ...importsIn(root)]

test('nothing imports what docs/architecture.md does not allow it', () => {
  assert.ok(allImports.length > 200, 'the imports were read')
  assert.deepEqual(violations(rows, allImports), [])
})

test('a planted violation is caught, whatever its form', () => {
  const planted: Readonly<Record<string, string>> = {
    [`import { DatabaseSync } from 'node:sqlite'`]: 'secret/mint.ts may not import node:sqlite',
    [`import type { Keyring } from '../keyring/keyring.ts'`]:
      'secret/mint.ts may not import types of keyring/keyring.ts',
    [`export * from '../store/sqlite.ts'`]: 'secret/mint.ts may not import store/sqlite.ts',
    [`import {\n  one,\n  two,\n} from 'fastify'`]: 'secret/mint.ts may not import fastify',
    [`import 'node:http'`]: 'secret/mint.ts may not import node:http',
    [`import { chain } from '../../packages/latchkey/src/journal/chain.ts'`]:
      'secret/mint.ts may not import ../packages/latchkey/src/journal/chain.ts',
    [`const late = await import('node:net')`]: 'secret/mint.ts may not import node:net',
  }
  for (const [text, expected] of Object.entries(planted)) {
    assert.deepEqual(violations(rows, importsOf('secret/mint.ts', text)), [expected], text)
  }
  const value = importsOf('keyring/key.ts', `import { something } from '../ports.ts'`)
  assert.deepEqual(violations(rows, value), ['keyring/key.ts may not import ports.ts'], 'where only types are allowed')
  assert.deepEqual(violations(rows, importsOf('new/file.ts', `import 'node:fs'`)), [
    'new/file.ts has no row in the table',
  ])
})

test('a table that a reader sees otherwise than it is read is refused', () => {
  const row = /^\| `index\.ts`.*\n/m.exec(page)?.[0] ?? assert.fail('the row of index.ts')
  const planted: readonly (readonly [changed: string, what: RegExp])[] = [
    [page.replace(row, `\n${row}`), /a row outside of a table/],
    [page.replace(row, `${row}${row}`), /a row that stands twice/],
    [page.replace(row, `${row}| \`index.ts\` | nothing |\n`), /index\.ts has one row/],
    [page.replace('## Ideas that', `${row}\n## Ideas that`), /a row outside of a table/],
    [page.replace(row, row.replace('types of', 'type of')), /index\.ts may import: type of `verify\/`/],
    [page.replace(row, row.replace('`, `', '` `')), /index\.ts may import/],
    [page.replace(row, row.replace(/\|\n$/, '| and this |\n')), /a row of 3 cells in a table of 2/],
    [page.replace('## Who may import whom', '## Who imports whom'), /No section is called Who may import whom/],
  ]
  for (const [changed, what] of planted) assert.throws(() => readTable(changed), what)
})

test('every row of the table is about something that exists, and allows nothing that is not used', () => {
  for (const [path, { allowed }] of rows) {
    assert.ok(existsSync(join(source, path)) || existsSync(join(root, path)), path)
    const ours = allImports.filter(({ file }) => file === path || (path.endsWith('/') && file.startsWith(path)))
    for (const { target } of allowed) {
      assert.ok(
        ours.some((found) => covers(target, found.target)),
        `${path} does not import ${target}`,
      )
    }
  }
})

test('the file path is the import path: every export of the package has exactly that file', () => {
  const { exports, dependencies } = JSON.parse(readFileSync(join(root, 'packages', 'latchkey', 'package.json'), 'utf8'))
  for (const [specifier, target] of Object.entries<Record<string, string>>(exports)) {
    if (specifier === './package.json') continue
    const path = specifier === '.' ? 'index' : specifier.slice(2)
    assert.deepEqual(target, {
      '@latchkey/source': `./src/${path}.ts`,
      types: `./dist/${path}.d.ts`,
      default: `./dist/${path}.js`,
    })
    assert.ok(existsSync(join(source, `${path}.ts`)), path)
  }
  assert.equal(dependencies, undefined, 'the library has no dependencies')
})
