import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import Fastify from 'fastify'
import type { FastifyGuard } from '../../src/guard/fastify.ts'
import { fastifyGuard } from '../../src/guard/fastify.ts'
import { testKeyring } from '../../src/testing.ts'
import { scopes } from '../conformance/guard.ts'

type Guard = FastifyGuard<keyof typeof scopes>

async function guarded(): Promise<Guard> {
  return fastifyGuard((await testKeyring({ scopes })).keyring)
}

const handler = (): string => 'x'

/** Every shape that a route can have, by the path at which an answer would show that it is open. */
const shapes: Readonly<Record<string, (app: FastifyInstance) => unknown>> = {
  'a plain path': (app) => app.get('/early', handler),
  'its own root': (app) => app.get('/', handler),
  'a wildcard for everything': (app) => app.get('/*', handler),
  'a wildcard in a folder': (app) => app.get('/files/*', handler),
  'a wildcard after letters': (app) => app.get('/files*', handler),
  'a wildcard right after the prefix': (app) => app.get('*', handler),
  'a parameter': (app) => app.get('/:id', handler),
  'a parameter right after the prefix': (app) =>
    app.prefix === '' ? app.get('/:id', handler) : app.get(':id', handler),
  'an optional parameter': (app) => app.get('/files/:id?', handler),
  'a parameter with an expression': (app) => app.get(String.raw`/:id(^\d+)`, handler),
  'two parameters in one part': (app) => app.get('/:from-:to', handler),
  'two parameters with expressions': (app) => app.get(String.raw`/at/:hour(^\d{2})h:minute(^\d{2})m`, handler),
  'an escaped colon': (app) => app.get('/a::b', handler),
  'a version': (app) => app.get('/early', { constraints: { version: '1.2.0' } }, handler),
  'a host': (app) => app.get('/early', { constraints: { host: 'other.example' } }, handler),
  'a host by an expression': (app) => app.get('/*', { constraints: { host: /^x/ } }, handler),
  'HEAD only': (app) => app.head('/early', handler),
  'all methods': (app) => app.all('/early', handler),
  'all methods by a wildcard': (app) => app.all('/*', handler),
  'a list of methods': (app) => app.route({ method: ['PUT', 'DELETE'], url: '/early', handler }),
  'OPTIONS by a wildcard': (app) => app.options('/*', handler),
  'a scope of its own': (app) => app.register(async (inner) => inner.get('/early', handler)),
  'a scope with a prefix': (app) => app.register(async (inner) => inner.get('/*', handler), { prefix: '/deeper' }),
}

for (const [shape, add] of Object.entries(shapes)) {
  test(`a route added before the guard stops the start: ${shape}`, async () => {
    const { plugin } = await guarded()
    const app = Fastify()
    await add(app)
    await app.after()
    await assert.rejects(async () => app.register(plugin), { code: 'undeclared_route', message: /before the guard/ })
  })

  for (const prefix of ['/api', '/api/', '/API', '/:tenant', '/a/:b/c']) {
    test(`a route added before the guard in ${prefix} stops the start: ${shape}`, async () => {
      const { plugin } = await guarded()
      const app = Fastify({ routerOptions: { caseSensitive: prefix !== '/API' } })
      const scope = async (inner: FastifyInstance): Promise<void> => {
        await add(inner)
        await inner.after()
        await inner.register(plugin)
      }
      const starting = async (): Promise<unknown> => app.register(scope, { prefix })
      await assert.rejects(starting, { code: 'undeclared_route', message: /before the guard/ })
    })
  }

  test(`a route that declares nothing stops the start: ${shape}`, async () => {
    const { plugin } = await guarded()
    const app = Fastify()
    await app.register(plugin)
    await add(app)
    await assert.rejects(async () => app.ready(), { code: 'undeclared_route', message: /neither requires/ })
  })

  test(`a declared route starts and is guarded: ${shape}`, async () => {
    const { plugin, requires } = await guarded()
    const app = Fastify()
    await app.register(plugin)
    const guard = requires('orders:read')
    app.addHook('onRoute', (route) => void (route.onRequest = guard))
    await add(app)
    await app.ready()
  })
}

const options: Readonly<Record<string, FastifyServerOptions>> = {
  'that ignores capital letters': { routerOptions: { caseSensitive: false } },
  'that ignores slashes': { routerOptions: { ignoreTrailingSlash: true, ignoreDuplicateSlashes: true } },
  'without HEAD routes': { exposeHeadRoutes: false },
}

for (const [router, serverOptions] of Object.entries(options)) {
  test(`declared routes of every shape start on a router ${router}, and none is taken for another`, async () => {
    const { plugin, open } = await guarded()
    const app = Fastify(serverOptions)
    await app.register(plugin)
    for (const [index, add] of Object.values(shapes).entries()) {
      const scope = async (inner: FastifyInstance): Promise<void> => {
        inner.addHook('onRoute', (route) => void (route.onRequest = open))
        await add(inner)
      }
      app.register(scope, { prefix: `/Shape${index}//Deep` })
    }
    await app.ready()
  })
}

describe('routes that the guard does not hear of', () => {
  /** A scope that was there before the guard, and is used after it. */
  async function keptFrom(app: FastifyInstance, prefix: string): Promise<{ readonly kept: FastifyInstance }> {
    const scopesKept: FastifyInstance[] = []
    await app.register(async (inner) => void scopesKept.push(inner), { prefix })
    const [kept = assert.fail()] = scopesKept
    // In an object, since an application can be waited for.
    return { kept }
  }

  for (const [shape, add] of Object.entries(shapes)) {
    test(`one that is added to a scope from before the guard stops the start: ${shape}`, async () => {
      const { plugin, open } = await guarded()
      const app = Fastify()
      const { kept } = await keptFrom(app, '/kept')
      await app.register(plugin)
      app.get('/', { onRequest: open }, handler)
      await add(kept)
      await assert.rejects(async () => app.ready(), { code: 'undeclared_route' })
    })
  }

  test('one that is added under the prefix of a guard, from outside of its scope, stops the start', async () => {
    const { plugin } = await guarded()
    const app = Fastify()
    await app.register(async (inner) => inner.register(plugin), { prefix: '/api' })
    app.get('/apiary', handler)
    app.get('/api/outside', handler)
    await assert.rejects(async () => app.ready(), {
      code: 'undeclared_route',
      message: /^(?!.*apiary).*scope.*GET, HEAD \/api\/outside/s,
    })
  })

  /** Paths under the prefix of a guard that its own route looks like, and the router does not take for it. */
  const lookAlikes = {
    'in capital letters': ['/a', '/api/A'],
    'with a prefix in capital letters': ['/a', '/API/a'],
    'with a slash at its end': ['/a', '/api/a/'],
    'with a slash more': ['/a', '/api//a'],
    'with an expression for its parameter': ['/:id', String.raw`/api/:id(^\d+$)`],
    'with two parameters in one part': ['/:id', '/api/:from-:to'],
  } as const
  for (const [shape, [own, other]] of Object.entries(lookAlikes)) {
    test(`one that looks like a route of the guard stops the start: ${shape}`, async () => {
      const { plugin, open } = await guarded()
      const app = Fastify()
      const scope = async (inner: FastifyInstance): Promise<void> => {
        await inner.register(plugin)
        inner.get(own, { onRequest: open }, handler)
      }
      await app.register(scope, { prefix: '/api' })
      app.register(async (sibling) => sibling.get(other, handler))
      await assert.rejects(async () => app.ready(), { code: 'undeclared_route' })
    })
  }

  test('those of another guard are for that one to judge, though they are under the same prefix', async () => {
    const [one, other] = [await guarded(), await guarded()]
    const app = Fastify()
    for (const [name, guard] of Object.entries({ one, other })) {
      const scope = async (inner: FastifyInstance): Promise<void> => {
        await inner.register(guard.plugin)
        inner.get(`/${name}`, { onRequest: guard.requires('orders:read') }, handler)
      }
      app.register(scope, { prefix: '/api' })
    }
    await app.ready()
    for (const url of ['/api/one', '/api/other']) assert.equal((await app.inject(url)).statusCode, 401)
  })

  test('a guard in a scope without a prefix judges its scope, and leaves what comes after to who adds it', async () => {
    const { plugin, requires } = await guarded()
    const app = Fastify()
    await app.register(async (inner) => {
      await inner.register(plugin)
      inner.get('/orders', { onRequest: requires('orders:read') }, handler)
    })
    app.get('/outside', handler)
    await app.ready()
    assert.equal((await app.inject('/orders')).statusCode, 401)
    assert.equal((await app.inject('/outside')).statusCode, 200)
  })
})

test('routes of one place start, however their parameters are named, and so do colons and per cent signs', async () => {
  const { plugin, open } = await guarded()
  const app = Fastify()
  await app.register(plugin)
  const urls = [
    '/:a/x',
    '/:b/y',
    '/at/:a-:b/x',
    '/at/:c-:d/y',
    String.raw`/:a(^(?:x|y\))$).z/x`,
    '/p%20c/:q',
    '/a::b',
    '/ab',
  ]
  for (const url of [...urls, '/in/:id?', '/in2/:a/:id?', '/t::check/:id', String.raw`/:n(^\d+$)`, '/:x-:y::z/:w.js']) {
    app.get(url, { onRequest: open }, handler)
  }
  app.post(String.raw`/:n2(^\d+$)`, { onRequest: open }, handler)
  app.post('/at/:e-:f/x', { onRequest: open }, handler)
  app.get('/in', { onRequest: open, constraints: { host: 'a.example' } }, handler)
  await app.ready()
})

for (const path of ['/a\nb', '/a\n    /a', '/a\rb', '/a (GET)', '/a\n└── b', '/a\u2028b']) {
  test(`a route that the picture of the router cannot show stops the start: ${JSON.stringify(path)}`, async () => {
    const { plugin } = await guarded()
    const app = Fastify()
    app.get(path, handler)
    await app.after()
    await assert.rejects(async () => app.register(plugin), { code: 'undeclared_route' })
  })
}
