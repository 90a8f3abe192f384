import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import type { FastifyInstance, InjectOptions } from 'fastify'
import Fastify from 'fastify'
import { onUnrouted, problem, problemOptions, problems, securityHeaders } from '../../src/problem/fastify.ts'

async function application(): Promise<{ app: FastifyInstance; log: () => string; handled: () => number }> {
  let log = ''
  let handled = 0
  const logger = { stream: { write: (line: string) => void (log += line) } }
  const app = Fastify({ ...problemOptions, logger, bodyLimit: 1000 })
  await app.register(problems)
  const body = {
    type: 'object',
    required: ['name', 'a/b~c'],
    properties: {
      name: { type: 'string' },
      age: { type: 'integer' },
      'a/b~c': {},
      tags: { type: 'array', items: { type: 'string' } },
    },
  }
  app.post('/people', { schema: { body } }, () => {
    handled++
    return 'done'
  })
  app.post('/strict', { schema: { body: { type: 'object', additionalProperties: false } } }, () => {
    handled++
    return 'done'
  })
  app.get('/people/:id', () => 'done')
  app.delete('/people/:id', () => 'done')
  app.get('/files/*', () => 'done')
  app.get('/fails', () => {
    throw new Error('the password of the database is hunter2')
  })
  app.get('/refuses', () => {
    throw problem({ status: 409, code: 'taken', detail: 'The name is taken.' })
  })
  app.get('/unfit', () => {
    // As @fastify/response-validation throws it.
    const validation = [{ instancePath: '/id', keyword: 'format', message: 'must match', params: {}, schemaPath: '' }]
    throw Object.assign(new Error('response/id must match'), { statusCode: 500, validation })
  })
  app.get('/teapot', () => {
    throw Object.assign(new Error('the password of the database is hunter2'), { statusCode: 418 })
  })
  for (const [name, thrown] of Object.entries({ null: null, undefined, text: 'hunter2', number: 5 })) {
    app.get(`/throws/${name}`, () => {
      throw thrown
    })
    app.get(`/rejects/${name}`, async () => {
      throw thrown
    })
  }
  await app.ready()
  return { app, log: () => log, handled: () => handled }
}

const json = (payload: string, headers: object = {}): InjectOptions => ({
  method: 'POST',
  url: '/people',
  headers: { 'content-type': 'application/json', ...headers },
  payload,
})

const cases: Readonly<Record<string, readonly [request: InjectOptions, status: number, code: string]>> = {
  'an unknown path is 404': [{ url: '/nowhere' }, 404, 'not_found'],
  'a wrong method is 405': [{ method: 'PUT', url: '/people' }, 405, 'method_not_allowed'],
  'text that is not JSON is 400': [json('{"name":'), 400, 'invalid_json'],
  'an empty body where JSON is announced is 400': [json(''), 400, 'invalid_json'],
  'another media type is 415': [json('<a/>', { 'content-type': 'application/xml' }), 415, 'unsupported_media_type'],
  'no media type is 415': [
    { method: 'POST', url: '/people', payload: 'x', headers: { 'content-type': '' } },
    415,
    'unsupported_media_type',
  ],
  'a large body is 413': [json(`"${'x'.repeat(1000)}"`), 413, 'body_too_large'],
  'a body that does not fit is 422': [json('{}'), 422, 'invalid_request'],
  'no body where one is needed is 422': [{ method: 'POST', url: '/people' }, 422, 'invalid_request'],
  'a path that cannot be decoded is 400': [{ url: '/people/%zz' }, 400, 'bad_request'],
  'a path with a part that is too long is 400': [{ url: `/people/${'x'.repeat(200)}` }, 400, 'bad_request'],
  'what a handler refuses is what it says': [{ url: '/refuses' }, 409, 'taken'],
  'an error with a status below 500 keeps it': [{ url: '/teapot' }, 418, 'bad_request'],
  'an accident is 500': [{ url: '/fails' }, 500, 'internal'],
}

for (const [what, [request, status, code]] of Object.entries(cases)) {
  test(`${what}, as a problem document`, async () => {
    const { app, handled } = await application()
    const answer = await app.inject(request)
    const document = answer.json()
    assert.equal(answer.statusCode, status, answer.body)
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
    assert.deepEqual([document.type, document.status, document.code], ['about:blank', status, code])
    assert.match(document.instance, /^urn:uuid:[0-9a-f-]{36}$/)
    assert.ok(document.title.length > 0 && document.detail.length > 0)
    assert.equal(handled(), 0)
  })
}

test('every fault of a body is named by JSON Pointer, and values are not bent to fit', async () => {
  const { app } = await application()
  const answer = await app.inject(json('{"name":5,"age":"7","tags":["a",1]}'))
  assert.deepEqual(answer.json().errors, [
    { pointer: '/a~1b~0c', detail: 'is required' },
    { pointer: '/name', detail: 'must be string' },
    { pointer: '/age', detail: 'must be integer' },
    { pointer: '/tags/1', detail: 'must be string' },
  ])
})

test('an unknown member is refused by name, however long its name is, and not more than 100 faults are named', async () => {
  const app = Fastify(problemOptions)
  await app.register(problems)
  const body = { type: 'object', additionalProperties: false, properties: {} }
  app.post('/strict', { schema: { body } }, () => ({}))
  const faults = async (payload: object): Promise<readonly { pointer: string; detail: string }[]> =>
    (await app.inject({ method: 'POST', url: '/strict', payload })).json().errors
  assert.deepEqual(await faults({ 'a/b': 1 }), [{ pointer: '/a~1b', detail: 'is not known here' }])
  const [long] = await faults({ ['x'.repeat(10_000)]: 1 })
  assert.equal(long?.pointer, `/${'x'.repeat(64)}…`)
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`m${index}`, 1]))
  assert.equal((await faults(many)).length, 100)
})

test('members that nobody declared are ignored', async () => {
  const { app, handled } = await application()
  assert.equal((await app.inject(json('{"name":"x","a/b~c":1,"more":true}'))).statusCode, 200)
  assert.equal(handled(), 1)
})

test('members that would change a prototype are ignored like others that nobody declared, and change none', async () => {
  const app = Fastify(problemOptions)
  await app.register(problems)
  app.post('/', { schema: { body: { type: 'object' } } }, ({ body }) => {
    const copy = Object.assign({}, body) as { admin?: unknown; constructor: unknown }
    return { keys: Object.keys(copy), admin: copy.admin ?? null, constructed: copy.constructor === Object }
  })
  const headers = { 'content-type': 'application/json' }
  for (const payload of [
    '{"name":"x","__proto__":{"admin":true}}',
    '{"name":"x","\\u005f_proto__":{"admin":true}}',
    '{"name":"x","constructor":{"prototype":{"admin":true}}}',
  ]) {
    const answer = await app.inject({ method: 'POST', url: '/', headers, payload })
    assert.deepEqual(answer.json(), { keys: ['name'], admin: null, constructed: true }, payload)
  }
  assert.equal(({} as { admin?: unknown }).admin, undefined)
})

test('members that a schema forbids are refused and not taken out in silence', async () => {
  const { app, handled } = await application()
  const answer = await app.inject({ ...json('{"more":true}'), url: '/strict' })
  assert.deepEqual([answer.statusCode, answer.json().code], [422, 'invalid_request'])
  assert.equal(handled(), 0)
})

test('what a route with a body says of its own answers is documented, and the rest by the plugin', async () => {
  const app = Fastify(problemOptions)
  await app.register(problems)
  const documented: object[] = []
  app.addHook('onRoute', ({ schema }) => void documented.push(schema?.response ?? {}))
  const own = { description: 'Of our own', type: 'string' }
  app.post('/own', { schema: { body: { type: 'object' }, response: { 422: own } } }, () => 'done')
  assert.deepEqual(Object.keys(documented[0] ?? {}), ['400', '413', '415', '422'])
  assert.deepEqual((documented[0] as Record<string, object>)['422'], own)
})

test('an answer of our own that does not fit its schema is our fault, and not told', async () => {
  const { app } = await application()
  const answer = await app.inject('/unfit')
  assert.deepEqual([answer.statusCode, answer.json().code], [500, 'internal'])
  assert.ok(!answer.body.includes('/id'), answer.body)
})

test('whatever a handler throws, it is 500 and not told', async () => {
  const { app } = await application()
  for (const way of ['throws', 'rejects']) {
    for (const what of ['null', 'undefined', 'text', 'number']) {
      const answer = await app.inject(`/${way}/${what}`)
      assert.deepEqual(
        [answer.statusCode, answer.headers['content-type']],
        [500, 'application/problem+json; charset=utf-8'],
        answer.body,
      )
      assert.equal(answer.json().detail, 'Something went wrong on our side.')
    }
  }
})

test("the message of an error that is neither Fastify's nor a problem is not told, whatever its status", async () => {
  const { app } = await application()
  assert.equal((await app.inject('/teapot')).json().detail, "I'm a Teapot.")
})

test('a problem has the status of an error', () => {
  for (const status of [200, 399, 600, 999, 404.5, Number.NaN]) {
    assert.throws(() => problem({ status, code: 'x', detail: 'x' }), RangeError, String(status))
  }
  for (const status of [400, 599]) assert.doesNotThrow(() => problem({ status, code: 'x', detail: 'x' }))
})

test('405 says which methods the path takes, for paths with parameters too', async () => {
  const { app } = await application()
  const allow = async (url: string): Promise<unknown> => (await app.inject({ method: 'PATCH', url })).headers.allow
  assert.deepEqual(
    [await allow('/people'), await allow('/people/7?x=/y'), await allow('/files/a/b/c'), await allow('/people/7/x')],
    ['POST', 'DELETE, GET, HEAD', 'GET, HEAD', undefined],
  )
})

test('405 names what the router has: for prefixes, for patterns, in every scope, and for no path that it does not match', async () => {
  const app = Fastify(problemOptions)
  await app.register(problems)
  app.get('/n/:id(^\\d+$)', () => 'done')
  app.get('/b::c', () => 'done')
  await app.register(
    async (scope) => {
      scope.get('/', () => 'done')
      scope.post('/:from-:to.json', () => 'done')
    },
    { prefix: '/v1' },
  )
  const answer = async (url: string): Promise<unknown> => {
    const { statusCode, headers } = await app.inject({ method: 'DELETE', url })
    return headers.allow ?? statusCode
  }
  assert.deepEqual(
    await Promise.all(['/v1', '/v1/', '/n/7', '/n/x', '/v1/a-b.json', '/v1/ab', '/b:c', '/%zz', '/n/%zz'].map(answer)),
    ['GET, HEAD', 'GET, HEAD', 'GET, HEAD', 404, 'POST', 404, 'GET, HEAD', 400, 400],
  )
})

test('neither an answer nor the log quotes what the caller sent or what a handler failed with', async () => {
  const { app, log } = await application()
  const secret = 'lk_live_in-the-wrong-place'
  const answers = [
    await app.inject(json(`{"name": ${secret}}`)),
    await app.inject(json(`{"name": {"${secret}": 1}, "a/b~c": "${secret}"}`)),
    await app.inject({ method: 'PUT', url: `/people?key=${secret}` }),
    await app.inject(`/nowhere/${secret}`),
    await app.inject('/fails'),
  ]
  for (const { body } of answers) assert.ok(!body.includes(secret) && !body.includes('hunter2'), body)
  const errors = log()
    .split('\n')
    .filter((line) => line.includes('"err"'))
  assert.equal(errors.length, 1)
  assert.match(errors[0] ?? '', /hunter2/, 'the operator is told')
})

async function raw(bytes: string, given?: FastifyInstance): Promise<string> {
  const app = given ?? (await application()).app
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(bytes)
  const answer = await text(socket)
  await app.close()
  return answer
}

test('what only looks wrong is served: HTTP/1.0 without Host, a coding in capitals', async () => {
  for (const bytes of [
    'GET /people/1 HTTP/1.0\r\n\r\n',
    'POST /people HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n' +
      'Transfer-Encoding: Chunked\r\n\r\n16\r\n{"name":"x","a/b~c":1}\r\n0\r\n\r\n',
  ]) {
    assert.match(await raw(bytes), /^HTTP\/1\.1 200 /, bytes)
  }
})

test('half a request is answered 408 when its time is up, as a problem document', async () => {
  const app = Fastify({
    ...problemOptions,
    http: { ...problemOptions.http, headersTimeout: 50, connectionsCheckingInterval: 10 },
  })
  await app.register(problems)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n')
  const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n')
  await app.close()
  assert.match(head, /^HTTP\/1\.1 408 [^]*content-type: application\/problem\+json/i)
  assert.deepEqual([JSON.parse(body).status, JSON.parse(body).code], [408, 'timeout'])
})

test('half a request holds a connection for five seconds and not for a minute', async () => {
  const { app } = await application()
  assert.equal(app.server.headersTimeout, 5000)
})

test('half a body holds a connection for half a minute and not for ever', async () => {
  const { app } = await application()
  assert.equal(app.server.requestTimeout, 30_000)
})

test('what is not HTTP, or too much of it, gets a problem document too', async () => {
  for (const [bytes, status] of [
    ['nonsense\r\n\r\n', 400],
    ['GET /people/1 HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['GET /people/1 HTTP/1.1\r\nHost: x\r\nhost: y\r\nConnection: close\r\n\r\n', 400],
    ['GET /people/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nConnection: close\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['GET /people/1 HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n', 417],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', 405],
  ] as const) {
    const answer = await raw(bytes)
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), bytes.slice(0, 40))
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(head, /content-type: application\/problem\+json/i, answer)
    assert.equal(JSON.parse(body).status, status)
  }
})

test('an answer that is given before any route is asked is secured, counted, and has its id', async () => {
  for (const [bytes, status] of [
    ['nonsense\r\n\r\n', 400],
    ['GET /people/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
    ['GET /people/1 HTTP/1.1\r\nHost: x\r\nExpect: a miracle\r\n\r\n', 417],
    ['GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', 405],
  ] as const) {
    const counted: unknown[] = []
    const { app, log } = await application()
    onUnrouted(app, (told) => counted.push(told.status))
    const answer = await raw(bytes, app)
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    for (const [name, value] of Object.entries(securityHeaders)) {
      assert.ok(head.toLowerCase().includes(`${name}: ${value}`.toLowerCase()), `${name} in ${head}`)
    }
    const id = /^x-request-id: (\S+)/im.exec(head)?.[1]
    assert.equal(JSON.parse(body).instance, `urn:uuid:${id}`)
    assert.deepEqual(counted, [status])
    const lines = log().split('\n')
    const told = lines.filter((line) => line.includes('answered before any route'))
    assert.deepEqual(
      told.map((line) => line.split('"reqId"').length - 1),
      [1],
      'one line, with one id',
    )
    assert.equal(JSON.parse(told[0] ?? '').reqId, id)
  }
})

test('what is broken behind a request is answered after it, and not in its place', async () => {
  for (const [broken, status] of [
    ['nonsense\r\n\r\n', 400],
    ['CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n', 405],
  ] as const) {
    const app = Fastify(problemOptions)
    await app.register(problems)
    const changed = Promise.withResolvers<void>()
    app.post('/change', async () => {
      await changed.promise
      return 'changed'
    })
    app.get('/', () => 'read')
    // The whole of what is sent has been looked at before the first request is answered.
    app.server.on(status === 405 ? 'connect' : 'clientError', () => setImmediate(changed.resolve))
    const request = (line: string): string => `${line} HTTP/1.1\r\nHost: x\r\n\r\n`
    const answer = await raw(request('POST /change') + request('GET /') + broken + broken, app)
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, told]) => Number(told))
    assert.deepEqual(statuses, [200, 200, status])
    assert.match(answer, /changed[^]*read[^]*problem\+json/)
  }
})

test('whoever asks for a tunnel and is gone ends nothing but the connection', async () => {
  const { app } = await application()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const connecting = once(app.server, 'connect')
  const socket = connect(port, '127.0.0.1')
  socket.write('CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n')
  const [, accepted] = (await connecting) as [unknown, Socket]
  accepted.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  assert.ok(accepted.destroyed)
  await app.close()
  socket.destroy()
})

test('every answer has the id of its request, also one that the application has from its caller', async () => {
  const { app } = await application()
  for (const url of ['/people/1', '/nowhere', '/fails']) {
    assert.match(String((await app.inject(url)).headers['x-request-id']), /^[0-9a-f-]{36}$/, url)
  }
  for (const [id, told] of [
    ['abc', 'abc'],
    ['ü \n', undefined],
  ]) {
    const other = Fastify({ ...problemOptions, genReqId: () => id ?? '' })
    await other.register(problems)
    other.get('/', () => 'done')
    const answer = await other.inject('/')
    assert.deepEqual([answer.statusCode, answer.headers['x-request-id']], [200, told])
  }
})
