// The examples in the documents are programs that do what is said of them.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { compose } from '../packages/latchkey-server/src/compose.ts'
import { readSettings } from '../packages/latchkey-server/src/config.ts'
import { firstAdminKey } from '../packages/latchkey-server/src/first-admin-key.ts'
import { freePort } from './free-port.ts'
import { kill } from './kill.ts'
import { readPage } from './markdown.ts'
import { beforeRemoval, temporaryFolder } from './temporary-folder.ts'
import { typeCheck } from './type-check.ts'

const root = dirname(import.meta.dirname)
const execute = promisify(execFile)
// The pages of the reference have the examples of doc comments: see doc-examples.test.ts.
const pages = globSync('**/*.md', { cwd: root, exclude: ['**/node_modules', '**/dist', 'docs/reference/api'] })

/** Pages of which every example has a test of its own. */
const runAbove: ReadonlySet<string> = new Set([
  'README.md',
  'docs/guides/testing-your-routes.md',
  'docs/guides/hono.md',
  'docs/guides/express.md',
  'docs/guides/nest.md',
  'docs/guides/fetch.md',
  'docs/guides/client.md',
])

// Examples are written where `latchkey` is found as users would find it, and where neither git nor a check looks.
const scratch = temporaryFolder('docs', { within: join(root, 'dist') })

const examplesOf = (path: string): readonly string[] =>
  readPage(readFileSync(join(root, path), 'utf8'))
    .blocks.filter(({ language }) => language === 'ts' || language === 'js')
    .map(({ code }) => code)

/** Runs a module among the examples, in a process and a folder of its own, and answers what it printed. */
async function run(name: string, source: string): Promise<string> {
  writeFileSync(join(scratch, name), source)
  const { stdout } = await execute(process.execPath, ['--conditions=@latchkey/source', name], {
    cwd: scratch,
    // An example may be a test itself, which then says what it came to as it does for a reader.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    timeout: 120_000,
  })
  return stdout
}

/** A program whose decorators were compiled, as those of Nest must be. */
async function compiled(source: string): Promise<string> {
  writeFileSync(join(scratch, 'compiled.ts'), source)
  const settings = ['--experimentalDecorators', '--noCheck', '--noResolve', '--module', 'esnext', '--target', 'es2024']
  await execute('tsc', [...settings, '--ignoreConfig', '--outDir', 'compiled', 'compiled.ts'], { cwd: scratch })
  return readFileSync(join(scratch, 'compiled', 'compiled.js'), 'utf8')
}

test('the examples of the client run against a server', async (context) => {
  const settings = readSettings({ environment: { LATCHKEY_STORE: 'sqlite::memory:' } })
  const { app, keyring, close } = await compose(settings)
  context.after(close)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const key = JSON.stringify((await firstAdminKey(keyring)) ?? '')
  const printed: string[] = []
  for (const [index, example] of examplesOf('docs/guides/client.md').entries()) {
    const source = example.replace('http://127.0.0.1:8080', url).replace("process.env['LATCHKEY_ADMIN_KEY'] ?? ''", key)
    printed.push(await run(`client-${index + 1}.ts`, source))
  }
  assert.deepEqual([printed[0], printed[2]], ['true\n', '2\n'])
  assert.match(printed[1] ?? '', /^key_\S+ Shop\n$/)
})

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
  await typeCheck(folder)
})

test('the lines that protect a route run in a project of one’s own, and issue a key once', async () => {
  const project = temporaryFolder('project')
  const npm = async (folder: string, ...values: readonly string[]): Promise<void> => {
    await execute('npm', [...values, '--silent', '--offline', '--no-audit', '--no-fund'], { cwd: folder })
  }
  // As the page says: a project of CommonJS, as `npm init -y` makes it, and the package as it is packed.
  await npm(project, 'init', '-y')
  await npm(root, 'pack', '-w', 'latchkey', '--pack-destination', project)
  await npm(project, 'install', './latchkey-0.1.0.tgz')
  symlinkSync(join(root, 'node_modules', 'fastify'), join(project, 'node_modules', 'fastify'))

  const [example = ''] = examplesOf('README.md')
  const port = await freePort()
  writeFileSync(join(project, 'orders.mjs'), example.replaceAll('3000', String(port)))
  const first = await started(project, ['orders.mjs'], port)
  const [, header = ''] = /^curl http:\S+ -H "X-API-Key: (lk_live_\w{38})"\n$/.exec(first.printed()) ?? []
  const ask = async (secret: string): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/orders`, { headers: { 'X-API-Key': secret } })
    return answer.status === 200 ? answer.json() : answer.status
  }
  assert.deepEqual([await ask(header), await ask('nothing')], [{ owner: 'acme' }, 401])
  await first.stop()
  const second = await started(project, ['orders.mjs'], port)
  assert.equal(second.printed(), '', 'no key at another start')
  assert.deepEqual(await ask(header), { owner: 'acme' })
  await second.stop()
})

test("the note's service in Latchkey's form listens, and answers as the note's does", async () => {
  const [, example = ''] = examplesOf('README.md')
  const folder = temporaryFolder('note', { within: scratch })
  const key = randomBytes(24).toString('base64')
  const port = await freePort()
  writeFileSync(join(folder, '.env'), `SERVICE_API_KEY=${key}\n`)
  writeFileSync(join(folder, 'service.mts'), example.replaceAll('8000', String(port)))
  const service = await started(folder, ['--conditions=@latchkey/source', 'service.mts'], port)
  const statuses: number[] = []
  for (const [given, body] of [
    [key, { status: 'SUCCESS' }],
    [key, { status: 'FAILURE' }],
    [key, {}],
    [key.toLowerCase(), { status: 'SUCCESS' }],
    ['', { status: 'SUCCESS' }],
  ] as const) {
    const headers = { 'Content-Type': 'application/json', ...(given === '' ? {} : { 'X-API-Key': given }) }
    const call = { method: 'POST', headers, body: JSON.stringify(body) }
    statuses.push((await fetch(`http://127.0.0.1:${port}/process`, call)).status)
  }
  assert.deepEqual(statuses, [200, 500, 422, 401, 401])
  await service.stop()
})

test('the guide to documenting shows what its example prints', async () => {
  const page = 'docs/guides/documenting-your-api.md'
  const [example = ''] = examplesOf(page)
  const shown = readPage(readFileSync(join(root, page), 'utf8')).blocks.find(({ language }) => language === 'json')
  assert.deepEqual(JSON.parse(await run('documented.ts', example)), JSON.parse(shown?.code ?? ''))
})

test('the guide to testing has tests that pass', async () => {
  const [example = ''] = examplesOf('docs/guides/testing-your-routes.md')
  assert.match(await run('tested.ts', example), /^ℹ pass 4$/m)
})

test('the guides to Hono, Express and Nest have a service that checks keys, and documents that it does', async () => {
  const asked = `
    if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as import('node:net').AddressInfo
    const { secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
    const ask = async (path: string, key: string): Promise<unknown> => {
      const answer = await fetch(\`http://127.0.0.1:\${port}\${path}\`, { headers: { 'X-API-Key': key } })
      return answer.status === 200 ? answer.text() : answer.status
    }
    console.log(JSON.stringify([
      await ask('/orders/1', secret), await ask('/orders/1', 'x'), await ask('/reports/daily', 'x'), await ask('/health', ''),
      Object.values(document.paths).map(({ get }) => 'security' in get && get.security),
    ]))
    server.close()
    await keyring.close()`
  for (const name of ['hono', 'express', 'nest']) {
    const [example = ''] = examplesOf(`docs/guides/${name}.md`)
    const program = example.replace('3000', '0') + asked
    const printed = await (name === 'nest' ? run('nest.js', await compiled(program)) : run(`${name}.ts`, program))
    assert.deepEqual(
      JSON.parse(printed.split('\n').at(-2) ?? ''),
      ['{"id":"1","owner":"acme"}', 401, 401, 'ok', [[{ ApiKey: ['orders:read'] }]]],
      name,
    )
  }
  await run('hono-address.ts', examplesOf('docs/guides/hono.md')[1] ?? assert.fail())
})

test('the guide to handlers of Requests has one that checks keys, and a test that passes', async () => {
  const [handlers = '', tested = ''] = examplesOf('docs/guides/fetch.md')
  const asked = `
    const { secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
    const request = new Request('https://api.example.com/orders/1', { headers: { 'X-API-Key': secret } })
    const context = { params: Promise.resolve({ id: '1' }) }
    console.log(await (await GET(request, context)).text(), (await GET(new Request(request.url), context)).status, HEAD().status)
    await keyring.close()`
  assert.equal(await run('handlers.ts', handlers + asked), '{"id":"1","owner":"acme"} 401 200\n')
  assert.match(await run('handlers-tested.ts', tested), /^ℹ pass 1$/m)
})

/** A program of the documents that listens. */
interface Started {
  readonly printed: () => string
  readonly stop: () => Promise<void>
}

/** Starts a program in a folder, and answers when it listens. */
async function started(folder: string, words: readonly string[], port: number): Promise<Started> {
  const child = spawn(process.execPath, words, { cwd: folder })
  beforeRemoval(folder, () => kill(child))
  const ended = once(child, 'close')
  let printed = ''
  let complaints = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaints += chunk))
  while (!(await listens(port))) assert.equal(child.exitCode, null, complaints)
  return {
    printed: () => printed,
    async stop() {
      child.kill('SIGTERM')
      await ended
      assert.equal(complaints, '')
    },
  }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

test('every other example runs to its end', async () => {
  const examples = pages.filter((path) => !runAbove.has(path)).flatMap(examplesOf)
  assert.ok(examples.length > 0)
  const names = examples.map((_, index) => `example-${index + 1}.ts`)
  for (const [index, name] of names.entries()) writeFileSync(join(scratch, name), examples[index] ?? '')
  // One after the other in one process, which ends when all of them have.
  const printed = await run(
    'all.ts',
    `for (const name of ${JSON.stringify(names)}) {
    await import('./' + name)
    console.log('the end of ' + name)
  }`,
  )
  for (const name of names) assert.ok(printed.includes(`the end of ${name}`), name)
})
