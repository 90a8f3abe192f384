import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { openStage, scenario } from '../stage.ts'

scenario(
  'the metrics count verdicts and answers by labels that are few, whatever is sent',
  async ({ send, admin, issue, app }) => {
    const as = await admin()
    const { secret } = await issue()
    await send('POST /v1/verify', { as, body: { credential: secret } })
    await send('POST /v1/verify', { as, body: { credential: secret, scopes: ['orders:write'] } })
    await send('POST /v1/verify', { as, body: { credential: secret, dryRun: true } })
    await send('GET /v1/keys')
    for (const path of ['/one', '/two', '/v1/keys/x', '/v1/keys/y']) await send(`GET ${path}`, { as })
    await app.inject({ method: 'PROPFIND' as 'GET', url: '/one' })
    const answer = await send('GET /metrics', { as })
    assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
    const lines = answer.body.split('\n')
    const told = (line: string): void => {
      const ours = lines.filter((one) => one.startsWith('latchkey')).join('\n')
      assert.ok(lines.includes(line), `${line}\n${ours}`)
    }
    told('latchkey_verifications_total{outcome="insufficient_scope"} 1')
    told('latchkey_verifications_total{outcome="missing"} 1')
    told('latchkey_http_requests_total{route="/v1/keys/:id",method="GET",status="404"} 2')
    told('latchkey_http_requests_total{route="none",method="GET",status="404"} 2')
    told('latchkey_http_requests_total{route="/v1/keys",method="GET",status="401"} 1')
    told('latchkey_http_request_duration_seconds_count{route="/v1/verify",method="POST"} 3')
    assert.match(answer.body, /^process_cpu_user_seconds_total /m)
    for (const trace of ['PROPFIND', 'acme', as.key.id]) assert.ok(!answer.body.includes(trace), trace)
  },
)

test('a failing store is 503 with Retry-After, never 500 and never a yes, and readyz says so while healthz does not', async () => {
  const stage = await openStage()
  const { send, keyring, close, log } = stage
  const as = await stage.admin()
  const { key, secret } = await stage.issue()
  assert.equal((await send('GET /readyz')).statusCode, 200)
  // Its handle is gone, as with a disk that is.
  await keyring.close()
  const lines = [
    'GET /v1/keys',
    `GET /v1/keys/${key.id}`,
    'GET /readyz',
    'GET /v1/journal',
    'GET /v1/usage',
    'GET /v1/usage/series',
    'POST /v1/verify',
  ]
  for (const line of lines) {
    const answer = await send(line, { as, body: line.startsWith('POST') ? { credential: secret } : undefined })
    assert.equal(answer.statusCode, 503, line)
    assert.equal(answer.headers['retry-after'], '1')
    assert.equal(answer.json().code, 'unavailable')
    assert.doesNotMatch(answer.body, /database|sqlite|statement/i)
  }
  assert.equal((await send('GET /healthz')).statusCode, 200)
  assert.match(log(), /"level":50/, 'those who run it are told')
  await close()
})

test('a server on tables that a newer version has brought up to date answers 503, and says that it must be that version', async () => {
  const file = join(temporaryFolder('newer-tables'), 'keys.db')
  const { send, admin, log, close } = await openStage({ store: `sqlite:${file}` })
  const as = await admin()
  assert.equal((await send('GET /v1/keys', { as })).statusCode, 200)
  const newer = new DatabaseSync(file)
  newer.exec('INSERT INTO latchkey_migrations (version) VALUES (1000)')
  newer.close()
  const ready = await send('GET /readyz')
  assert.equal(ready.statusCode, 503)
  assert.match(ready.json().detail, /Stop this server, and start it anew with that version/)
  assert.equal((await send('POST /v1/keys', { as, body: { name: 'Shop', owner: 'acme' } })).statusCode, 503)
  assert.match(log(), /A newer version of Latchkey has brought the database up to date/)
  await assert.rejects(close(), { cause: 'newer schema' })
})

scenario(
  'every answer has the headers that browsers need to be told, and no page of another origin may read it',
  async ({ send, admin }) => {
    const as = await admin()
    for (const line of ['GET /v1/keys', 'GET /nothing', 'DELETE /v1/keys', 'GET /openapi.json', 'GET /docs']) {
      const { headers } = await send(line, { as, headers: { origin: 'https://evil.example' } })
      assert.equal(headers['x-content-type-options'], 'nosniff', line)
      assert.equal(headers['referrer-policy'], 'no-referrer')
      assert.match(String(headers['content-security-policy']), /default-src 'none'/)
      assert.doesNotMatch(String(headers['content-security-policy']), /upgrade-insecure-requests/)
      assert.equal(headers['access-control-allow-origin'], undefined)
      assert.equal(headers['strict-transport-security'], undefined)
    }
  },
)

scenario(
  'a configured origin may call from a browser, another may not, and nobody with cookies',
  async ({ send, admin }) => {
    const as = await admin()
    const origin = 'https://admin.example.com'
    const preflight = await send('OPTIONS /v1/keys', { headers: { origin, 'access-control-request-method': 'POST' } })
    assert.equal(preflight.statusCode, 204)
    assert.equal(preflight.headers['access-control-allow-origin'], origin)
    assert.match(String(preflight.headers['access-control-allow-headers']), /X-API-Key.*If-Match.*Idempotency-Key/)
    const answer = await send('GET /v1/keys', { as, headers: { origin } })
    assert.equal(answer.headers['access-control-allow-origin'], origin)
    assert.match(String(answer.headers['access-control-expose-headers']), /ETag.*X-Request-Id/)
    for (const { headers } of [preflight, answer]) assert.match(String(headers['x-request-id']), /^[0-9a-f-]{36}$/)
    // A page is told of its mistakes, too.
    const wrong = await send('GET /v1/keys?owner=%ff', { as, headers: { origin } })
    assert.deepEqual([wrong.statusCode, wrong.headers['access-control-allow-origin']], [400, origin])
    assert.equal(answer.headers['access-control-allow-credentials'], undefined)
    for (const other of ['https://admin.example.com.evil.example', 'http://admin.example.com', 'null']) {
      const refused = await send('OPTIONS /v1/keys', {
        headers: { origin: other, 'access-control-request-method': 'POST' },
      })
      assert.equal(refused.headers['access-control-allow-origin'], undefined, other)
      assert.equal(refused.headers['vary'], 'Origin')
    }
  },
  { corsOrigins: ['https://admin.example.com'] },
)

scenario(
  'other methods are 405 with Allow, unknown paths 404, and HEAD is GET without the body',
  async ({ send, admin }) => {
    const as = await admin()
    const wrong = await send('PUT /v1/keys/x', { as })
    assert.deepEqual([wrong.statusCode, wrong.headers['allow']], [405, 'DELETE, GET, HEAD, PATCH'])
    assert.equal((await send('OPTIONS /v1/verify')).headers['allow'], 'POST')
    assert.equal((await send('GET /v1')).json().code, 'not_found')
    const head = await send('HEAD /v1/keys', { as })
    assert.deepEqual([head.statusCode, head.body], [200, ''])
    assert.equal(
      (await send('POST /v1/keys', { as, body: '<key/>', headers: { 'content-type': 'application/xml' } })).statusCode,
      415,
    )
  },
)

scenario(
  'the log has who, what and how it ended, and neither a credential nor what stood in the address',
  async ({ send, admin, issue, log }) => {
    const as = await admin()
    const { secret } = await issue()
    await send(`GET /v1/keys?text=${secret}&key=${secret}`, { as })
    await send(`GET /v1/keys/${secret}`, { as })
    await send(`GET /${secret}`, { as: secret })
    await send('POST /v1/verify', { as, body: { credential: secret, scopes: ['orders:write'] } })
    await send('POST /v1/keys', { as, body: `{"secret": "${secret}"` })
    const lines = log()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>)
    const answers = lines.filter(({ msg }) => msg === 'answer')
    assert.equal(answers.length, 5)
    const { method, route, status, keyId, reqId, outcome } = answers[0] ?? {}
    assert.deepEqual([method, route, status, keyId, outcome], ['GET', '/v1/keys', 422, as.key.id, 'rejected'])
    assert.match(String(reqId), /^[0-9a-f-]{36}$/)
    assert.ok(lines.some(({ msg, outcome: of }) => msg === 'verified' && of === 'insufficient_scope'))
  },
)

test('what is answered before any route is asked is counted and logged like all else', async () => {
  const stage = await openStage()
  const { app, send, admin, log, finish } = stage
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const requests = ['nonsense\r\n\r\n', 'GET /%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n']
  for (const bytes of requests) {
    const socket = connect(port, '127.0.0.1')
    socket.write(bytes)
    assert.match(await text(socket), /^HTTP\/1\.1 400 /)
  }
  const { body } = await send('GET /metrics', { as: await admin() })
  for (const method of ['other', 'GET']) {
    assert.ok(body.includes(`latchkey_http_requests_total{route="none",method="${method}",status="400"} 1`), body)
  }
  const lines = log().match(/"status":400,"outcome":"rejected","msg":"answered before any route"/g)
  assert.equal(lines?.length, 2, log())
  await finish()
})

test('readyz says no when the file of the database was deleted, and changes are 503', async (context) => {
  const folder = temporaryFolder('ready', { context })
  const stage = await openStage({ store: `sqlite:${join(folder, 'keys.db')}` })
  const as = await stage.admin()
  assert.equal((await stage.send('GET /readyz')).statusCode, 200)
  rmSync(join(folder, 'keys.db'))
  assert.equal((await stage.send('GET /readyz')).statusCode, 503)
  const body = { name: 'Lost', owner: 'acme', scopes: [] }
  assert.equal((await stage.send('POST /v1/keys', { as, body })).statusCode, 503)
  assert.equal((await stage.send('GET /healthz')).statusCode, 200)
  assert.match(stage.log(), /was deleted or replaced while it was open/)
  // The usage gathered so far has no place to be written to, and whoever closes is told.
  await assert.rejects(stage.keyring.close(), /was deleted or replaced/)
})

test('probes are not logged while they are well, and are where they are not', async () => {
  const stage = await openStage({ logLevel: 'info' })
  for (const path of ['/healthz', '/readyz', '/healthz'])
    assert.equal((await stage.send(`GET ${path}`)).statusCode, 200)
  assert.equal(stage.log(), '')
  await stage.keyring.close()
  assert.equal((await stage.send('GET /readyz')).statusCode, 503)
  assert.match(stage.log(), /"level":50/)
  await stage.close()
})

scenario('who opens the server comes to its documents', async ({ send }) => {
  const answer = await send('GET /')
  assert.deepEqual([answer.statusCode, answer.headers.location], [302, '/docs'])
  assert.equal((await send('GET /docs')).statusCode, 200)
})

test('on closing, readyz says no while requests are served; then what is in flight is answered, usage is written, the store is closed', async () => {
  // Long enough for all that is asked meanwhile, on a machine that is slow, too.
  const stage = await openStage({ drainDelay: 5 })
  const { app, keyring, close } = stage
  const as = await stage.admin()
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const closed = close()
  const ready = await fetch(`${address}/readyz`)
  assert.deepEqual([ready.status, ready.headers.get('connection')], [503, 'close'])
  assert.equal((await fetch(`${address}/healthz`)).status, 200)

  const { port } = app.server.address() as AddressInfo
  const body = JSON.stringify({ name: 'Late', owner: 'acme', scopes: [] })
  const socket = connect(port, '127.0.0.1')
  const arrived = once(app.server, 'request')
  socket.write(
    `POST /v1/keys HTTP/1.1\r\nHost: x\r\nX-API-Key: ${as.secret}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body.slice(0, 10)}`,
  )
  await arrived
  // Nobody new gets in any more, and the one whose request is half here is waited for.
  while (app.server.listening) await new Promise(setImmediate)
  await assert.rejects(fetch(`${address}/healthz`))
  assert.equal((await keyring.list({ owner: 'acme' })).keys.length, 0)
  socket.write(body.slice(10))
  const answer = await text(socket)
  assert.match(answer, /^HTTP\/1\.1 201 /)
  assert.match(answer, /connection: close/i)
  await closed
  await assert.rejects(async () => keyring.list())
})
