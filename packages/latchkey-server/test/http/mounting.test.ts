import assert from 'node:assert/strict'
import { test } from 'node:test'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { adminScopes } from 'latchkey'
import { fastifyGuard, securitySchemes } from 'latchkey/guard/fastify'
import { problems } from 'latchkey/problem/fastify'
import type { TestKeyring } from 'latchkey/testing'
import { testKeyring } from 'latchkey/testing'
import { latchkeyServer, serverOptions } from '../../src/index.ts'
import { everything, scopes } from '../stage.ts'

interface Mounted extends TestKeyring<keyof typeof scopes> {
  readonly app: FastifyInstance
}

/** An application with a guard, errors, documents and ways of its own, and the server in it. */
async function mounted(more: (app: FastifyInstance) => void = () => undefined): Promise<Mounted> {
  const keys = await testKeyring({ scopes })
  const guard = fastifyGuard(keys.keyring)
  const app = Fastify(serverOptions)
  await app.register(problems)
  await app.register(guard.plugin)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Shop', version: '1' },
      components: { securitySchemes: securitySchemes(keys.keyring) },
    },
  })
  await app.register(guard.openly(swaggerUi), { routePrefix: '/docs' })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, _body, done) =>
    done(null, {}),
  )
  app.get('/orders', { onRequest: guard.requires('orders:read') }, () => ({ orders: [] }))
  app.get('/openapi.json', { onRequest: guard.open, schema: { hide: true } }, () => app.swagger())
  more(app)
  await app.register(latchkeyServer, { prefix: '/latchkey', keyring: keys.keyring })
  return { ...keys, app }
}

async function adminHeaders({ keyring }: TestKeyring<keyof typeof scopes>): Promise<Readonly<Record<string, string>>> {
  const all = Object.keys(adminScopes) as (keyof typeof adminScopes)[]
  const issued = await keyring.issue({
    name: 'Admin',
    owner: 'me',
    environment: 'admin',
    scopes: all,
    delegation: everything,
  })
  return { 'x-api-key': issued.secret }
}

test('under a prefix the server issues keys for the application that it is mounted in', async () => {
  const stage = await mounted()
  const headers = await adminHeaders(stage)
  const payload = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] }
  const issued = await stage.app.inject({ method: 'POST', url: '/latchkey/v1/keys', headers, payload })
  assert.equal(issued.statusCode, 201, issued.body)
  const { location } = issued.headers
  assert.equal((await stage.app.inject({ url: String(location), headers })).statusCode, 200)
  const key = { 'x-api-key': issued.json().secret as string }
  assert.equal((await stage.app.inject({ url: '/orders', headers: key })).statusCode, 200)
  assert.equal(
    (await stage.app.inject({ url: '/latchkey/v1/keys', headers: key })).statusCode,
    403,
    'an application key',
  )
  assert.equal((await stage.app.inject({ url: '/orders', headers })).statusCode, 403, 'an admin key')
  assert.equal((await stage.app.inject('/v1/keys')).statusCode, 404)
  await stage.app.close()
})

test('each has its own documents: neither shows a route of the other', async () => {
  const { app } = await mounted()
  const theirs = (await app.inject('/openapi.json')).json()
  assert.deepEqual(Object.keys(theirs.paths), ['/orders'])
  const ours = (await app.inject('/latchkey/openapi.json')).json()
  assert.equal(ours.info.title, 'Latchkey')
  assert.deepEqual(ours.servers, [{ url: '/latchkey' }])
  assert.ok('/v1/keys' in ours.paths && !('/orders' in ours.paths))
  assert.match((await app.inject('/latchkey/docs')).body, /<title>Latchkey</)
  assert.match((await app.inject('/docs')).body, /<title>(?!Latchkey)/)
  await app.close()
})

test('what it does to answers and bodies ends where it is mounted', async () => {
  const { app } = await mounted()
  const { headers } = await app.inject('/orders')
  assert.equal(headers['x-frame-options'], undefined)
  const form = {
    method: 'POST',
    payload: 'a=1',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  } as const
  const stage = await app.inject({ ...form, url: '/latchkey/v1/verify' })
  assert.equal(stage.statusCode, 401, 'nobody reads a body before there is a key')
  const nothing = await app.inject('/latchkey/nothing')
  assert.deepEqual(
    [nothing.statusCode, nothing.json().code, nothing.headers['x-frame-options']],
    [404, 'not_found', 'DENY'],
  )
  const wrong = await app.inject({ method: 'DELETE', url: '/latchkey/v1/keys' })
  assert.deepEqual([wrong.statusCode, wrong.headers['allow']], [405, 'GET, HEAD, POST'])
  assert.equal((await app.inject('/nothing')).headers['x-frame-options'], undefined)
  await app.close()
})

test("the application's own undeclared route still stops the start", async () => {
  const { app } = await mounted((one) => void one.get('/forgotten', () => 'oops'))
  await assert.rejects(async () => app.ready(), /GET \/forgotten: neither requires/)
})

test('an undeclared route in the server stops the start, wherever it is mounted', async () => {
  const { keyring } = await testKeyring({ scopes })
  const app = Fastify(serverOptions)
  await app.register(
    async (scope) => {
      await latchkeyServer(scope, { keyring })
      scope.get('/forgotten', () => 'oops')
    },
    { prefix: '/latchkey' },
  )
  await assert.rejects(async () => app.ready(), /GET \/latchkey\/forgotten: neither requires/)
})

test('an application without a guard, without problem documents, with plain Fastify, gets all of it in the server', async () => {
  const keys = await testKeyring({ scopes })
  const app = Fastify()
  app.get('/', () => 'mine')
  await app.register(latchkeyServer, { prefix: '/latchkey', keyring: keys.keyring })
  const headers = await adminHeaders(keys)
  const payload = { name: 5, owner: 'acme', scopes: [] }
  const refused = await app.inject({ method: 'POST', url: '/latchkey/v1/keys', headers, payload })
  assert.equal(refused.statusCode, 422, 'a number is not a text, whatever the application makes of it')
  assert.equal(refused.headers['content-type'], 'application/problem+json; charset=utf-8')
  assert.equal((await app.inject('/latchkey/v1/keys')).statusCode, 401)
  assert.equal((await app.inject('/')).body, 'mine')
  assert.match((await app.inject('/nothing')).body, /Route GET:\/nothing not found/)
  await app.close()
})

test("the application's own lines name the admin key that called", async () => {
  const keys = await testKeyring({ scopes })
  let log = ''
  const app = Fastify({ ...serverOptions, logger: { stream: { write: (line: string) => void (log += line) } } })
  await app.register(latchkeyServer, { prefix: '/latchkey', keyring: keys.keyring })
  const headers = await adminHeaders(keys)
  const [admin] = (await keys.keyring.list()).keys
  await app.inject({ url: '/latchkey/v1/keys', headers })
  assert.match(log, new RegExp(`"keyId":"${admin?.id}".*"msg":"request completed"`))
  const known = log.length
  await app.inject({ url: '/latchkey/v1/keys' })
  assert.doesNotMatch(log.slice(known), /keyId":"key_/)
  await app.close()
})

test('the path that it is mounted at leads to its documents, with and without a slash', async () => {
  const { app } = await mounted()
  for (const url of ['/latchkey', '/latchkey/']) {
    const answer = await app.inject(url)
    assert.deepEqual([answer.statusCode, answer.headers.location], [302, '/latchkey/docs'], url)
  }
  await app.close()
})
