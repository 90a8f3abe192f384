// The documents say what is so. What is found in code is compared with what is described, both ways.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import Fastify from 'fastify'
import { refusals } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { latchkeyServer, serverOptions } from 'latchkey-server'
import { testKeyring } from 'latchkey/testing'
import { benchmarks } from '../bench/benchmarks.ts'
import { goalOf } from '../bench/benchmarks/figure.ts'
import { readSettings } from '../examples/process-api/src/settings.ts'
import { settingsTable } from '../packages/latchkey-server/src/config.ts'
import { brokenLinks } from './links.ts'
import { readPage, sectionsOf } from './markdown.ts'

const root = dirname(import.meta.dirname)

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const pages: ReadonlyMap<string, string> = new Map(
  globSync('**/*.md', { cwd: root, exclude: ['**/node_modules', '**/dist'] }).map((path) => [path, read(path)]),
)

/** The sections under headings of one level whose title is nothing but a name in backticks. */
function sections(page: string, level = 2): ReadonlyMap<string, string> {
  const named = [...sectionsOf(page, level)].map(([title, text]) => [/^`([^`]+)`$/.exec(title)?.[1], text] as const)
  return new Map(named.filter((one): one is readonly [string, string] => one[0] !== undefined))
}

/** The rows of a table whose header begins with a cell, their backticks taken off the first cell. */
function rowsUnder(page: string, first: string): readonly (readonly string[])[] {
  const table = readPage(page).tables.find(({ header }) => header[0] === first)
  assert.ok(table !== undefined, `a table whose first column is ${first}`)
  return table.rows.map(([name = '', ...cells]) => [name.replaceAll('`', ''), ...cells])
}

/** Every match of the first group. */
const matches = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([, one]) => one!)

const sorted = (names: Iterable<string>): readonly string[] => [...new Set(names)].toSorted()

function assertDescribed(described: ReadonlyMap<string, string>, existing: Iterable<string>, page: string): void {
  assert.deepEqual(sorted(described.keys()), sorted(existing), `${page} describes what there is, and nothing else`)
}

/** A name with what its section must say. */
function assertSays(described: ReadonlyMap<string, string>, name: string, what: string): void {
  const section = described.get(name)?.replaceAll(/\s+/g, ' ')
  assert.ok(section?.includes(what), `the section on ${name} says ${what}`)
}

test('every setting has a section with its default, and no section is about a setting that is gone', () => {
  const settings = readSettings({})
  const names = [...Object.keys(settings), 'SERVICE_API_KEY_FILE']
  const described = sections(read('docs/reference/settings.md'))
  assertDescribed(described, names, 'settings.md')
  for (const [name, value] of Object.entries(settings)) {
    assertSays(described, name, value === undefined ? 'Not set by default.' : `Default: \`${value}\`.`)
  }
  for (const name of matches(read('.env.example'), /^#? ?([A-Z_]+)=/gm)) assert.ok(names.includes(name), name)
})

test('every setting of the server is in the table, as the server has it, and none that is gone', () => {
  const described = rowsUnder(read('docs/reference/server-settings.md'), 'variable')
  const existing = Object.values(settingsTable).map(({ variable, flag, fallback, help }) => {
    return [variable, `\`${flag}\``, fallback === '' ? 'nothing' : `\`${fallback}\``, help]
  })
  assert.deepEqual(described, existing)
})

test('every refusal has a section with its step, its answer and why, and no section is about one that is gone', () => {
  const described = sections(read('docs/reference/refusals.md'))
  assertDescribed(described, Object.keys(refusals), 'refusals.md')
  for (const { code, step, answer, why } of Object.values(refusals)) {
    const wire = `[\`${answer.code}\`](problems.md#${answer.code})`
    assertSays(described, code, `Step \`${step}\`, answered ${answer.status} ${wire}. ${why}`)
  }
})

test('every error has a section, and no section is about one that is gone', () => {
  const [union = ''] = /type ErrorCode =(?:\s*\| '\w+')+/.exec(read('packages/latchkey/src/error.ts')) ?? []
  assertDescribed(sections(read('docs/reference/errors.md')), matches(union, /'(\w+)'/g), 'errors.md')
})

test('every problem has a section with its status, and no section is about one that is gone', () => {
  const answers: [code: string, status: string][] = Object.values(refusals).map(({ answer }) => {
    return [answer.code, String(answer.status)]
  })
  const places = [
    'packages/latchkey/src/problem/*.ts',
    'packages/latchkey-server/src/http/**/*.ts',
    'examples/*/src/**/*.ts',
  ]
  const sources = globSync(places, { cwd: root }).map(read)
  // Errors of the library, as the server answers them.
  const answered = read('packages/latchkey-server/src/http/route/errors.ts')
  for (const [, code, status] of answered.matchAll(/^ {2}(\w+): (\d{3}),$/gm)) answers.push([code!, status!])
  for (const source of sources) {
    // `valid: true, code: 'accepted'` is no problem.
    for (const code of matches(source, /(?<!true, )\bcode: '(\w+)'/g)) answers.push([code, ''])
    for (const [, status, code] of source.matchAll(/\bstatus: (\d{3}),\s*code: '(\w+)'/g))
      answers.push([code!, status!])
  }
  const described = sections(read('docs/reference/problems.md'))
  const codes = answers.map(([code]) => code)
  assertDescribed(described, codes, 'problems.md')
  for (const [code, status] of answers) assertSays(described, code, `Status ${status}`)
})

test('every proof and every benchmark has a row, and no row is about one that is gone', () => {
  const rows = (command: string): readonly string[] =>
    rowsUnder(read('CONTRIBUTING.md'), `\`npm run ${command} -- …\``).map(([name]) => name!)
  const proofs = matches(read('bench/proofs.ts'), /import\('\.\/proofs\/([a-z-]+)\.ts'\)/g)
  assert.notEqual(proofs.length, 0)
  assert.deepEqual(sorted(rows('prove')), sorted(proofs))
  const named = rowsUnder(read('README.md'), '`npm run prove -- …`').map(([name]) => name!)
  assert.deepEqual(sorted(named), sorted(proofs), 'the proofs that README.md names')
  assert.deepEqual(sorted(rows('bench')), sorted(Object.keys(benchmarks)))
})

test('the page of performance has every line of every benchmark, with its goal, and none that is gone', () => {
  const shown = read('docs/reference/performance.md')
    .split(/^(?=## )/m)
    .slice(1)
    .map((section) => {
      const { headings, tables } = readPage(section)
      return [headings[0]!.text, (tables[0]?.rows ?? []).map(([name, , goal]) => `${name}: ${goal}`)]
    })
  const has = Object.entries(benchmarks).map(([name, { lines }]) => {
    return [name, lines.map((line) => `${line.name.trim()}: ${goalOf(line)}`)]
  })
  assert.deepEqual(shown, has, '`npm run bench -- NAME --write` writes a section anew')
})

test('every route of the HTTP API is described with its scope, and none that is gone', async () => {
  const { keyring } = await testKeyring({ scopes: {} })
  const app = Fastify(serverOptions)
  await app.register(latchkeyServer, { keyring, prefix: '/latchkey' })
  await app.ready()
  const document = (await app.inject('/latchkey/openapi.json')).json() as {
    paths: Record<string, Record<string, { security: Record<string, readonly string[]>[] }>>
  }
  const served = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { security }]) => {
      // One of the alternatives is enough, and of each all scopes are needed.
      const wanted = security.map((one) =>
        Object.values(one)
          .flat()
          .map((scope) => `\`${scope}\``)
          .join(' and '),
      )
      const named = [...new Set(wanted)].join(' or ')
      const who = security.length === 0 ? 'open' : named === '' ? 'any admin key' : named
      return `${method.toUpperCase()} ${path.replace(/^\/latchkey/, '')}: ${who}`
    }),
  )
  const rows = rowsUnder(read('docs/guides/http-api.md'), 'route')
  assert.deepEqual(sorted(rows.map(([route, scope]) => `${route}: ${scope}`)), sorted(served))
  await app.close()
  await keyring.close()
})

/** What a block of code may be. `ts` is compiled and run, see examples.test.ts. */
const languages = new Set([
  'dockerfile',
  'http',
  'ini',
  'js',
  'json',
  'nginx',
  'python',
  'sh',
  'sql',
  'text',
  'ts',
  'yaml',
])

for (const [path, page] of pages) {
  const { blocks, faults, names } = readPage(page)

  test(`${path}: tables and blocks are well formed, and blocks name their language`, () => {
    assert.deepEqual(faults, [])
    for (const { line, language } of blocks) assert.ok(languages.has(language), `line ${line}: ${language}`)
  })

  test(`${path}: links and images lead somewhere, and what it names exists`, () => {
    assert.deepEqual(brokenLinks({ root, path, markdown: page }), [])
    for (const name of names) {
      const [file] = /^(?:packages|examples|bench|check|docs|test)\/[^\s<>*]*$/.exec(name) ?? []
      if (file !== undefined) assert.ok(existsSync(join(root, file)), `${file} exists`)
    }
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const script of matches(page, /\bnpm (?:run )?((?<=run )[\w:-]+|start\b|test\b)/g)) {
      assert.ok(script in scripts, `npm run ${script} exists`)
    }
  })
}

test('decisions are numbered without a gap, each is linked, and says context, decision, alternatives, consequences', () => {
  const decisions = globSync('docs/decisions/*.md', { cwd: root }).toSorted()
  for (const [index, path] of decisions.entries()) {
    const number = index + 1
    assert.ok(path.startsWith(`docs/decisions/${String(number).padStart(4, '0')}-`), path)
    const [title, ...parts] = readPage(read(path)).headings.map(({ text }) => text)
    assert.ok(title?.startsWith(`${number}. `), path)
    assert.deepEqual(parts, ['Context', 'Decision', 'Alternatives', 'Consequences'], path)
    const name = path.slice(path.lastIndexOf('/') + 1)
    const leads = [...pages].some(([other, page]) => {
      return other !== path && readPage(page).links.some(({ target }) => target.endsWith(`/${name}`) || target === name)
    })
    assert.ok(leads, `${path} is linked from another page`)
  }
})

test('a forgotten guard stops the start with the line that the README shows', async () => {
  const { keyring } = await testKeyring({ scopes: {} })
  const app = Fastify()
  await app.register(fastifyGuard(keyring).plugin)
  app.get('/health', () => ({ ok: true }))
  const { message } = await app.ready().then(
    () => assert.fail('it started'),
    (error: Error) => error,
  )
  assert.ok(read('README.md').includes(`\n${message}\n`), message)
})
