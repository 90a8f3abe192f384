import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyKey, fetchGuard, undeclaredIn } from '../../src/guard/fetch.ts'
import { testKeyring } from '../../src/testing.ts'
import { guardConformance, scopes } from '../conformance/guard.ts'
import { textLog } from '../conformance/on-node.ts'

guardConformance(
  'fetch',
  async (verifier, { handled, puts, credential }) => {
    const log = textLog()
    const { guarded, open } = fetchGuard(verifier, { credential, log })
    const required = {
      '/any': [anyKey],
      '/write': ['orders:write'],
      '/both': ['orders:read', 'orders:write'],
      '/either': [{ anyOf: ['orders:write', 'reports:read'] }],
      '/test': [{ environment: 'test' }, anyKey],
      '/several': [{ environment: ['live', 'test'] }, anyKey],
      '/files/*': ['orders:read'],
      '/*': [anyKey],
    } as const
    const routes = new Map(
      Object.entries(required).map(([path, list]) => [
        path,
        guarded(list, (_request, key) => new Response(handled(path, key.id) ?? 'done')),
      ]),
    )
    routes.set(
      '/open',
      open(async () => new Response(handled('/open', 'nobody') ?? 'done')),
    )
    return {
      async send({ path, headers = [] }) {
        const lines = new Headers()
        for (const [name, value] of headers) lines.append(name, value)
        const request = Object.assign(new Request(`http://test${path}`, { headers: lines }), puts)
        const { pathname } = new URL(request.url)
        const route = routes.get(pathname) ?? routes.get(pathname.startsWith('/files/') ? '/files/*' : '/*')
        const answer = await (route ?? assert.fail(path))(request)
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() }
      },
      log: log.text,
      close: async () => {},
    }
  },
  { joined: true },
)

const orders = 'https://api.example.com/orders'

test('a handler gets what the platform gives besides the request, and the address comes from there', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { guarded } = fetchGuard(keyring, {
    address: (_request, info) => (info as { readonly remoteAddr?: { readonly hostname: string } }).remoteAddr?.hostname,
  })
  const GET = guarded(
    ['orders:read'],
    (_request, _key, { params }: { params: { id: string } }) => new Response(params.id),
  )
  const request = new Request(orders, { headers: await headersFor(['orders:read']) })
  assert.equal(await (await GET(request, { params: { id: '7' } })).text(), '7')
  const serve = guarded([anyKey], (_request, _key, _info: object) => new Response('x'))
  const bound = new Request(orders, { headers: await headersFor([], { addresses: ['192.0.2.1'] }) })
  assert.equal((await serve(bound, { remoteAddr: { hostname: '192.0.2.1' } })).status, 200)
  assert.equal((await serve(bound, { remoteAddr: { hostname: '192.0.2.2' } })).status, 403)
  assert.equal((await serve(bound, {})).status, 403)
  assert.equal((await fetchGuard(keyring).guarded([anyKey], () => new Response('x'))(bound)).status, 403)
})

test('a response whose headers cannot be changed is private too, and what a handler says of caches wins', async () => {
  const { keyring, headersFor } = await testKeyring({ scopes })
  const { guarded } = fetchGuard(keyring)
  const limits = [{ name: 'hour', limit: 9, window: 3600 }]
  const request = new Request(orders, { headers: await headersFor([], { limits }) })
  const moved = await guarded([anyKey], () => Response.redirect('https://example.com/', 303))(request)
  const said = ['location', 'cache-control', 'ratelimit'].map((name) => moved.headers.get(name))
  assert.deepEqual([moved.status, ...said], [303, 'https://example.com/', 'private', '"hour";r=8;t=3600'])
  const own = { headers: { 'cache-control': 'no-cache' } }
  assert.equal(
    (await guarded([anyKey], () => new Response('x', own))(request)).headers.get('cache-control'),
    'no-cache',
  )
})

test('a refused request is answered before its body is read, whatever its method', async () => {
  const { keyring } = await testKeyring({ scopes })
  let handled = 0
  const handler = fetchGuard(keyring).guarded(['orders:write'], () => new Response(String(handled++)))
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'QUERY']) {
    assert.equal((await handler(new Request(orders, { method }))).status, 401)
  }
  const request = new Request(orders, { method: 'POST', body: 'x' })
  assert.equal((await handler(request)).status, 401)
  assert.deepEqual([request.bodyUsed, handled], [false, 0])
})

test('a test names the handlers of a module that declare nothing', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { guarded, open } = fetchGuard(keyring)
  const handler = async (): Promise<Response> => new Response('x')
  const GET = guarded([anyKey], handler)
  assert.deepEqual(undeclaredIn({ GET, POST: handler, HEAD: open(handler), helper: handler, runtime: 'nodejs' }), [
    'POST',
  ])
  assert.deepEqual(undeclaredIn({ default: { fetch: handler, queue: handler } }), ['default.fetch'])
  assert.deepEqual(undeclaredIn({ default: handler }), ['default'])
  assert.deepEqual(undeclaredIn({ default: { fetch: GET } }), [])
})

test('what is not understood is refused, and never left out', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { guarded } = fetchGuard(keyring)
  for (const wrong of [[], [['orders:read']], ['orders:reed'], [{}], [anyKey, 'orders:read']]) {
    assert.throws(() => guarded(wrong as never, () => new Response('x')), { name: 'LatchkeyError' })
  }
  assert.throws(() => fetchGuard(keyring, { unguarded: 'allow' } as never), { code: 'invalid_input' })
})
