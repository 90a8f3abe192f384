import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { freePort } from '../../../test/free-port.ts'
import type { ConnectOptions } from '../src/client.ts'
import { connectKeyring } from '../src/client.ts'

const key = 'lk_admin_0123456789abcdefghijABCDEFGHIJ01234567'
const keyringAnswer = { environments: ['live'], scopes: { 'orders:read': 'Read orders' } }

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** A server that answers as the test says, but for the first question of every client. */
async function serverFor(context: TestContext, handler: Handler): Promise<{ url: string; requests: string[] }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    if (request.url?.endsWith('/v1/keyring') === true) response.end(JSON.stringify(keyringAnswer))
    else void handler(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests }
}

async function connected(context: TestContext, handler: Handler, options: Partial<ConnectOptions> = {}) {
  const { url, requests } = await serverFor(context, handler)
  const inTime = async (address: string | URL | Request, init?: RequestInit): Promise<Response> => {
    // However little time the test gives, the first question is answered.
    const isFirst = address instanceof URL && address.pathname.endsWith('/v1/keyring')
    return fetch(address, isFirst ? { ...init, signal: null } : init)
  }
  const keyring = await connectKeyring({ url, key, fetch: inTime, ...options })
  requests.length = 0
  return { keyring, requests, url }
}

/** The error of a call, which must have this code and must not contain the key, however it is printed. */
async function failure(call: Promise<unknown>, code: string): Promise<string> {
  const error = await call.then(
    () => assert.fail('it succeeded'),
    (reason: unknown) => reason as { code?: string; message: string },
  )
  assert.equal(error.code, code, error.message)
  assert.ok(!inspect(error, { depth: 9 }).includes(key.slice(12)), 'the key is not in the error')
  return error.message
}

const problem = (status: number, code: string, more: object = {}): Handler => {
  return (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/problem+json' })
    response.end(
      JSON.stringify({ type: 'about:blank', title: 'x', status, detail: `Detail of ${code}.`, code, ...more }),
    )
  }
}

test('the prefix of an address is kept, with or without its last slash', async (context) => {
  const { url, requests } = await serverFor(context, (_request, response) => response.end('{"keys":[],"cursor":null}'))
  for (const prefix of ['', '/', '/latchkey', '/a/b//']) await (await connectKeyring({ url: url + prefix, key })).list()
  assert.deepEqual(requests, [
    'GET /v1/keyring',
    'GET /v1/keys',
    'GET /v1/keyring',
    'GET /v1/keys',
    'GET /latchkey/v1/keyring',
    'GET /latchkey/v1/keys',
    'GET /a/b/v1/keyring',
    'GET /a/b/v1/keys',
  ])
})

test('addresses and keys that cannot be used are refused, and not repeated', async () => {
  const urls = ['', 'latchkey', 'ftp://x', 'file:///etc', `http://${key}@host`, `http://u:${key}@host`]
  for (const url of [...urls, `http://host?key=${key}`, `http://host/#${key}`]) {
    await failure(connectKeyring({ url, key }), 'invalid_input')
  }
  for (const bad of ['', `${key}\n`, `${key} `, `${key}é`, key.repeat(40), undefined]) {
    await failure(connectKeyring({ url: 'http://127.0.0.1:1', key: bad as string }), 'invalid_input')
  }
  await failure(connectKeyring({ url: 'http://127.0.0.1:1', key, timeout: 0 }), 'invalid_input')
})

test('the key does not go over http to another machine, unless somebody says so', async () => {
  const asked: string[] = []
  const fetch = async (address: unknown): Promise<Response> => {
    asked.push(String(address))
    return Response.json({ scopes: {}, environments: ['live'] })
  }
  const another = [
    'http://keys.example.com',
    'http://10.0.0.7:8080',
    'http://[fd12::1]',
    'http://127.0.0.1.example.com',
  ]
  for (const url of [...another, 'http://localhost.example', 'http://0.0.0.0', 'http://user.localhost']) {
    await failure(connectKeyring({ url, key, fetch }), 'invalid_input')
    await failure(connectKeyring({ url, key, fetch, insecure: 'no' as never }), 'invalid_input')
  }
  assert.deepEqual(asked, [])
  const here = ['http://127.0.0.1:1', 'http://localhost', 'http://[::1]:8080', 'http://127.1.2.3', 'http://2130706433']
  for (const url of [...here, 'https://keys.example.com']) await connectKeyring({ url, key, fetch })
  for (const url of another) await connectKeyring({ url, key, fetch, insecure: true })
  assert.equal(asked.length, here.length + 1 + another.length)
})

test('the key is sent as a header and stands in no address', async (context) => {
  const seen: (string | undefined)[] = []
  const { keyring, requests } = await connected(context, async (request, response) => {
    seen.push(request.headers['x-api-key'] as string)
    assert.ok(!(await text(request)).includes(key))
    response.end(request.method === 'GET' ? '{"keys":[],"cursor":null}' : '{}')
  })
  await keyring.list({ owner: 'acme' })
  await keyring.revoke('key_1', { reason: 'other' })
  assert.deepEqual(seen, [key, key])
  assert.deepEqual(requests, ['GET /v1/keys?owner=acme', 'POST /v1/keys/key_1/revoke'])
})

test('a problem document is an error with its code, and its faults are told', async (context) => {
  let handler: Handler = () => undefined
  const { keyring } = await connected(context, (request, response) => handler(request, response))
  const same = [
    'invalid_input',
    'unknown_scope',
    'conflict',
    'precondition_failed',
    'idempotency_key_reused',
    'beyond_delegation',
  ]
  for (const code of [...same, 'still_running', 'unknown_key']) {
    handler = problem(409, code)
    assert.equal(await failure(keyring.disable('key_1'), code), `Detail of ${code}.`)
  }
  const expected: Readonly<Record<string, [number, string]>> = {
    invalid_key: [401, 'admin_key_refused'],
    insufficient_scope: [403, 'admin_key_refused'],
    over_limit: [429, 'unavailable'],
    unavailable: [503, 'unavailable'],
    body_too_large: [413, 'invalid_input'],
    not_found: [404, 'unexpected_answer'],
    internal: [500, 'unexpected_answer'],
  }
  for (const [code, [status, becomes]] of Object.entries(expected)) {
    handler = problem(status, code)
    assert.match(await failure(keyring.disable('key_1'), becomes), new RegExp(`Detail of ${code}`))
  }
  handler = problem(422, 'invalid_body', { errors: [{ pointer: '/name', detail: 'must be\n\u001b[31mshort' }] })
  assert.equal(
    await failure(keyring.disable('key_1'), 'invalid_input'),
    'Detail of invalid_body. /name must be [31mshort.',
  )
})

test('what is no Latchkey server is said to be none', async (context) => {
  let answer: [number, string] = [200, '']
  const { keyring } = await connected(context, (_request, response) => response.writeHead(answer[0]).end(answer[1]))
  const others: readonly [number, string][] = [
    [200, '<html>'],
    [200, '[]'],
    [200, ''],
    [404, '<html>'],
    [500, '{}'],
  ]
  for (answer of others) {
    await failure(keyring.list(), 'unexpected_answer')
  }
  answer = [502, '<html>Bad gateway']
  await failure(keyring.list(), 'unavailable')
})

test('a redirect is not followed, so that the key goes nowhere else', async (context) => {
  const other = await serverFor(context, (_request, response) => response.end('{}'))
  const { keyring } = await connected(context, (_request, response) => {
    response.writeHead(307, { location: `${other.url}/v1/keys` }).end()
  })
  assert.match(await failure(keyring.list(), 'unexpected_answer'), /redirect/)
  assert.equal((await keyring.verify('x')).ok, false)
  assert.deepEqual(other.requests, [])
})

test('an answer without end is not read to its end', async (context) => {
  const { keyring } = await connected(
    context,
    (_request, response) => {
      const chunk = Buffer.alloc(1 << 20, ' ')
      const more = (): void => {
        while (!response.destroyed && response.write(chunk)) continue
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    },
    { timeout: 300_000 },
  )
  assert.match(await failure(keyring.list(), 'unexpected_answer'), /too large/)
})

/** Breaks so many connections after the request was read, then answers. */
function breaking(times: number): Handler {
  let left = times
  return async (request, response) => {
    await text(request)
    if (left-- > 0) request.socket.destroy()
    else response.end('{"keys":[],"created":[],"cursor":null}')
  }
}

test('a reading call is sent again when the connection fails, twice unless another number is given', async (context) => {
  const first = await connected(context, breaking(1))
  await first.keyring.list()
  assert.equal(first.requests.length, 2)
  for (const [options, sent] of [
    [{}, 3],
    [{ retries: 0 }, 1],
    [{ retries: 1 }, 2],
  ] as const) {
    const { keyring, requests } = await connected(context, breaking(9), options)
    await failure(keyring.list(), 'unavailable')
    assert.equal(requests.length, sent)
  }
  const url = 'http://127.0.0.1:1'
  for (const retries of [-1, 1.5, 11, Number.NaN, '2' as never]) {
    assert.match(await failure(connectKeyring({ url, key, retries }), 'invalid_input'), /^retries must be/)
  }
})

test('a changing call is sent again with the idempotency key that it had, and one that creates only where it was given one', async (context) => {
  const tokens: unknown[] = []
  const handler: Handler = (request, response) => {
    tokens.push(request.headers['idempotency-key'])
    return breaking(99)(request, response)
  }
  const { keyring, requests } = await connected(context, handler, { retries: 1 })
  const owner = 'acme'
  await failure(keyring.issue({ name: 'x', owner, scopes: [] }), 'unavailable')
  await failure(keyring.issueMany([{ name: 'x', owner, scopes: [] }]), 'unavailable')
  assert.equal((await keyring.verify('x')).ok, false, 'it may have spent something')
  assert.equal(requests.length, 3)
  await failure(keyring.revoke('key_1', { reason: 'other' }), 'unavailable')
  await failure(keyring.change('key_1', { name: 'x' }), 'unavailable')
  await failure(keyring.rotate('key_1', { idempotencyKey: 'mine' }), 'unavailable')
  const [revoke, revokeAgain, change, changeAgain, ...rotations] = tokens.slice(3)
  assert.ok(typeof revoke === 'string' && typeof change === 'string' && revoke !== change)
  assert.deepEqual([revokeAgain, changeAgain, rotations], [revoke, change, ['mine', 'mine']])
  const sameCall = await connected(context, breaking(1))
  await sameCall.keyring.issueMany([{ name: 'x', owner, scopes: [] }], { idempotencyKey: 'today' })
  assert.equal(sameCall.requests.length, 2)
})

test('a server that takes too long, or is not there, is unavailable; verify says so and does not throw', async (context) => {
  const { keyring } = await connected(context, () => undefined, { timeout: 50 })
  assert.match(await failure(keyring.list(), 'unavailable'), /no answer in 0.05 s/)
  const verdict = await keyring.verify('x')
  assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable' && verdict.refusal.answer.status === 503)

  const nowhere = `http://127.0.0.1:${await freePort()}`
  assert.match(await failure(connectKeyring({ url: nowhere, key }), 'unavailable'), /ECONNREFUSED/)
})

test('the time of an answer that comes drop by drop is limited too', async (context) => {
  const { keyring } = await connected(
    context,
    (_request, response) => {
      const drops = setInterval(() => response.write(' '), 20)
      response.on('close', () => clearInterval(drops))
    },
    { timeout: 200 },
  )
  await failure(keyring.list(), 'unavailable')
})

const accepted = {
  id: 'key_1',
  name: 'x',
  owner: 'acme',
  environment: 'live',
  scopes: [],
  metadata: {},
  expiresAt: null,
}

test('only what is plainly a yes is a yes', async (context) => {
  let answer: object = {}
  const { keyring } = await connected(context, (_request, response) => response.end(JSON.stringify(answer)))
  const no: readonly object[] = [
    {},
    { valid: 'true', key: accepted },
    { valid: 1, key: accepted },
    { valid: true },
    { valid: true, key: null },
    { valid: true, key: { ...accepted, scopes: 'orders:read' } },
    { valid: true, key: { ...accepted, owner: undefined } },
    { valid: true, key: accepted, limits: 'none' },
    { valid: true, key: accepted, limits: [null] },
    { valid: true, key: accepted, retiring: 5 },
    { valid: true, key: accepted, retiring: { since: 0, until: 1e300 } },
    { valid: false, code: 'newer', answer: { status: 99_999, code: 'newer', detail: 'Of a newer server' } },
    { valid: false },
    { valid: false, code: 7 },
    { valid: false, code: 'constructor' },
    { valid: false, code: 'newer', answer: { status: 200, code: 'x', detail: 'x' } },
    { ok: true, key: accepted },
  ]
  for (answer of no) {
    const verdict = await keyring.verify('x')
    assert.equal(verdict.ok ? 'accepted' : verdict.refusal.code, 'unavailable', JSON.stringify(answer))
  }
  answer = { valid: true, code: 'accepted', key: accepted }
  assert.equal((await keyring.verify('x')).ok, true)
  answer = {
    valid: false,
    code: 'too_new',
    step: 'find',
    why: 'New.',
    answer: { status: 403, code: 'new', detail: 'New.' },
  }
  const newer = await keyring.verify('x')
  assert.ok(!newer.ok)
  assert.deepEqual([newer.refusal.code, newer.refusal.answer.status], ['too_new', 403], 'of a newer server')
})

test('a report on the journal says whether the journal is intact, or it is none', async (context) => {
  let answer: object = {}
  const { keyring } = await connected(context, (_request, response) => response.end(JSON.stringify(answer)))
  const head = { seq: 5, hash: 'a'.repeat(64) }
  for (answer of [{}, { entries: 5, head }, { whole: true, entries: 5, head }, { intact: 'true', entries: 5, head }]) {
    await failure(keyring.verifyJournal(), 'unexpected_answer')
  }
  answer = { intact: true, entries: 5, head }
  assert.equal((await keyring.verifyJournal()).intact, true)
})

test('a page of a list is one, and whoever follows its cursor comes to an end', async (context) => {
  let answer: object = {}
  const { keyring } = await connected(context, (_request, response) => response.end(JSON.stringify(answer)))
  const lists = {
    keys: async (cursor?: string) => keyring.list(cursor === undefined ? {} : { cursor }),
    owners: async (cursor?: string) => keyring.owners(cursor === undefined ? {} : { cursor }),
    entries: async (cursor?: string) => keyring.journal(cursor === undefined ? {} : { cursor }),
    usage: async (cursor?: string) => keyring.usage(cursor === undefined ? {} : { cursor }),
    refusals: async (cursor?: string) => keyring.refusals(cursor === undefined ? {} : { cursor }),
  }
  for (const [name, read] of Object.entries(lists)) {
    for (const items of [undefined, null, 'abc', { length: 1 }, [null], ['a'], [[]]]) {
      answer = { [name]: items, cursor: null }
      await failure(read(), 'unexpected_answer')
    }
    for (const cursor of [undefined, '', 5, {}, '\u001b]0;x\u0007', 'a b', 'x'.repeat(5000)]) {
      answer = { [name]: [], cursor }
      await failure(read(), 'unexpected_answer')
    }
    answer = { [name]: [], cursor: 'abc' }
    assert.equal((await read('ab')).cursor, 'abc', 'a page may be empty')
    assert.match(await failure(read('abc'), 'unexpected_answer'), /leads to itself/)
  }
})

test('what JSON would write as null is not sent, since null clears', async (context) => {
  const { keyring, requests } = await connected(context, (_request, response) => response.end('{}'))
  for (const expiresAt of [Number.NaN, Number.POSITIVE_INFINITY, 1n as unknown as number]) {
    await failure(keyring.change('key_1', { expiresAt }), 'invalid_input')
  }
  const verdict = await keyring.verify('x', { cost: Number.NaN })
  assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
  assert.deepEqual(requests, [])
})

test('no id leads to another path', async (context) => {
  const { keyring, requests } = await connected(context, problem(404, 'unknown_key'))
  for (const id of ['', '.', '..', '\ud800']) await failure(keyring.find(id), 'invalid_input')
  for (const id of ['../owners/acme', 'a/b?c#d', '%2e%2e']) assert.equal(await keyring.find(id), undefined)
  assert.deepEqual(requests, [
    'GET /v1/keys/..%2Fowners%2Facme',
    'GET /v1/keys/a%2Fb%3Fc%23d',
    'GET /v1/keys/%252e%252e',
  ])
})

test('a fetch of your own is used, and what it says of a failure is not passed on', async () => {
  const own: typeof fetch = async (input, init) => {
    if (input instanceof URL && input.pathname === '/v1/keyring') return Response.json(keyringAnswer)
    throw new Error(`could not send ${JSON.stringify(init?.headers)}`)
  }
  const keyring = await connectKeyring({ url: 'https://keys.example.com', key, fetch: own })
  await failure(keyring.list(), 'unavailable')
})

/** What a server answers to a key of this environment with these scopes. */
const accepting = (environment: string, scopes: readonly string[]): Handler => {
  const answered = { id: 'key_1', name: 'Shop', owner: 'acme', environment, scopes, metadata: {}, expiresAt: null }
  return (_request, response) => response.end(JSON.stringify({ valid: true, code: 'accepted', key: answered }))
}

test('whatever verify is given, it answers: nothing is missing, what is no text is malformed, and none is sent', async (context) => {
  const { keyring, requests } = await connected(context, accepting('live', []))
  const strange: readonly (readonly [credential: unknown, code: string])[] = [
    [undefined, 'missing'],
    [null, 'missing'],
    ['', 'missing'],
    [['lk_live_x'], 'malformed'],
    [{ text: 'lk_live_x', hash: 'x' }, 'malformed'],
    [1, 'malformed'],
    [Symbol('x'), 'malformed'],
    ['x'.repeat(1025), 'malformed'],
  ]
  for (const [credential, code] of strange) {
    const verdict = await keyring.verify(credential as never)
    assert.equal(verdict.ok ? 'accepted' : verdict.refusal.code, code)
  }
  assert.deepEqual(requests, [])
})

test('a requirement or a call that is not understood is not sent, and accepts nobody', async (context) => {
  const { keyring, requests } = await connected(context, accepting('live', ['orders:read']))
  const strange: readonly (readonly [requirement: unknown, call: unknown, told: RegExp])[] = [
    [{ scopes: ['orders:read'] }, {}, /"scopes" is none/],
    [{ anyOf: [] }, {}, /anyOf/],
    [{ allOf: undefined }, {}, /allOf/],
    [{ environment: undefined }, {}, /environment/],
    [null, {}, /requirement/],
    ['orders:read', {}, /requirement/],
    [undefined, { dryrun: true }, /"dryrun" is none/],
    [undefined, null, /call/],
    [undefined, { seenBy: () => true }, /seenBy/],
  ]
  for (const [requirement, call, told] of strange) {
    const verdict = await keyring.verify('x', requirement as never, call as never)
    assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
    assert.match(String(verdict.cause), told)
  }
  assert.deepEqual(requests, [])
})

test('a key is accepted only where it is what was asked for, whatever the server says', async (context) => {
  const answers: readonly (readonly [answer: Handler, requirement: object, accepted: boolean])[] = [
    [accepting('live', ['orders:read']), {}, true],
    [accepting('live', ['orders:read']), { allOf: ['orders:read'] }, true],
    [accepting('live', ['orders:read']), { anyOf: ['orders:write', 'orders:read'] }, true],
    [accepting('test', ['orders:read']), { environment: 'test' }, false],
    [accepting('test', ['orders:read']), {}, false],
    [accepting('admin', ['keys:read']), { environment: 'admin', allOf: ['keys:read'] }, true],
    [accepting('admin', ['keys:read']), {}, false],
    [accepting('live', []), { allOf: ['orders:read'] }, false],
    [accepting('live', ['orders:read']), { allOf: ['orders:read', 'orders:write'] }, false],
    [accepting('live', ['reports:read']), { anyOf: ['orders:write', 'orders:read'] }, false],
    [accepting('live', ['orders:*']), { allOf: ['orders:read'] }, false],
    [accepting('live', [1 as never]), {}, false],
  ]
  for (const [answer, requirement, yes] of answers) {
    const { keyring } = await connected(context, answer)
    const verdict = await keyring.verify('x', requirement)
    assert.equal(verdict.ok, yes, JSON.stringify(requirement))
    if (!verdict.ok) assert.equal(verdict.refusal.code, 'unavailable')
  }
})
