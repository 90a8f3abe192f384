import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import type { DynamicModule, ExceptionFilter, INestApplication, Type } from '@nestjs/common'
import {
  All,
  Controller,
  Get,
  Module,
  Post,
  RequestMethod,
  Scope as Scoped,
  Version,
  VersioningType,
} from '@nestjs/common'
import type { AbstractHttpAdapter } from '@nestjs/core'
import { NestFactory, RouterModule } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import express from 'express'
import type { NestDeclaration, NestGuard } from '../../src/guard/nest.ts'
import { anyKey, nestGuard } from '../../src/guard/nest.ts'
import { testKeyring } from '../../src/testing.ts'
import type { VerifiedKey } from '../../src/verify/verdict.ts'
import type { Scope, Served } from '../conformance/guard.ts'
import { guardConformance, scopes } from '../conformance/guard.ts'
import { onNode, textLog } from '../conformance/on-node.ts'
import { reachingConformance } from '../conformance/reaching.ts'

/** Decorators as functions, in the order in which they stand above a method: Node runs no other form. */
type Decorated = readonly [decorators: readonly MethodDecorator[], handler: (...values: never[]) => unknown]

/** A controller of these methods. */
function controller(
  path: string | { readonly path: string; readonly version?: string; readonly scope?: Scoped },
  methods: Readonly<Record<string, Decorated>>,
  ...decorators: readonly ClassDecorator[]
): Type {
  class Made {
    readonly made = true
  }
  const own = Made.prototype as unknown as Record<string, unknown>
  for (const [name, [above, handler]] of Object.entries(methods)) {
    const value = { [name]: (...values: never[]): unknown => handler(...values) }[name]
    Object.defineProperty(own, name, { value, configurable: true, writable: true })
    for (const decorate of above.toReversed()) decorate(own, name, Object.getOwnPropertyDescriptor(own, name) ?? {})
  }
  for (const decorate of [...decorators, Controller(path as { path: string })].toReversed()) decorate(Made)
  return Made
}

function moduleOf(guard: DynamicModule | undefined, ...controllers: readonly Type[]): Type {
  class Root {
    readonly made = true
  }
  Module({ imports: guard === undefined ? [] : [guard], controllers: [...controllers] })(Root)
  return Root
}

const adapters: Readonly<Record<string, (options?: object) => AbstractHttpAdapter>> = {
  // An ETag would be of the id of the request.
  Express: () => new ExpressAdapter(express().enable('strict routing').set('etag', false)),
  Fastify: (options) => new FastifyAdapter(options),
}

const onExpress = (): AbstractHttpAdapter => new ExpressAdapter()

async function create(root: Type, adapter: AbstractHttpAdapter): Promise<INestApplication> {
  return NestFactory.create(root, adapter, { logger: false, abortOnError: false })
}

/** Serves an application, also one whose start was refused. */
async function onSocket(app: INestApplication): Promise<Pick<Served, 'send' | 'close'>> {
  const instance = app.getHttpAdapter().getInstance()
  if (typeof instance === 'function') return onNode(instance as RequestListener)
  await instance.ready()
  return onNode((request, response) => instance.routing(request, response))
}

for (const [name, adapter] of Object.entries(adapters)) {
  guardConformance(`Nest on ${name}`, async (verifier, { handled, puts, credential }) => {
    const log = textLog()
    const { GuardModule, Requires, Open, Key } = nestGuard(verifier, { credential, log })
    const routes: Readonly<Record<string, NestDeclaration>> = {
      '/any': Requires(anyKey),
      '/write': Requires('orders:write'),
      '/both': Requires('orders:read', 'orders:write'),
      '/either': Requires({ anyOf: ['orders:write', 'reports:read'] }),
      '/test': Requires({ environment: 'test' }, anyKey),
      '/several': Requires({ environment: ['live', 'test'] }, anyKey),
      '/files/*': Requires('orders:read'),
      '/*': Requires(anyKey),
    }
    const key: MethodDecorator = (own, method) => Key()(own, method, 0)
    const declared = Object.entries(routes).map(([path, declare], index): [string, Decorated] => [
      `route${index}`,
      [
        [Get(path.replace('*', name === 'Fastify' ? '*' : '{*rest}')), declare, key],
        ({ id }: VerifiedKey) => handled(path, id) ?? 'done',
      ],
    ])
    const open: Decorated = [[Get('/open'), Open()], () => handled('/open', 'nobody') ?? 'done']
    const app = await create(
      moduleOf(GuardModule, controller('/', { open, ...Object.fromEntries(declared) })),
      adapter(),
    )
    if (name === 'Fastify') {
      const fastify = app.getHttpAdapter().getInstance()
      for (const put of Object.keys(puts)) fastify.decorateRequest(put, null)
      fastify.addHook('onRequest', async (request: object) => void Object.assign(request, puts))
    } else {
      app.use((request: object, _response: unknown, next: () => void) => {
        Object.assign(request, puts, { raw: { rawHeaders: [] } })
        next()
      })
    }
    const { send, close } = await onSocket(await app.init())
    return { send, close, log: log.text }
  })
}

/** The options of an application by which it takes several paths for one, or does not. */
const loose = {
  caseSensitive: false,
  ignoreTrailingSlash: true,
  ignoreDuplicateSlashes: true,
  useSemicolonDelimiter: true,
}

const variants: Readonly<Record<string, readonly [adapter: () => AbstractHttpAdapter, wildcard: string]>> = {
  'on Express': [onExpress, '*rest'],
  'on Fastify, loose': [() => new FastifyAdapter({ routerOptions: loose }), '*'],
}

reachingConformance(
  'Nest',
  Object.fromEntries(
    Object.entries(variants).map(([name, [adapter, wildcard]]) => [
      name,
      async (verifier, handled) => {
        const { GuardModule, Requires, Open } = nestGuard(verifier)
        const handler = (): string => handled() ?? 'done'
        const app = await create(
          moduleOf(
            GuardModule,
            controller('any', { any: [[Get(), Requires(anyKey)], handler] }),
            controller('all', { all: [[All(':id'), Requires('orders:read')], handler] }),
            controller('class', { one: [[Get('orders/:id')], handler] }, Requires('orders:read')),
            controller('files', { files: [[Get(wildcard), Requires('orders:read')], handler] }),
            // What nothing declares refuses the start, and is not found by who serves the application all the same.
            controller('forgotten', { one: [[All(':id')], handler] }),
            controller('', { rest: [[Get(wildcard), Open()], () => 'a page for everyone'] }),
          ),
          adapter(),
        )
        await assert.rejects(app.init(), { code: 'undeclared_route', message: /^ALL \/forgotten\/:id \(Made\.one\): / })
        return { ...(await onSocket(app)), paths: ['/any', '/all/1', '/class/orders/1', '/files/a/b', '/forgotten/1'] }
      },
    ]),
  ),
)

const done = (): string => 'done'

async function guarded(): Promise<NestGuard<Scope>> {
  return nestGuard((await testKeyring({ scopes })).keyring)
}

test('the start names every route that declares nothing, also of controllers that are made for each request', async () => {
  const { GuardModule, Requires, Open } = await guarded()
  const starting = await create(
    moduleOf(
      GuardModule,
      controller('orders', {
        list: [[Get(), Requires('orders:read')], done],
        one: [[Get([':id', 'by-id/:id'])], done],
        helper: [[], done],
      }),
      controller({ path: 'scoped', scope: Scoped.REQUEST }, { make: [[Post()], done] }),
      controller('declared', { one: [[Get()], done] }, Open()),
    ),
    onExpress(),
  )
  await assert.rejects(starting.init(), {
    code: 'undeclared_route',
    message:
      'GET /orders/:id (Made.one); POST /scoped (Made.make): neither Requires(...) nor Open() on the method or its class.',
  })
})

test('the declaration of a method holds in place of that of its class, in answers and in the document', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { GuardModule, Requires, Open, documented } = nestGuard(keyring)
  const app = await create(
    moduleOf(
      GuardModule,
      controller(
        'orders',
        {
          list: [[Get()], done],
          add: [[Post(), Requires('orders:write')], done],
          health: [[Get('health'), Open()], done],
        },
        Requires('orders:read'),
      ),
    ),
    onExpress(),
  )
  const { send, close } = await onSocket(await app.init())
  const statusOf = async (method: string, path: string, held: readonly Scope[]): Promise<number> =>
    (await send({ method, path, headers: Object.entries(await headersFor(held)) })).status
  assert.deepEqual(
    [
      await statusOf('GET', '/orders', ['orders:read']),
      await statusOf('GET', '/orders', ['orders:write']),
      await statusOf('POST', '/orders', ['orders:read']),
      await statusOf('POST', '/orders', ['orders:write']),
      (await send({ path: '/orders/health' })).status,
    ],
    [200, 403, 403, 201, 200],
  )
  // As @nestjs/swagger documents the decorators of a class and a method: as alternatives.
  const either = { security: [{ ApiKey: ['orders:write'] }, { ApiKey: ['orders:read'] }] }
  const document: object = documented(app, {
    paths: { '/orders': { get: either, post: either }, '/orders/health': { get: either } },
  })
  const { paths } = document as { paths: Record<string, Record<string, { security: unknown; responses: object }>> }
  assert.deepEqual(paths['/orders']?.['get']?.security, [{ ApiKey: ['orders:read'] }])
  assert.deepEqual(paths['/orders']['post']?.security, [{ ApiKey: ['orders:write'] }])
  assert.deepEqual(paths['/orders/health']?.['get'], { security: [], responses: {} })
  assert.deepEqual(Object.keys(paths['/orders']['get'].responses), ['400', '401', '403', '429', '503'])
  await close()
})

test('a class takes the declaration of the class that it extends, and may have another', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { GuardModule, Requires, Open } = nestGuard(keyring)
  class Base {
    readonly made = true
  }
  Requires('orders:read')(Base)
  class Inner extends Base {
    list(): string {
      return 'done'
    }
  }
  Get()(Inner.prototype, 'list', { value: Inner.prototype.list })
  Controller('inner')(Inner)
  class Opened extends Inner {}
  for (const decorate of [Open(), Controller('opened')]) decorate(Opened)
  const app = await create(moduleOf(GuardModule, Inner, Opened), onExpress())
  const { send, close } = await onSocket(await app.init())
  assert.deepEqual([(await send({ path: '/inner' })).status, (await send({ path: '/opened' })).status], [401, 200])
  await close()
})

test('two declarations in one place are refused', async () => {
  const { Requires, Open } = await guarded()
  const stacked = (): unknown =>
    controller('orders', { list: [[Get(), Requires('orders:read'), Requires('orders:write')], done] })
  assert.throws(stacked, { code: 'undeclared_route', message: /^list: declared more than once/ })
  assert.throws(() => controller('x', {}, Open(), Requires(anyKey)), { message: /^Made: declared more than once/ })
})

test('without GuardModule a guarded route answers nobody, and the declarations of another guard do not count', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { Requires, Open } = nestGuard(keyring)
  let handled = 0
  const handler = (): string => String(handled++)
  const methods = { list: [[Get(), Requires('orders:read')], handler] } as const
  const alone = await create(moduleOf(undefined, controller('orders', methods)), onExpress())
  const without = await onSocket(await alone.init())
  const headers = Object.entries(await headersFor(['orders:read']))
  assert.equal((await without.send({ path: '/orders', headers })).status, 500)
  const classwide = controller('class', { list: [[Get()], handler] }, Requires(anyKey))
  const ofClass = await onSocket(await (await create(moduleOf(undefined, classwide), onExpress())).init())
  assert.equal((await ofClass.send({ path: '/class', headers })).status, 500)
  const other = nestGuard(keyring)
  const foreign = controller('open', { list: [[Get(), Open()], handler] })
  const mixed = await create(moduleOf(other.GuardModule, foreign), onExpress())
  await assert.rejects(mixed.init(), { message: /^GET \/open \(Made\.list\): neither/ })
  assert.equal(handled, 0)
  await Promise.all([without.close(), ofClass.close()])
})

test('an undeclared route is answered as a path that does not exist', async () => {
  const { GuardModule } = await guarded()
  for (const adapter of Object.values(adapters)) {
    const app = await create(moduleOf(GuardModule, controller('forgotten', { one: [[Get()], done] })), adapter())
    await assert.rejects(app.init())
    const { send, close } = await onSocket(app)
    const [forgotten, unknown] = [await send({ path: '/forgotten?x=1' }), await send({ path: '/unknown?x=1' })]
    assert.equal(forgotten.status, 404)
    assert.equal(forgotten.body, unknown.body.replace('unknown', 'forgotten'))
    await close()
  }
})

test('a document has what routes declare under their whole paths: prefix, version and module', async () => {
  const { GuardModule, Requires, Open, documented } = await guarded()
  const orders = controller(
    { path: 'orders', version: '1' },
    {
      one: [[Get(':id'), Requires('orders:read')], done],
      later: [[Get(':id'), Version('2'), Requires('reports:read')], done],
      files: [[Get(['files/*path', 'all']), Requires('orders:write')], done],
    },
  )
  const inner = moduleOf(undefined, orders)
  class Root {
    readonly made = true
  }
  const health = controller('health', { get: [[Get(), Open()], done] })
  const imports = [GuardModule, inner, RouterModule.register([{ path: 'shop', module: inner }])]
  Module({ imports, controllers: [health] })(Root)
  const app = await create(Root, onExpress())
  app.setGlobalPrefix('api', { exclude: [{ path: 'health', method: RequestMethod.GET }] })
  app.enableVersioning({ type: VersioningType.URI })
  const paths = [
    '/api/v1/shop/orders/{id}',
    '/api/v2/shop/orders/{id}',
    '/api/v1/shop/orders/files/{path}',
    '/api/v1/shop/orders/all',
    '/health',
  ]
  const document: object = documented(app, { paths: Object.fromEntries(paths.map((path) => [path, { get: {} }])) })
  const documents = Object.values((document as { paths: Record<string, { get: { security: unknown } }> }).paths)
  assert.deepEqual(
    documents.map(({ get }) => get.security),
    [
      [{ ApiKey: ['orders:read'] }],
      [{ ApiKey: ['reports:read'] }],
      [{ ApiKey: ['orders:write'] }],
      [{ ApiKey: ['orders:write'] }],
      [],
    ],
  )
  const { send, close } = await onSocket(await app.init())
  const statuses = []
  for (const path of paths) statuses.push((await send({ path: path.replace(/\{\w+\}/, 'x') })).status)
  assert.deepEqual(statuses, [401, 401, 401, 401, 200], 'these are the paths')
  await close()
})

test('refusals are noted with the route as it was declared, and with the address that the adapter trusts', async () => {
  for (const [name, adapter] of Object.entries(adapters)) {
    const { keyring, headersFor } = await testKeyring({ scopes })
    const { GuardModule, Requires } = nestGuard(keyring, { requestId: () => 'request-7' })
    const methods = {
      one: [[Get(':id'), Requires('orders:read')], done],
      any: [[Get('any/key'), Requires(anyKey)], done],
    } as const
    const app = await create(moduleOf(GuardModule, controller('orders', methods)), adapter({ trustProxy: true }))
    app.setGlobalPrefix('v1')
    if (name === 'Express') app.getHttpAdapter().getInstance().set('trust proxy', true)
    const { send, close } = await onSocket(await app.init())
    const headers = Object.entries(await headersFor([], { addresses: ['192.0.2.1'] }))
    const from = (address: string): [string, string] => ['X-Forwarded-For', address]
    const refused = await send({ path: '/v1/orders/1', headers: [...headers, from('192.0.2.1')] })
    assert.deepEqual([refused.status, JSON.parse(refused.body).instance], [403, '#request-7'])
    assert.equal((await send({ path: '/v1/orders/any/key', headers: [...headers, from('192.0.2.1')] })).status, 200)
    assert.equal((await send({ path: '/v1/orders/any/key', headers: [...headers, from('192.0.2.2')] })).status, 403)
    await keyring.flushUsage()
    const { refusals } = await keyring.refusals()
    assert.deepEqual(
      refusals
        .map(({ code, route, address }) => `${code} ${route} ${address}`)
        .toSorted((one, other) => one.localeCompare(other)),
      ['address_not_allowed GET /v1/orders/any/key 192.0.2.2', 'insufficient_scope GET /v1/orders/:id 192.0.2.1'],
    )
    await close()
  }
})

test('a body is read before the guard: a stated difference', async () => {
  const { GuardModule, Requires } = await guarded()
  for (const adapter of Object.values(adapters)) {
    const orders = controller('orders', { add: [[Post(), Requires(anyKey)], done] })
    const app = await create(moduleOf(GuardModule, orders), adapter())
    await app.listen(0, '127.0.0.1')
    const statusOf = async (body: string): Promise<number> =>
      (
        await fetch(`${await app.getUrl()}/orders`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body,
        })
      ).status
    assert.deepEqual([await statusOf('{'), await statusOf('{}')], [400, 401])
    await app.close()
  }
})

test('a filter of the application that answers every error leaves the headers of a refusal', async () => {
  const { GuardModule, Requires } = await guarded()
  for (const adapter of Object.values(adapters)) {
    const app = await create(
      moduleOf(GuardModule, controller('orders', { list: [[Get(), Requires(anyKey)], done] })),
      adapter(),
    )
    const filter: ExceptionFilter = {
      catch(error, host) {
        app.getHttpAdapter().reply(host.switchToHttp().getResponse(), { own: error.getStatus() }, error.getStatus())
      },
    }
    app.useGlobalFilters(filter)
    const { send, close } = await onSocket(await app.init())
    const { status, headers, body } = await send({ path: '/orders' })
    assert.deepEqual([status, headers['www-authenticate'], body], [401, 'X-API-Key', '{"own":401}'])
    assert.equal(headers['cache-control'], 'no-store')
    await close()
  }
})

test('a log that fails costs no answer, and the process goes on', async (t) => {
  const { keyring } = await testKeyring({ scopes })
  const fail = (): never => {
    throw new Error('the disk is full')
  }
  const told = t.mock.method(console, 'error', () => {})
  const { GuardModule, Requires } = nestGuard(keyring, { log: { info: fail, error: fail } })
  const app = await create(
    moduleOf(GuardModule, controller('x', { x: [[Get(), Requires(anyKey)], done] })),
    onExpress(),
  )
  const { send, close } = await onSocket(await app.init())
  for (let call = 0; call < 2; call++) assert.equal((await send({ path: '/x' })).status, 401)
  await close()
  assert.equal(told.mock.callCount(), 2)
})

test('what is not a call over HTTP is refused, whatever it declares', async () => {
  const { GuardModule, Open } = await guarded()
  const [guard] = (GuardModule.providers ?? []) as { useValue: { canActivate: (context: object) => unknown } }[]
  const Made = controller('x', { x: [[Open()], done] })
  const context = { getType: () => 'graphql', getClass: () => Made, getHandler: () => Made.prototype.x }
  assert.throws(() => guard?.useValue.canActivate(context), { message: /^Made\.x: of the type graphql, not http/ })
})

test('keyOf on a route without Requires(...) is an error, and wrong options are refused', async () => {
  const { keyring } = await testKeyring({ scopes })
  assert.throws(() => nestGuard(keyring).keyOf({}), { code: 'unguarded_handler' })
  for (const wrong of [{ unguarded: 'allow' }, { credential: 'cookie' }]) {
    assert.throws(() => nestGuard(keyring, wrong as never), { code: 'invalid_input' })
  }
})
