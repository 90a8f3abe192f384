import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import type { CredentialPlace } from '../../src/guard/fastify.ts'
import { anyKey, fastifyGuard, logSerializers, securitySchemes } from '../../src/guard/fastify.ts'
import { problems } from '../../src/problem/fastify.ts'
import { testKeyring } from '../../src/testing.ts'
import { guardConformance, scopes } from '../conformance/guard.ts'

guardConformance('Fastify', async (verifier, { handled, puts, credential }) => {
  let log = ''
  const logger = {
    level: 'trace',
    serializers: logSerializers,
    stream: { write: (line: string) => void (log += line) },
  }
  const { plugin, requires, open, keyOf } = fastifyGuard(verifier, { credential })
  const app = Fastify({ logger })
  for (const name of Object.keys(puts)) app.decorateRequest(name, null)
  app.addHook('onRequest', async (request) => void Object.assign(request, puts))
  await app.register(plugin)
  const routes = {
    '/any': requires(anyKey),
    '/write': requires('orders:write'),
    '/both': requires('orders:read', 'orders:write'),
    '/either': requires({ anyOf: ['orders:write', 'reports:read'] }),
    '/test': requires({ environment: 'test' }, anyKey),
    '/several': requires({ environment: ['live', 'test'] }, anyKey),
    '/files/*': requires('orders:read'),
    '/*': requires(anyKey),
  }
  app.get('/open', { onRequest: open }, () => handled('/open', 'nobody') ?? 'done')
  for (const [path, onRequest] of Object.entries(routes)) {
    app.get(path, { onRequest }, (request) => handled(path, keyOf(request).id) ?? 'done')
  }
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  // One connection for all requests: what is remembered of it must not make a difference.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    async send({ path, headers = [] }) {
      const outgoing = httpRequest(address, { agent, path, headers: ['Host', 'test', ...headers.flat()] })
      const [incoming] = (await once(outgoing.end(), 'response')) as [IncomingMessage]
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await text(incoming) }
    },
    log: () => log,
    async close() {
      agent.destroy()
      await app.close()
    },
  }
})

async function start(
  declare: (app: FastifyInstance, guard: Awaited<ReturnType<typeof guarded>>) => unknown,
): Promise<FastifyInstance> {
  const guard = await guarded()
  const app = Fastify()
  await app.register(guard.plugin)
  await declare(app, guard)
  await app.ready()
  return app
}

async function guarded(): Promise<ReturnType<typeof fastifyGuard<keyof typeof scopes>>> {
  const { keyring } = await testKeyring({ scopes })
  return fastifyGuard(keyring)
}

test('no route is open by accident: undeclared ones stop the start, and all are named', async () => {
  const starting = start((app, { open }) => {
    app.get('/health', { onRequest: open }, () => 'ok')
    app.get('/forgotten', () => 'secret')
    app.register(async (inner) => inner.delete('/orders/:id', () => 'gone'), { prefix: '/v1' })
  })
  await assert.rejects(starting, {
    code: 'undeclared_route',
    message: /GET \/forgotten.*DELETE \/v1\/orders\/:id.*neither requires\(\.\.\.\) nor open/,
  })
})

test('a guard in another place than onRequest is no declaration', async () => {
  const starting = start((app, { requires }) => app.get('/late', { preHandler: requires(anyKey) }, () => 'x'))
  await assert.rejects(starting, { code: 'undeclared_route', message: /GET \/late/ })
})

test('two declarations on one route stop the start: they would be documented as alternatives', async () => {
  const starting = start((app, { requires, open }) => {
    app.get('/two', { onRequest: [requires('orders:read'), requires('orders:write')] }, () => 'x')
    app.get('/both', { onRequest: [open, requires(anyKey)] }, () => 'x')
  })
  await assert.rejects(starting, { code: 'undeclared_route', message: /GET \/two.*GET \/both.*more than once/ })
})

test('routes added before the guard stop the start', async () => {
  const { plugin } = await guarded()
  const app = Fastify()
  app.get('/early', () => 'x')
  await assert.rejects(async () => app.register(plugin), { code: 'undeclared_route', message: /early/ })
})

test('routes added in a scope before its guard stop the start too, those outside of it are not its own', async () => {
  const { plugin } = await guarded()
  const app = Fastify()
  app.get('/apiary', () => 'x')
  const scope = async (inner: FastifyInstance): Promise<void> => {
    inner.get('/early', () => 'x')
    await inner.register(plugin)
  }
  await assert.rejects(async () => app.register(scope, { prefix: '/api' }), {
    code: 'undeclared_route',
    message: /^(?!.*apiary).*\/api\/early/s,
  })
})

test('a route with requires(...) serves nobody while the plugin is forgotten', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { requires } = fastifyGuard(keyring)
  const app = Fastify()
  let handled = 0
  app.get('/orders', { onRequest: requires('orders:read') }, () => handled++)
  const answer = await app.inject({ url: '/orders', headers: await headersFor(['orders:read']) })
  assert.deepEqual([answer.statusCode, handled], [500, 0])
})

test('what requires(...) does not understand is refused, and never left out', async () => {
  const { requires } = await guarded()
  const wrong: readonly (readonly unknown[])[] = [
    [['orders:write']],
    [undefined],
    [null],
    [1],
    [new Set(['orders:write'])],
    [{}],
    [{ anyOf: [] }],
    [{ anyOf: 'orders:write' }],
    [{ anyOff: ['orders:write'], environment: 'live' }],
    [{ scopes: ['orders:write'] }],
    [{ environment: 'live' }, { anyOf: ['orders:write'] }],
    ['orders:read', { environment: 'live' }],
    [],
    [anyKey, anyKey],
    [anyKey, 'orders:read'],
    ['orders:read', anyKey],
    [{ anyOf: ['orders:read'] }, anyKey],
    [Symbol('anyKey')],
    [{ environment: 'live' }],
    [{ cost: 5 }],
    [{ anyOf: undefined }],
    [{ anyOf: null }],
    [{ anyOf: undefined }, 'orders:read'],
    [{ environment: undefined }, 'orders:read'],
    [{ environment: null }, 'orders:read'],
    [{ cost: undefined }, 'orders:read'],
    [{ anyOf: ['orders:read'], environment: undefined }],
    [{ cost: -1 }],
    [{ cost: 0.5 }],
  ]
  for (const wanted of wrong) {
    assert.throws(() => requires(...(wanted as [never])), { name: 'LatchkeyError' }, JSON.stringify(wanted))
  }
})

test('callers are told how their limits stand, not of those that only report, and of their old secret also when refused', async () => {
  const { keyring, clock } = await testKeyring({ scopes })
  const { plugin, requires } = fastifyGuard(keyring)
  const app = Fastify()
  await app.register(plugin)
  app.get('/orders', { onRequest: requires('orders:read') }, () => [])
  const limits = [
    { name: 'hour', limit: 1, window: 3600 },
    { name: 'watched', limit: 1, window: 3600, reportOnly: true },
  ]
  const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'], limits })
  const { oldEndsAt } = await keyring.rotate(key.id, { grace: 60 })
  const answers = [1, 2].map(async () => app.inject({ url: '/orders', headers: { 'X-API-Key': secret } }))
  const [accepted, refused] = await Promise.all(answers)
  assert.deepEqual([accepted?.statusCode, refused?.statusCode], [200, 429])
  for (const answer of [accepted, refused]) {
    assert.equal(answer?.headers['ratelimit-policy'], '"hour";q=1;w=3600')
    assert.equal(answer?.headers['ratelimit'], '"hour";r=0;t=3600')
    assert.equal(answer?.headers['deprecation'], `@${Math.floor(clock.now() / 1000)}`)
    assert.equal(answer?.headers['sunset'], new Date(oldEndsAt).toUTCString())
  }
  assert.equal(refused?.headers['retry-after'], '3600')
  assert.deepEqual(refused?.json()['violated-policies'], ['hour'])
})

test('a guard that was registered without await does not miss the routes after it', async () => {
  const { plugin } = await guarded()
  const app = Fastify()
  // The mistake that the test is about: no await.
  void app.register(plugin)
  app.get('/missed', () => 'x')
  await assert.rejects(async () => app.ready(), { code: 'undeclared_route' })
})

test('undeclared routes are allowed where the application says so', async () => {
  const { plugin } = fastifyGuard((await testKeyring({ scopes })).keyring, { unguarded: 'allow' })
  const app = Fastify()
  await app.register(plugin)
  app.get('/free', () => 'x')
  await app.ready()
  assert.equal((await app.inject('/free')).statusCode, 200)
})

test("somebody else's plugin can be declared open as a whole, and keeps its own hooks", async () => {
  let called = 0
  const theirs = async (app: FastifyInstance): Promise<void> => {
    app.get('/theirs', { onRequest: async () => void called++ }, () => 'x')
    app.get('/static/*', () => 'x')
  }
  const app = await start((inner, { openly }) => inner.register(openly(theirs), { prefix: '/docs' }))
  assert.equal((await app.inject('/docs/theirs')).statusCode, 200)
  assert.equal((await app.inject('/docs/static/a')).statusCode, 200)
  assert.equal(called, 1)
})

test('what openly opens is the plugin, not its neighbours', async () => {
  const starting = start(async (app, { openly }) => {
    await app.register(openly(async (inner: FastifyInstance) => void inner.get('/theirs', () => 'x')))
    app.get('/ours', () => 'x')
  })
  await assert.rejects(starting, {
    code: 'undeclared_route',
    message: 'GET /ours: neither requires(...) nor open in onRequest.',
  })
})

test('a scope that is not declared stops the start, at run time as it does at compile time', async () => {
  const { requires } = await guarded()
  // @ts-expect-error -- a misspelt scope does not compile
  assert.throws(() => requires('orders:raed'), { code: 'unknown_scope' })
  // @ts-expect-error -- nor among alternatives
  assert.throws(() => requires({ anyOf: ['orders:raed'] }), { code: 'unknown_scope' })
  // @ts-expect-error -- nor may a route ask for a wildcard
  assert.throws(() => requires('orders:*'), { code: 'unknown_scope' })
  for (const inherited of ['constructor', '__proto__', 'toString']) {
    assert.throws(() => requires(inherited as never), { code: 'unknown_scope' }, inherited)
  }
  for (const environment of ['prod', [], ['live', 'prod'], ['admin'], ['live', undefined]] as never[])
    assert.throws(() => requires({ environment }, anyKey), { code: 'invalid_input' })
})

test('keyOf is typed with the scopes of the keyring, and fails on a route without a guard', async () => {
  const app = await start((inner, { requires, open, keyOf }) => {
    inner.get('/typed', { onRequest: requires(anyKey) }, (request) => {
      const read: readonly ('orders:read' | 'orders:write' | 'reports:read')[] = keyOf(request).scopes
      // @ts-expect-error -- a verified key cannot have a scope that is not declared
      return read.includes('orders:raed')
    })
    inner.get('/open', { onRequest: open }, (request) => {
      assert.throws(() => keyOf(request), { code: 'unguarded_handler', message: /requires/ })
      return 'it failed'
    })
  })
  assert.equal((await app.inject('/open')).body, 'it failed')
})

test('one declaration: what is enforced is what is documented', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { plugin, requires, open } = fastifyGuard(keyring)
  const app = Fastify()
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', components: { securitySchemes: securitySchemes(keyring) } },
  })
  await app.register(plugin)
  const declared = {
    '/open': open,
    '/any': requires(anyKey),
    '/all': requires('orders:read', 'orders:write'),
    '/either': requires({ anyOf: ['orders:write', 'reports:read'] }, 'orders:read'),
  }
  for (const [path, onRequest] of Object.entries(declared)) app.get(path, { onRequest }, () => 'x')
  await app.ready()
  const { paths, components } = app.swagger() as unknown as {
    paths: Record<string, { get: { security: unknown; responses: Record<string, unknown> } }>
    components: { securitySchemes: Record<string, { name: string; description: string }> }
  }
  const documented = Object.fromEntries(Object.entries(paths).map(([path, { get }]) => [path, get.security]))
  assert.deepEqual(documented, {
    '/open': [],
    '/any': [{ ApiKey: [] }],
    '/all': [{ ApiKey: ['orders:read', 'orders:write'] }],
    '/either': [{ ApiKey: ['orders:read', 'orders:write'] }, { ApiKey: ['orders:read', 'reports:read'] }],
  })
  assert.deepEqual(Object.keys(paths['/open']?.get.responses ?? {}), ['200'])
  assert.deepEqual(Object.keys(paths['/all']?.get.responses ?? {}), ['200', '400', '401', '403', '429', '503'])
  assert.deepEqual(paths['/all']?.get.responses['200'], paths['/open']?.get.responses['200'], 'as without a guard')
  assert.equal(components.securitySchemes['ApiKey']?.name, 'X-API-Key')
  assert.match(components.securitySchemes['ApiKey'].description, /`orders:read`: Read orders/)
})

test('where keys belong is documented as it is enforced, and what is not understood is refused', async () => {
  const { keyring } = await testKeyring({ scopes })
  const documented = async (credential: CredentialPlace) => {
    const { plugin, requires } = fastifyGuard(keyring, { credential })
    const app = Fastify()
    await app.register(swagger, {
      openapi: { openapi: '3.1.0', components: { securitySchemes: securitySchemes(keyring, { credential }) } as never },
    })
    await app.register(plugin)
    app.get('/', { onRequest: requires({ anyOf: ['orders:write', 'reports:read'] }) }, () => 'x')
    await app.ready()
    const { paths, components } = app.swagger() as unknown as {
      paths: Record<string, { get: { security: unknown } }>
      components: { securitySchemes: Record<string, { type: string }> }
    }
    const kinds = Object.entries(components.securitySchemes).map(([name, { type }]) => `${name} ${type}`)
    return [paths['/']?.get.security, kinds]
  }
  assert.deepEqual(await documented('bearer'), [
    [{ Bearer: ['orders:write'] }, { Bearer: ['reports:read'] }],
    ['Bearer http'],
  ])
  assert.deepEqual(await documented('either'), [
    [
      { ApiKey: ['orders:write'] },
      { ApiKey: ['reports:read'] },
      { Bearer: ['orders:write'] },
      { Bearer: ['reports:read'] },
    ],
    ['ApiKey apiKey', 'Bearer http'],
  ])
  for (const credential of ['Bearer', '', null, 'toString'] as never[]) {
    assert.throws(() => fastifyGuard(keyring, { credential }), { code: 'invalid_input' })
    assert.throws(() => securitySchemes(keyring, { credential }), { code: 'invalid_input' })
  }
})

test('what a route says of its own answers is documented, and the rest by its guard', async () => {
  const app = Fastify()
  const { keyring } = await testKeyring({ scopes })
  const { plugin, requires } = fastifyGuard(keyring)
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', components: { securitySchemes: securitySchemes(keyring) } },
  })
  await app.register(plugin)
  const schema = { response: { 403: { description: 'Not yours', type: 'string' } } }
  app.get('/own', { onRequest: requires(anyKey), schema }, () => 'x')
  await app.ready()
  const { paths } = app.swagger() as unknown as {
    paths: Record<string, { get: { responses: Record<string, { description: string }> } }>
  }
  const responses = paths['/own']?.get.responses ?? {}
  assert.deepEqual(Object.keys(responses), ['200', '400', '401', '403', '429', '503'])
  assert.equal(responses['403']?.description, 'Not yours')
})

test('a route that says nothing of its answers is documented with one, and writes them as before', async () => {
  const app = Fastify()
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { plugin, requires } = fastifyGuard(keyring)
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', components: { securitySchemes: securitySchemes(keyring) } },
  })
  await app.register(problems)
  await app.register(plugin)
  const onRequest = requires(anyKey)
  const body = { type: 'object', properties: { a: { type: 'string' } } }
  app.post('/body', { onRequest, schema: { body } }, () => [{ b: true, c: null }])
  app.get('/away', { onRequest, schema: { response: { 302: { type: 'null' } } } }, (_request, reply) =>
    reply.redirect('/'),
  )
  await app.ready()
  const { paths } = app.swagger() as unknown as {
    paths: Record<string, Record<string, { responses: Record<string, unknown> }>>
  }
  assert.deepEqual(paths['/body']?.['post']?.responses['200'], { description: 'Default Response' })
  assert.deepEqual(Object.keys(paths['/away']?.['get']?.responses ?? {}), ['302', '400', '401', '403', '429', '503'])
  const answer = await app.inject({ method: 'POST', url: '/body', headers: await headersFor([]), payload: { a: 'x' } })
  assert.deepEqual([answer.statusCode, answer.body], [200, '[{"b":true,"c":null}]'])
})

test('a handler may say for itself how its answer is cached', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { plugin, requires } = fastifyGuard(keyring)
  const app = Fastify()
  await app.register(plugin)
  app.get('/public', { onRequest: requires(anyKey) }, (_request, reply) =>
    reply.header('cache-control', 'public, max-age=60').send('x'),
  )
  const answer = await app.inject({ url: '/public', headers: await headersFor([]) })
  assert.equal(answer.headers['cache-control'], 'public, max-age=60')
})

test('a request without a key is refused before its body is read', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { plugin, requires } = fastifyGuard(keyring)
  const app = Fastify()
  await app.register(plugin)
  let parsed = 0
  app.addContentTypeParser('application/x-watched', (_request, payload, done) => {
    parsed++
    payload.resume().on('end', () => done(null, {}))
  })
  app.post('/upload', { onRequest: requires(anyKey) }, () => 'x')
  const answer = await app.inject({
    method: 'POST',
    url: '/upload',
    headers: { 'content-type': 'application/x-watched' },
    body: 'x'.repeat(1e6),
  })
  assert.equal(answer.statusCode, 401)
  assert.equal(parsed, 0)
})
