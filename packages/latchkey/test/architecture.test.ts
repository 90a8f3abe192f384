import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { covers, importsOf, readRules, ruleFor, violations } from './architecture.ts'

const root = join(import.meta.dirname, '..', '..', '..')
const source = join(root, 'packages', 'latchkey', 'src')
const page = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8')
const rules = readRules(page)

const files = globSync('{examples,bench,packages/latchkey/src,packages/latchkey-server/{src,test}}/**/*.ts', {
  cwd: root,
  exclude: ['**/node_modules/**'],
})
const allImports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), 'utf8')))

test('nothing imports what docs/architecture.md does not allow it', () => {
  assert.ok(allImports.length > 200, 'the imports were read')
  assert.deepEqual(violations(rules, allImports), [])
  for (const file of files) assert.ok(ruleFor(rules, file) !== undefined, `${file} has an item in the lists`)
})

test('a planted violation is caught, whatever its form', () => {
  const file = 'packages/latchkey/src/secret/mint.ts'
  const planted: Readonly<Record<string, string>> = {
    [`import { DatabaseSync } from 'node:sqlite'`]: 'node:sqlite',
    [`import type { Keyring } from '../keyring/keyring.ts'`]: 'types of packages/latchkey/src/keyring/keyring.ts',
    [`export * from '../store/sqlite.ts'`]: 'packages/latchkey/src/store/sqlite.ts',
    [`import {\n  one,\n  two,\n} from 'fastify'`]: 'fastify',
    [`import 'node:http'`]: 'node:http',
    [`import { compose } from '../../../latchkey-server/src/compose.ts'`]: 'packages/latchkey-server/src/compose.ts',
    [`const late = await import('node:net')`]: 'node:net',
  }
  for (const [text, target] of Object.entries(planted)) {
    assert.deepEqual(violations(rules, importsOf(file, text)), [`${file} may not import ${target}`], text)
  }
  const typed = 'packages/latchkey/src/keyring/key.ts'
  assert.deepEqual(
    violations(rules, importsOf(typed, `import { something } from '../ports.ts'`)),
    [`${typed} may not import packages/latchkey/src/ports.ts`],
    'where only types are allowed',
  )
  for (const folder of ['packages/latchkey/src', 'packages/latchkey-server/src']) {
    assert.deepEqual(violations(rules, importsOf(`${folder}/new.ts`, `import 'node:fs'`)), [
      `${folder}/new.ts has no item in the lists`,
    ])
  }
})

test('a list that a reader sees otherwise than it is read is refused', () => {
  const line = '- `propagation/`: `node:crypto`\n'
  const other = /^- `input\.ts`: .*\n/m.exec(page)?.[0] ?? assert.fail('the item of input.ts')
  const paths = /^Paths begin at `packages\/latchkey\/src\/`.*\n/m.exec(page)?.[0] ?? assert.fail('its sentence')
  const planted: readonly (readonly [changed: string, fault: RegExp])[] = [
    [page.replace(line, `\n${line.slice(2)}\n`), /a sentence and a list, and nothing else/],
    [page.replace(line, `${line}${line}`), /propagation\/ has one item/],
    [page.replace(line, `${line}  ${other}`), /an item is one line of text/],
    [page.replace(line, `${line}  ${other.slice(2)}`), /may import/],
    [page.replace(line, '\n| `propagation/` | nothing |\n| --- | --- |\n'), /a sentence and a list, and nothing else/],
    [page.replace('### Library', `${line}\n### Library`), /only sections have lists and tables/],
    [page.replace('## Ideas that', `\n${paths}\n${other}\n## Ideas that`), /a sentence and a list, and nothing else/],
    [page.replace(paths, `${paths}\nAlso all of Node.\n`), /a sentence and a list, and nothing else/],
    [page.replace(paths, 'Paths begin somewhere.\n'), /says where its paths begin/],
    [page.replace(other, other.replace(': ', ' ')), /an item is a path and its imports/],
    [page.replace(other, other.replace('`input.ts`', '`input`')), /input is a file or a folder/],
    [page.replace(other, other.replace(', `', ', type of `')), /input\.ts may import: type of `/],
    [page.replace(other, other.replace('`, `', '` `')), /input\.ts may import/],
    [page.replace(other, other.replace('\n', ', `secret/`\n')), /input\.ts names nothing twice/],
    [page.replace('## Who may import whom', '## Who imports whom'), /No section is called Who may import whom/],
  ]
  for (const [changed, fault] of planted) {
    assert.notEqual(changed, page, String(fault))
    assert.throws(() => readRules(changed), fault)
  }
})

test('every item is about something that exists, and allows nothing that its own files do not use', () => {
  for (const rule of rules) {
    for (const path of rule.paths) assert.ok(existsSync(join(root, path)), path)
    const own = allImports.filter(({ file }) => ruleFor(rules, file) === rule)
    for (const { target } of rule.own) {
      assert.ok(
        own.some((found) => covers(target, found.target)),
        `${rule.paths.join(', ')} does not import ${target}`,
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
