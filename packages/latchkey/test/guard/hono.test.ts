import assert from 'node:assert/strict'
import { test } from 'node:test'
import { getRequestListener } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import { LinearRouter } from 'hono/router/linear-router'
import { PatternRouter } from 'hono/router/pattern-router'
import { TrieRouter } from 'hono/router/trie-router'
import type { HonoGuard } from '../../src/guard/hono.ts'
import { anyKey, honoGuard } from '../../src/guard/hono.ts'
import { testKeyring } from '../../src/testing.ts'
import type { Scope, Serve } from '../conformance/guard.ts'
import { guardConformance, scopes } from '../conformance/guard.ts'
import { onNode, textLog } from '../conformance/on-node.ts'
import { reachingConformance } from '../conformance/reaching.ts'

/** The application of the suite, and its log. */
function application(...[verifier, { handled, puts, credential }]: Parameters<Serve>): {
  app: Hono
  log: () => string
} {
  const log = textLog()
  const { guard, requires, open, checked } = honoGuard(verifier, { credential, log })
  const app = new Hono()
  app.use(async (context, next) => {
    for (const [name, value] of Object.entries(puts)) context.set(name as never, value as never)
    Object.assign(context.req, puts)
    await next()
  })
  app.use(guard)
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
  app.get('/open', open, (context) => context.text(handled('/open', 'nobody') ?? 'done'))
  for (const [path, required] of Object.entries(routes)) {
    app.get(path, required, (context) => context.text(handled(path, context.var.apiKey.id) ?? 'done'))
  }
  return { app: checked(app), log: log.text }
}

guardConformance('Hono on Node', async (verifier, options) => {
  const { app, log } = application(verifier, options)
  const listener = getRequestListener(app.fetch)
  return { ...(await onNode((request, response) => void listener(request, response))), log }
})

guardConformance(
  'Hono on what has only Headers',
  async (verifier, options) => {
    const { app, log } = application(verifier, options)
    return {
      async send({ path, headers = [] }) {
        const lines = new Headers()
        for (const [name, value] of headers) lines.append(name, value)
        const answer = await app.request(`http://test${path}`, { headers: lines })
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
      },
      log,
      close: async () => {},
    }
  },
  { joined: true },
)

/** Every router of Hono, and every option that makes it take several paths for one. */
const variants: Readonly<Record<string, ConstructorParameters<typeof Hono>[0]>> = {
  'as it is': {},
  'without strict': { strict: false },
  PatternRouter: { router: new PatternRouter() },
  'LinearRouter, in small letters': {
    router: new LinearRouter(),
    getPath: (request) => new URL(request.url).pathname.toLowerCase(),
  },
  TrieRouter: { router: new TrieRouter(), strict: false },
}

reachingConformance(
  'Hono',
  Object.fromEntries(
    Object.entries(variants).map(([name, options]) => [
      name,
      async (verifier, handled) => {
        const { guard, requires, open } = honoGuard(verifier)
        const handler = (context: { text(text: string): Response }): Response => context.text(handled() ?? 'done')
        const inner = new Hono().get('/orders/:id', handler).onError((error) => {
          throw error
        })
        const app = new Hono(options)
        app.use(guard)
        app.get('/any', requires(anyKey), handler)
        app.all('/all/:id?', requires('orders:read'), handler)
        app.use('/group/*', requires('orders:read'))
        app.route('/group', inner)
        app.mount('/group/mounted', () => new Response(String(handled())))
        app.get('/files/*', requires('orders:read'), handler)
        // Without a declaration: they answer nobody.
        app.route('/forgotten', inner)
        app.mount('/mounted', () => new Response(String(handled())))
        app.all('/late', handler)
        app.get('/*', open, (context) => context.text('a page for everyone'))
        app.get('/late', requires(anyKey), handler)
        const listener = getRequestListener(app.fetch)
        return {
          ...(await onNode((request, response) => void listener(request, response))),
          paths: [
            '/any',
            '/all/1',
            '/group/orders/1',
            '/group/mounted/x',
            '/files/a/b',
            '/forgotten/orders/1',
            '/mounted/x',
            '/late',
          ],
        }
      },
    ]),
  ),
)

async function guarded(): Promise<HonoGuard<Scope>> {
  return honoGuard((await testKeyring({ scopes })).keyring)
}

/** An application that has the guard, and what a test adds. */
async function start(add: (app: Hono, guard: HonoGuard<Scope>) => unknown): Promise<Hono> {
  const guard = await guarded()
  const app = new Hono()
  app.use(guard.guard)
  add(app, guard)
  return guard.checked(app)
}

const done: MiddlewareHandler = async (context) => context.text('done')

test('the check names every route that declares nothing, also within other applications, and what is mounted', async () => {
  const starting = start((app, { requires, open }) => {
    app.get('/health', open, done)
    app.get('/forgotten', done)
    app.route('/v1', new Hono().delete('/orders/:id', done))
    app.mount('/legacy', () => new Response('x'))
    app.use('/some/*', done)
    app.post('/late', done, requires(anyKey))
  })
  await assert.rejects(starting, {
    code: 'undeclared_route',
    message:
      'GET /forgotten; DELETE /v1/orders/:id; ALL /legacy/*; ALL /some/*; POST /late: neither requires(...) nor open in front of it.',
  })
})

test('a group is declared once in front of its routes', async () => {
  await start((app, { requires, open }) => {
    app.use('/v1/*', requires('orders:read'))
    app.route('/v1', new Hono().get('/orders', done).get('/', done))
    app.mount('/v1/legacy', () => new Response('x'))
    app.use('/docs/*', open)
    app.get('/docs/page', done)
  })
  const after = start((app, { requires }) => {
    app.get('/v1/orders', done)
    app.use('/v1/*', requires('orders:read'))
    app.get('/v10', done)
  })
  await assert.rejects(after, { message: /^GET \/v1\/orders; GET \/v10: neither/ })
})

test('an application within another may add the guard too, also with an error handler of its own', async () => {
  const inner = await start((app, { guard, open }) => {
    const own = new Hono().use(guard)
    own.get('/page', open, done)
    own.onError(() => new Response('x'))
    app.route('/inner', own)
  })
  assert.equal((await inner.request('/inner/page')).status, 200)
  assert.equal((await inner.request('/inner/none')).status, 404)
})

test('two declarations on one route are refused: they would be documented as alternatives', async () => {
  const starting = start((app, { requires, open }) => {
    app.get('/two', requires('orders:read'), requires('orders:write'), done)
    app.use('/v1/*', open)
    app.get('/v1/orders', requires(anyKey), done)
  })
  await assert.rejects(starting, { message: /^GET \/two; GET \/v1\/orders: declared more than once/ })
})

test('in front of the guard there is only middleware for all paths', async () => {
  const { guard, checked, open } = await guarded()
  const app = new Hono().use(done)
  app.get('/early', done)
  app.mount('/legacy', () => new Response('x'))
  app.use(guard)
  app.get('/health', open, done)
  assert.throws(() => checked(app), { message: /^GET \/early; ALL \/legacy\/\*: added in front of app\.use\(guard\)/ })
  assert.throws(() => checked(new Hono().get('/', open, done)), { message: /^app\.use\(guard\): missing/ })
})

test('without the first middleware a guarded route answers nobody', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { requires } = honoGuard(keyring)
  let handled = 0
  const app = new Hono().get('/orders', requires('orders:read'), (context) => context.text(String(handled++)))
  app.onError((error, context) => context.text(error.message, 500))
  const answer = await app.request('/orders', { headers: await headersFor(['orders:read']) })
  assert.deepEqual([answer.status, handled], [500, 0])
  assert.match(await answer.text(), /app\.use\(guard\) is missing/)
})

test('an answer that a handler makes without the context is private too, and keeps what it says itself', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { guard, requires } = honoGuard(keyring)
  const app = new Hono().use(guard)
  app.get('/raw', requires(anyKey), () => new Response('x', { status: 201 }))
  app.get('/own', requires(anyKey), () => new Response('x', { headers: { 'cache-control': 'no-cache' } }))
  const headers = await headersFor([], { limits: [{ name: 'hour', limit: 9, window: 3600 }] })
  const raw = await app.request('/raw', { headers })
  assert.deepEqual([raw.status, await raw.text()], [201, 'x'])
  assert.deepEqual([raw.headers.get('cache-control'), raw.headers.get('ratelimit')], ['private', '"hour";r=8;t=3600'])
  assert.equal((await app.request('/own', { headers })).headers.get('cache-control'), 'no-cache')
})

test('a key that is bound to an address is taken from the one that the application names, else from the connection', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const headers = await headersFor([], { addresses: ['192.0.2.1'] })
  const local = await headersFor([], { addresses: ['127.0.0.1'] })
  const serve = (guard: HonoGuard<Scope>): Hono => new Hono().use(guard.guard).get('/', guard.requires(anyKey), done)
  const named = serve(honoGuard(keyring, { address: (context) => context.req.header('x-real-ip') }))
  const status = async (app: Hono, sent: Readonly<Record<string, string>>): Promise<number> => {
    return (await app.request('/', { headers: sent })).status
  }
  assert.equal(await status(named, { ...headers, 'x-real-ip': '192.0.2.1' }), 200)
  assert.equal(await status(named, { ...headers, 'x-real-ip': '192.0.2.2' }), 403)
  assert.equal(await status(named, headers), 403)
  const unnamed = serve(honoGuard(keyring))
  assert.equal(await status(unnamed, local), 403)
  const listener = getRequestListener(unnamed.fetch)
  const { send, close } = await onNode((request, response) => void listener(request, response))
  assert.equal((await send({ path: '/', headers: Object.entries(local) })).status, 200)
  assert.equal((await send({ path: '/', headers: Object.entries(headers) })).status, 403)
  await close()
})

test('an address that cannot be read refuses the key that is bound to one, and no other', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { guard, requires } = honoGuard(keyring, {
    log: textLog(),
    address: () => {
      throw new Error('no socket')
    },
  })
  const app = new Hono().use(guard).get('/', requires(anyKey), done)
  assert.equal((await app.request('/', { headers: await headersFor([]) })).status, 200)
  assert.equal((await app.request('/', { headers: await headersFor([], { addresses: ['192.0.2.1'] }) })).status, 503)
})

test('a document has what the routes declare, whatever a generator has written there', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { guard, requires, open, documented } = honoGuard(keyring, { credential: 'either' })
  const app = new Hono().use(guard)
  app.get('/health', open, done)
  app.use('/v1/*', requires({ anyOf: ['orders:read', 'reports:read'] }))
  app.get('/v1/orders/:id{[0-9]+}', done)
  app.all('/all', requires('orders:write'), done)
  const wrong = { security: [{ ApiKey: ['orders:read'] }, { ApiKey: ['orders:write'] }] }
  const document: object = documented(app, {
    openapi: '3.1.0',
    paths: {
      '/health': { get: wrong },
      '/v1/orders/{order}': { parameters: [], get: { summary: 'One', responses: { 200: {}, 403: { own: true } } } },
      '/all': { post: wrong },
      '/elsewhere': { get: wrong },
    },
  })
  type Operation = { readonly security: unknown; readonly responses: Record<string, unknown> }
  const { paths, ...rest } = document as { readonly paths: Record<string, Record<string, Operation>> }
  assert.deepEqual(rest, { openapi: '3.1.0' })
  assert.deepEqual(paths['/health']?.['get'], { security: [], responses: {} })
  const one = paths['/v1/orders/{order}']?.['get']
  const both = (scope: string): object[] => [{ ApiKey: [scope] }, { Bearer: [scope] }]
  assert.deepEqual(one?.security, [
    { ApiKey: ['orders:read'] },
    { ApiKey: ['reports:read'] },
    { Bearer: ['orders:read'] },
    { Bearer: ['reports:read'] },
  ])
  assert.deepEqual(Object.keys(one.responses), ['200', '400', '401', '403', '429', '503'])
  assert.deepEqual(one.responses['403'], { own: true })
  assert.deepEqual(paths['/all']?.['post']?.security, both('orders:write'))
  assert.deepEqual(paths['/elsewhere']?.['get'], wrong)
})

test('options that are not understood stop the start', async () => {
  const { keyring } = await testKeyring({ scopes })
  for (const wrong of [{ unguarded: 'refuse' }, { credential: 'cookie' }]) {
    assert.throws(() => honoGuard(keyring, wrong as never), { code: 'invalid_input' })
  }
})
