import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { scenario } from '../../stage.ts'

const asJson = { 'content-type': 'application/json' }

scenario('a verb whose body may be left out takes an announced body that is not there', async (stage) => {
  const { send, admin, issue } = stage
  const as = await admin()
  const { key } = await issue()
  for (const verb of ['rotate', 'retire', 'disable', 'enable']) {
    const answer = await send(`POST /v1/keys/${key.id}/${verb}`, { as, headers: asJson })
    assert.equal(answer.statusCode, 200, `${verb}: ${answer.body}`)
  }
  const changes = await stage.changes()
  for (const [line, body] of [
    ['POST /v1/keys', ''],
    [`POST /v1/keys/${key.id}/revoke`, ''],
    [`POST /v1/keys/${key.id}/disable`, ' '],
  ] as const) {
    const answer = await send(line, { as, body, headers: asJson })
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'invalid_json'], line)
  }
  assert.equal(await stage.changes(), changes)
})

scenario('a member that is given twice is 400 and named: nothing is chosen between the two', async (stage) => {
  const { send, admin, issue } = stage
  const as = await admin()
  const { key, secret } = await issue()
  const changes = await stage.changes()
  for (const [line, body, pointer] of [
    ['POST /v1/keys', '{"name":"a","owner":"acme","owner":"globex","scopes":[]}', '/owner'],
    ['POST /v1/keys/bulk', '{"keys":[{"name":"a","owner":"b","scopes":[],"n\\u0061me":"c"}]}', '/keys/0/name'],
    [`PATCH /v1/keys/${key.id}`, '{"limits":[{"name":"a","limit":1,"limit":9,"window":1}]}', '/limits/0/limit'],
    [`POST /v1/keys/${key.id}/revoke`, '{"reason":"other","reason":"unused"}', '/reason'],
    ['PATCH /v1/owners/acme', '{"disabled":false,"disabled":true}', '/disabled'],
    ['POST /v1/verify', `{"credential":"x","credential":"${secret}"}`, '/credential'],
  ] as const) {
    const answer = await send(line, { as, body })
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'invalid_json'], line)
    assert.deepEqual(answer.json().errors, [{ pointer, detail: 'is given more than once' }])
  }
  assert.equal(await stage.changes(), changes)
})

scenario('bytes that are no UTF-8 are 400 in body, query and path, and never become another name', async (stage) => {
  const { app, send, admin, issue } = stage
  const as = await admin()
  // What decoders put in place of bytes that they cannot read.
  await issue({ owner: 'acme' })
  const changes = await stage.changes()
  const payload = Buffer.from('{"name":"a","owner":"glob\xff","scopes":[]}', 'latin1')
  const headers = { ...asJson, 'x-api-key': as.secret }
  const made = await app.inject({ method: 'POST', url: '/v1/keys', headers, payload })
  assert.deepEqual([made.statusCode, made.json().code], [400, 'invalid_json'])
  for (const path of ['/v1/keys?owner=%FF', '/v1/keys?owner=a%', '/v1/owners/%ff', '/v1/usage?owner=%ed%a0%80']) {
    const answer = await send(`GET ${path}`, { as })
    assert.deepEqual([answer.statusCode, answer.json().code], [400, 'bad_request'], path)
  }
  assert.equal((await send('GET /v1/keys?owner=%C3%A9', { as })).statusCode, 200)
  assert.equal(await stage.changes(), changes)
})

scenario('more than one Idempotency-Key is 400, and one with a comma in it is one', async (stage) => {
  const { app, admin } = stage
  const as = await admin()
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const changes = await stage.changes()
  const body = JSON.stringify({ name: 'Shop', owner: 'acme', scopes: [] })
  const status = async (lines: string): Promise<string | undefined> => {
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `POST /v1/keys HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-Key: ${as.secret}\r\n${lines}` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    const answer = await text(socket)
    stage.watch(/"secret":"([^"]+)"/.exec(answer)?.[1] ?? as.secret)
    return /^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]
  }
  assert.equal(await status('Idempotency-Key: a\r\nIdempotency-Key: b\r\n'), '400')
  assert.equal(await status('Idempotency-Key: a\r\nidempotency-key: a\r\n'), '400')
  assert.equal(await stage.changes(), changes)
  assert.equal(await status('Idempotency-Key: a, b\r\n'), '201')
})

scenario('what must be one of a few values is refused with the values', async ({ send, admin, issue }) => {
  const as = await admin()
  const { key } = await issue()
  const answer = await send(`POST /v1/keys/${key.id}/revoke`, { as, body: { reason: 'because' } })
  const detail = 'must be one of compromised, superseded, unused, requested, other'
  assert.deepEqual([answer.statusCode, answer.json().errors], [422, [{ pointer: '/reason', detail }]])
  const listed = await send('GET /v1/keys?state=asleep', { as })
  assert.equal(listed.statusCode, 422)
  assert.match(listed.json().detail, /^state must be one of active, pending/)
  const one = await send('GET /v1/keys?order=none', { as })
  assert.match(one.json().errors[0].detail, /^must be one of oldest, newest/)
})
