// The documents say what is so. What is found in code is compared with what is described, both ways.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import { refusals } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { latchkeyServer, serverOptions } from 'latchkey-server'
import { testKeyring } from 'latchkey/testing'
import { readSettings } from '../examples/process-api/src/settings.ts'
import { settingsTable } from '../packages/latchkey-server/src/config.ts'

const root = dirname(import.meta.dirname)
const execute = promisify(execFile)

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const pages: ReadonlyMap<string, string> = new Map(
  globSync('**/*.md', { cwd: root, exclude: ['**/node_modules', '**/dist'] }).map((path) => [path, read(path)]),
)

/** A page without its blocks of code. */
const proseOf = (page: string): string => page.replaceAll(/^```.*?^```$/gms, '')

/** The sections under headings of one level whose title is nothing but a name in backticks. */
function sections(page: string, level = 2): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const part of page.split(new RegExp(`^(?=#{1,${level}} )`, 'm'))) {
    const [, marks, name] = /^(#+) `([^`]+)`\n/.exec(part) ?? []
    if (name !== undefined && marks?.length === level) found.set(name, part)
  }
  return found
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
  const names = matches(read('examples/process-api/src/settings.ts'), /^ {2}([A-Z_]+): Type\./gm)
  const described = sections(read('docs/reference/settings.md'))
  assertDescribed(described, names, 'settings.md')
  for (const [name, value] of Object.entries(readSettings({}))) assertSays(described, name, `Default: \`${value}\`.`)
  for (const name of matches(read('.env.example'), /^#? ?([A-Z_]+)=/gm)) assert.ok(names.includes(name), name)
})

test('every setting of the server is in the table, as the server has it, and none that is gone', () => {
  const plain = (line: string): string => line.replaceAll(/\s+/g, ' ')
  const described = matches(read('docs/reference/server-settings.md'), /^(\| `.*)$/gm).map(plain)
  const existing = Object.values(settingsTable).map(({ variable, flag, fallback, help }) => {
    return `| \`${variable}\` | \`${flag}\` | ${fallback === '' ? 'nothing' : `\`${fallback}\``} | ${help} |`
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
    'packages/latchkey-server/src/http/*.ts',
    'examples/*/src/**/*.ts',
  ]
  const sources = globSync(places, { cwd: root }).map(read)
  // Errors of the library, as the server answers them.
  const answered = read('packages/latchkey-server/src/http/errors.ts')
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

test('every export has a section, every type is named, and none is described that is gone', async () => {
  const manifest = JSON.parse(read('packages/latchkey/package.json')) as { exports: Record<string, unknown> }
  const specifiers = Object.keys(manifest.exports).map((path) => `latchkey${path.slice(1)}`)
  const described = sections(read('docs/reference/exports.md'))
  assertDescribed(described, specifiers, 'exports.md')
  for (const specifier of specifiers.filter((name) => !name.endsWith('.json'))) {
    const section = described.get(specifier)!
    const values = (await import(specifier)) as object
    assertDescribed(sections(section, 3), Object.keys(values), specifier)

    const source = read(`packages/latchkey/src${specifier === 'latchkey' ? '/index' : specifier.slice(8)}.ts`)
    const declared = matches(source, /^export (?:interface|type) (\w+)/gm)
    const passedOn = matches(source, /^export type \{([^}]+)\}/gm).flatMap((names) => names.match(/\w+/g) ?? [])
    const [, listed = ''] = section.split(/^### Types of .*$/m)
    assert.deepEqual(matches(listed, /`(\w+)`/g), sorted([...declared, ...passedOn]), `the types of ${specifier}`)
  }
})

test('every proof and every benchmark has a row, and no row is about one that is gone', () => {
  const rows = (command: string): readonly string[] => {
    const [, table = ''] = read('CONTRIBUTING.md').split(`| \`npm run ${command} -- …\``)
    return matches(table.split('\n\n', 1)[0] ?? '', /^\| `([a-z-]+)`/gm)
  }
  const proofs = matches(read('bench/prove.ts'), /import\('\.\/proofs\/([a-z-]+)\.ts'\)/g)
  const benchmarks = matches(read('bench/bench.ts'), /^import \{ (?:[a-z]+) \} from '\.\/benchmarks\/([a-z-]+)\.ts'/gm)
  assert.ok(proofs.length > 0 && benchmarks.length > 0)
  assert.deepEqual(sorted(rows('prove')), sorted(proofs))
  assert.deepEqual(sorted(rows('bench')), sorted(benchmarks))
})

test('every verb of a keyring is described', async () => {
  const { keyring } = await testKeyring({ scopes: {} })
  const verbs = Object.entries(keyring).filter(([, member]) => typeof member === 'function')
  const section = sections(read('docs/reference/exports.md'), 3).get('openKeyring') ?? ''
  assert.deepEqual(
    sorted(matches(section, /^\| `(\w+)`/gm)),
    sorted(verbs.map(([name]) => name)),
    'the verbs under openKeyring',
  )
  await keyring.close()
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
      const wanted = security.flatMap((one) => Object.values(one).flat())
      const named = wanted.map((scope) => `\`${scope}\``).join(' or ')
      return `${method.toUpperCase()} ${path.replace(/^\/latchkey/, '')}: ${named === '' ? 'open' : named}`
    }),
  )
  const rows = read('docs/guides/http-api.md').matchAll(/^\| `([A-Z]+ \/[^`]*)`\s*\| ([^|]+?)\s*\|/gm)
  assert.deepEqual(sorted([...rows].map(([, route, scope]) => `${route}: ${scope}`)), sorted(served))
  await app.close()
  await keyring.close()
})

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): readonly string[] {
  const seen = new Map<string, number>()
  return matches(proseOf(page), /^#+ (.+)$/gm).map((title) => {
    const anchor = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  })
}

for (const [path, page] of pages) {
  test(`${path}: links and images lead somewhere, and what it names exists`, () => {
    for (const link of matches(proseOf(page), /\]\(([^()\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue
      const [file = '', anchor] = link.split('#')
      const target = file === '' ? join(root, path) : resolve(root, dirname(path), file)
      assert.ok(existsSync(target), `${link} exists`)
      if (anchor === undefined) continue
      assert.ok(anchorsOf(readFileSync(target, 'utf8')).includes(anchor), `${link} has a heading`)
    }
    const folders = /`((?:packages|examples|bench|check|docs|test)\/[^`\s<>*]*)`/g
    for (const name of matches(proseOf(page), folders)) assert.ok(existsSync(join(root, name)), `${name} exists`)

    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    for (const script of matches(page, /\bnpm (?:run )?((?<=run )[\w:-]+|start\b|test\b)/g)) {
      assert.ok(script in scripts, `npm run ${script} exists`)
    }
  })
}

test('decisions are numbered without a gap, and each says context, decision, alternatives and consequences', () => {
  const decisions = globSync('docs/decisions/*.md', { cwd: root }).toSorted()
  for (const [index, path] of decisions.entries()) {
    const number = index + 1
    assert.ok(path.startsWith(`docs/decisions/${String(number).padStart(4, '0')}-`), path)
    const titles = matches(read(path), /^#+ (.+)$/gm)
    assert.ok(titles[0]?.startsWith(`${number}. `), path)
    assert.deepEqual(titles.slice(1), ['Context', 'Decision', 'Alternatives', 'Consequences'], path)
  }
})

// Examples are written where `latchkey` is found as users would find it, and where neither git nor a check looks.
mkdirSync(join(root, 'dist'), { recursive: true })
const scratch = mkdtempSync(join(root, 'dist', 'docs-'))
after(() => rmSync(scratch, { recursive: true }))

const examplesOf = (path: string): readonly string[] => matches(read(path), /^```ts\n(.*?)^```$/gms)

/** Runs a module among the examples, in a process and a folder of its own, and answers what it printed. */
async function run(name: string, source: string, environment: NodeJS.ProcessEnv = {}): Promise<string> {
  writeFileSync(join(scratch, name), source)
  const { stdout } = await execute(process.execPath, ['--conditions=@latchkey/source', name], {
    cwd: scratch,
    env: { ...process.env, ...environment },
    timeout: 30_000,
  })
  return stdout
}

/** The status of each request, in the order of the requests. */
function probe(example: string, requests: readonly object[]): string {
  return `${example}
    const statuses: number[] = []
    for (const request of ${JSON.stringify(requests)}) statuses.push((await app.inject(request)).statusCode)
    console.log(JSON.stringify(statuses))`
}

const lastLine = (output: string): unknown => JSON.parse(output.trimEnd().split('\n').at(-1) ?? '')

test('every example in TypeScript type-checks', async () => {
  const folder = join(scratch, 'types')
  mkdirSync(folder)
  for (const path of pages.keys()) {
    for (const [index, example] of examplesOf(path).entries()) {
      // A module is what it would be in a file of its own, whether or not it imports anything.
      const name = `${path.replaceAll(/\W/g, '-')}-${index + 1}.ts`
      writeFileSync(join(folder, name), `${example}\nexport {}\n`)
    }
  }
  const settings = { extends: join(root, 'tsconfig.json'), include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } }
  const compiler = join(dirname(manifest), bin.tsc)
  const checked = execute(process.execPath, [compiler, '-p', folder], { timeout: 60_000 })
  await checked.catch(({ stdout }: { stdout: string }) => assert.fail(stdout))
})

test('the lines that protect a route protect it', async () => {
  const [example = ''] = examplesOf('README.md')
  const listen = 'await app.listen({ port: 3000 })'
  assert.ok(example.includes(listen))
  // With the key that the example has just issued, and without.
  const withKey = example.replace(
    listen,
    "console.log((await app.inject({ url: '/orders', headers: { 'X-API-Key': secret } })).body)",
  )
  const output = await run('protected.ts', probe(withKey, [{ url: '/orders' }]))
  assert.match(output, /^lk_live_\w{38}\n\{"owner":"acme"\}\n\[401\]\n$/)
})

test("the note's service in Latchkey's form answers as the note's does", async () => {
  const [, example = ''] = examplesOf('README.md')
  const key = randomBytes(24).toString('base64')
  const headers = { 'X-API-Key': key }
  const call = { method: 'POST', url: '/process' }
  const requests = [
    { ...call, headers, payload: { status: 'SUCCESS' } },
    { ...call, headers, payload: { status: 'FAILURE' } },
    { ...call, headers, payload: {} },
    { ...call, headers: { 'X-API-Key': key.toLowerCase() }, payload: { status: 'SUCCESS' } },
    { ...call, payload: { status: 'SUCCESS' } },
  ]
  const output = await run('note.ts', probe(example, requests), { SERVICE_API_KEY: key })
  assert.deepEqual(lastLine(output), [200, 500, 422, 401, 401])
})

test('every example of the package and of the guides runs to its end', async () => {
  const guides = globSync('docs/guides/*.md', { cwd: root })
  const examples = ['packages/latchkey/README.md', ...guides].flatMap(examplesOf)
  assert.ok(examples.length > guides.length)
  await Promise.all(examples.map((example, index) => run(`example-${index + 1}.ts`, example)))
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
