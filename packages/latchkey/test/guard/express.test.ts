import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import type { Express, RequestHandler } from 'express'
import express, { Router } from 'express'
import type { ExpressGuard } from '../../src/guard/express.ts'
import { anyKey, expressGuard } from '../../src/guard/express.ts'
import { testKeyring } from '../../src/testing.ts'
import type { Scope } from '../conformance/guard.ts'
import { guardConformance, scopes } from '../conformance/guard.ts'
import { onNode, textLog } from '../conformance/on-node.ts'
import { reachingConformance } from '../conformance/reaching.ts'

guardConformance('Express', async (verifier, { handled, puts, credential }) => {
  const log = textLog()
  const { requires, open, openly, checked, keyOf } = expressGuard(verifier, { credential, log })
  const app = express().enable('strict routing')
  const put: RequestHandler = (request, _response, next) => {
    Object.assign(request, puts)
    next()
  }
  app.use(openly(put))
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
  app.get('/open', open, (_request, response) => void response.send(handled('/open', 'nobody') ?? 'done'))
  for (const [path, required] of Object.entries(routes)) {
    app.get(path.replace('*', '{*rest}'), required, (request, response) => {
      response.send(handled(path, keyOf(request).id) ?? 'done')
    })
  }
  return { ...(await onNode(checked(app) as RequestListener)), log: log.text }
})

/** The options of an application by which it takes several paths for one, or does not. */
const variants: Readonly<Record<string, readonly string[]>> = {
  'as it is': [],
  'strict and with case': ['strict routing', 'case sensitive routing'],
}

reachingConformance(
  'Express',
  Object.fromEntries(
    Object.entries(variants).map(([name, settings]) => [
      name,
      async (verifier, handled) => {
        const { requires, open, checked } = expressGuard(verifier)
        const handler: RequestHandler = (_request, response) => void response.send(handled() ?? 'done')
        const app = express()
        for (const setting of settings) app.enable(setting)
        app.get('/any', requires(anyKey), handler)
        app.all('/all/{:id}', requires('orders:read'), handler)
        app.route('/route').all(requires('orders:read')).get(handler).post(handler)
        const inner = Router({ mergeParams: true }).get('/orders/:id', requires('orders:read'), handler)
        app.use('/inner/:tenant', inner)
        app.use('/group', requires('orders:read'), Router().get('/orders/:id', handler))
        app.use('/group/mounted', express().use(handler))
        app.get(/^\/files\/(.*)$/, requires('orders:read'), handler)
        app.get('/{*rest}', open, (_request, response) => void response.send('a page for everyone'))
        return {
          ...(await onNode(checked(app) as RequestListener)),
          paths: ['/any', '/all/1', '/route', '/inner/x/orders/1', '/group/orders/1', '/group/mounted/x', '/files/a/b'],
        }
      },
    ]),
  ),
)

const done: RequestHandler = (_request, response) => void response.send('done')

async function guarded(): Promise<ExpressGuard<Scope>> {
  return expressGuard((await testKeyring({ scopes })).keyring)
}

/** An application that a test makes, checked. */
async function start(add: (app: Express, guard: ExpressGuard<Scope>) => unknown): Promise<Express> {
  const guard = await guarded()
  const app = express()
  add(app, guard)
  return guard.checked(app)
}

test('the start names every route that declares nothing, in routers too, and what answers without a route', async () => {
  const starting = start((app, { requires, open }) => {
    app.get('/health', open, done)
    app.get('/forgotten', done)
    app.route('/route').get(requires(anyKey), done).post(done)
    app.use('/v1', Router().delete('/orders/:id', done))
    app.post('/late', done, requires(anyKey))
    app.use(express.static('public'))
    app.use('/raw', (_request, response) => void response.end())
    app.use('/mounted', express())
    // Runs only for errors.
    app.use(((_error, _request, response, _next) => void response.end()) as express.ErrorRequestHandler)
  })
  await assert.rejects(starting, {
    code: 'undeclared_route',
    message:
      'GET /forgotten; POST /route; DELETE /v1/orders/:id; POST /late; use / (serveStatic); use /raw (<anonymous>); use /mounted (mounted_app): neither requires(...) nor open in front, nor in openly(...).',
  })
})

test('a group is declared once in front of its routes, and what is openly(...) declares nothing else', async () => {
  await start((app, { requires, open, openly }) => {
    app.use(openly(express.static('public'), done))
    app.use('/v1', requires('orders:read'), express.json(), Router().get('/orders', done).post('/orders/:id', done))
    app.use('/v1/mounted', express())
    app.use('/docs', open, express.static('docs'))
  })
  const after = start((app, { requires, openly }) => {
    app.use('/v1', openly(done), Router().get('/orders', done))
    app.get('/v2/orders', done)
    app.use('/v2', requires('orders:read'))
    app.get('/v20', done)
  })
  await assert.rejects(after, { message: /^GET \/v1\/orders; GET \/v2\/orders; GET \/v20: neither/ })
})

test('two declarations on one route stop the start: they would be documented as alternatives', async () => {
  const starting = start((app, { requires, open }) => {
    app.get('/two', requires('orders:read'), requires('orders:write'), done)
    app.use('/v1', open)
    app.get('/v1/orders', requires(anyKey), done)
  })
  await assert.rejects(starting, { message: /^GET \/two; GET \/v1\/orders: declared more than once/ })
})

test('what would run for callers without a key stops the start: parsers of bodies, and callbacks of parameters', async () => {
  const starting = start((app, { requires, open, openly }) => {
    app.use(openly(express.json()))
    app.use('/open', openly(express.text()))
    app.post('/open', open, done)
    app.param('id', done as never)
    app.get('/orders/:id', requires('orders:read'), done)
    const reports = Router().get('/', requires('orders:read'), done)
    app.use('/reports', reports)
  })
  await assert.rejects(starting, { message: /^use \/ \(jsonParser\); param id: runs in front of requires\(\.\.\.\)/ })
  const inRoute = start((app, { requires }) => app.post('/orders', express.json(), requires('orders:write'), done))
  await assert.rejects(inRoute, { message: /^POST \/orders: neither/ })
})

test('a guarded route answers nobody before checked(app), and no route can be added after it', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { requires, checked } = expressGuard(keyring)
  let handled = 0
  const app = express()
  app.get('/orders', requires('orders:read'), (_request, response) => void response.send(String(handled++)))
  app.use(
    ((error, _request, response, _next) => void response.status(500).end(error.message)) as express.ErrorRequestHandler,
  )
  const { send, close } = await onNode(app as RequestListener)
  const headers = Object.entries(await headersFor(['orders:read']))
  const before = await send({ path: '/orders', headers })
  assert.deepEqual([before.status, handled], [500, 0])
  assert.match(before.body, /checked\(app\) was not called/)
  checked(app)
  assert.equal((await send({ path: '/orders', headers })).status, 200)
  for (const add of [() => app.get('/late', done), () => app.use(done), () => app.route('/x')]) {
    assert.throws(add, { code: 'undeclared_route', message: /added after checked/ })
  }
  checked(app)
  await close()
})

test('a refused request is answered before its body is read', async () => {
  const { requires, checked } = await guarded()
  const app = express()
  let parsed = 0
  const parser: RequestHandler = (_request, _response, next) => next(void parsed++)
  app.post('/orders', requires('orders:write'), parser, done)
  const { send, close } = await onNode(checked(app) as RequestListener)
  assert.equal((await send({ method: 'POST', path: '/orders', headers: [['Content-Length', '0']] })).status, 401)
  assert.equal(parsed, 0)
  await close()
})

test('refusals are noted with the route as it was declared, and with the address that Express trusts', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { requires, checked } = expressGuard(keyring, { requestId: () => 'request-7' })
  const app = express().set('trust proxy', true)
  app.use('/v1/:tenant', Router().get('/orders/:id', requires('orders:read'), done))
  app.use('/group', requires(anyKey), done)
  const { send, close } = await onNode(checked(app) as RequestListener)
  const headers = Object.entries(await headersFor([], { addresses: ['192.0.2.1'] }))
  const from = (address: string): [string, string] => ['X-Forwarded-For', address]
  assert.equal((await send({ path: '/v1/acme/orders/1', headers: [...headers, from('192.0.2.1')] })).status, 403)
  assert.equal((await send({ path: '/group/x', headers: [...headers, from('192.0.2.1')] })).status, 200)
  assert.equal((await send({ path: '/group/x', headers: [...headers, from('192.0.2.2')] })).status, 403)
  await keyring.flushUsage()
  const { refusals } = await keyring.refusals()
  assert.deepEqual(
    refusals
      .map(({ code, route, address }) => `${code} ${route} ${address}`)
      .toSorted((one, other) => one.localeCompare(other)),
    ['address_not_allowed GET /group 192.0.2.2', 'insufficient_scope GET /v1/:tenant/orders/:id 192.0.2.1'],
  )
  await close()
})

test('a document has what the routes declare', async () => {
  const { requires, open, documented } = await guarded()
  const app = express()
  app.get('/health', open, done)
  app.use('/v1', Router().get('/orders/:id', requires('orders:read'), done).get('/', requires('reports:read'), done))
  const operation = { summary: 'x' }
  const document: object = documented(app, {
    paths: { '/health': { get: operation }, '/v1/orders/{id}': { get: operation }, '/v1': { get: operation } },
  })
  app.get('/later', open, done)
  const { paths } = document as { paths: Record<string, { get: { security: unknown } }> }
  assert.deepEqual(
    Object.values(paths).map(({ get }) => get.security),
    [[], [{ ApiKey: ['orders:read'] }], [{ ApiKey: ['reports:read'] }]],
  )
})

test('keyOf on a route without requires(...) is an error, and wrong options and applications are refused', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { keyOf, checked } = await guarded()
  assert.throws(() => keyOf({} as never), { code: 'unguarded_handler' })
  assert.throws(() => expressGuard(keyring, { unguarded: 'allow' } as never), { code: 'invalid_input' })
  for (const wrong of [{}, { router: {} }, { _router: { stack: [] } }]) {
    assert.throws(() => checked(wrong as never), { code: 'invalid_input', message: /Express 5/ })
  }
})
