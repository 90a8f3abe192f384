// The examples in the documents are programs that do what is said of them.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { readPage } from './markdown.ts'

const root = dirname(import.meta.dirname)
const execute = promisify(execFile)
const pages = globSync('**/*.md', { cwd: root, exclude: ['**/node_modules', '**/dist'] })

// Examples are written where `latchkey` is found as users would find it, and where neither git nor a check looks.
mkdirSync(join(root, 'dist'), { recursive: true })
const scratch = mkdtempSync(join(root, 'dist', 'docs-'))
after(() => rmSync(scratch, { recursive: true }))

const examplesOf = (path: string): readonly string[] =>
  readPage(readFileSync(join(root, path), 'utf8'))
    .blocks.filter(({ language }) => language === 'ts')
    .map(({ code }) => code)

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
  for (const path of pages) {
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

test('every other example runs to its end', async () => {
  const examples = pages.filter((path) => path !== 'README.md').flatMap(examplesOf)
  assert.ok(examples.length > 0)
  await Promise.all(examples.map((example, index) => run(`example-${index + 1}.ts`, example)))
})
