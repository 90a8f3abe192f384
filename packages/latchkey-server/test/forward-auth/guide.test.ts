// docs/guides/forward-auth.md does what it says.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { noCurl, noFastapi, noNginx } from '../../../../test/machine.ts'
import { readPage } from '../../../../test/markdown.ts'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { readPoliciesFile } from '../../src/config/policies-file.ts'
import { workplace } from '../cli/running.ts'
import { inShell } from '../cli/shell.ts'
import { nginx } from './nginx.ts'
import { sendRaw } from './raw.ts'
import { openStand } from './stand.ts'

const root = join(import.meta.dirname, '../../../..')
const examples = join(root, 'examples', 'forward-auth')
const { blocks } = readPage(readFileSync(join(root, 'docs/guides/forward-auth.md'), 'utf8'))
const blocksIn = (language: string): readonly string[] =>
  blocks.filter((block) => block.language === language).map(({ code }) => code)

test('the configurations are those that the tests run', () => {
  const read = (file: string): string => readFileSync(join(examples, file), 'utf8').trimEnd()
  assert.ok(blocksIn('nginx').some((block) => block.trimEnd() === read('nginx/service.conf')))
  assert.deepEqual(
    blocksIn('text').map((block) => block.trimEnd()),
    [read('caddy/Caddyfile')],
  )
})

test('the policies are ones that the server takes', () => {
  const file = join(temporaryFolder('guide'), 'policies.json')
  const [policies = ''] = blocksIn('json')
  writeFileSync(file, policies)
  assert.equal(readPoliciesFile(file).must, undefined)
})

test('the first lines start a server that answers as the page says', { skip: noCurl() }, async () => {
  const [start = '', ask = ''] = blocksIn('sh')
  const listens = 'until [ -S forward-auth.sock ]; do kill -0 $! && sleep 0.05; done'
  const ran = await inShell(workplace(), `${start}\n${listens}\n${ask}\nkill $!; wait $!`, { PORT: '0' })
  assert.equal(ran.code, 0, ran.stderr)
  assert.match(ran.stdout, /^HTTP\/1\.1 200 OK\r$/m)
  assert.match(ran.stdout, /^x-latchkey-identity: [\w-]+\.[\w-]+\.[\w-]+\r$/m)
})

test('the lines in Python are a service', { skip: noFastapi() }, () => {
  const [service = ''] = blocksIn('python')
  const { status, stderr } = spawnSync(
    '/usr/bin/python3',
    ['-c', `${service}\nassert "/process" in app.openapi()["paths"]`],
    {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: join(examples, 'fastapi'), PYTHONDONTWRITEBYTECODE: '1' },
    },
  )
  assert.equal(status, 0, stderr)
})

test('nginx chooses a policy by the method, and answers a preflight itself', { skip: noNginx() }, async () => {
  const map = blocksIn('nginx').find((block) => block.startsWith('map ')) ?? ''
  const preflight = blocksIn('nginx').find((block) => block.startsWith('if ')) ?? ''
  const { port, issue, service } = await openStand({
    ...nginx,
    policies: { read: { scopes: ['orders:read'] }, write: { scopes: ['process:run'] } },
    replaced: (places) => ({
      ...nginx.replaced(places),
      'upstream latchkey {': `${map}\nupstream latchkey {`,
      '/v1/forward-auth/process/nginx': '/v1/forward-auth/$policy/nginx',
      '    auth_request /_latchkey;': `${preflight}\n    auth_request /_latchkey;`,
    }),
  })
  const reader = await issue({ scopes: ['orders:read'] })
  const statusOf = async (method: string): Promise<number> => {
    const headers = [
      ['X-API-Key', reader.secret],
      ['X-HTTP-Method-Override', 'GET'],
    ] as const
    return (await sendRaw(port, { line: `${method} /orders HTTP/1.1`, headers })).status
  }
  assert.equal(await statusOf('GET'), 200)
  for (const method of ['POST', 'DELETE', 'PATCH', 'PROPFIND']) assert.equal(await statusOf(method), 403, method)
  service.taken()
  assert.equal(await statusOf('OPTIONS'), 204)
  assert.deepEqual(service.taken(), [])
})
