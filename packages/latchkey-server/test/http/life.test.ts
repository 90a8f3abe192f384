import assert from 'node:assert/strict'
import { bounds } from 'latchkey'
import type { Stage } from '../stage.ts'
import { everything, scenario } from '../stage.ts'
import { entriesOf } from '../../../../test/entries.ts'

const wanted = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] }

scenario(
  'a key is issued, read, changed, rotated, disabled, enabled and revoked, and the journal tells of each',
  async ({ send, admin, keyring }) => {
    const as = await admin()
    const body = {
      ...wanted,
      metadata: { plan: 'pro' },
      limits: [{ name: 'burst', limit: 5, window: 60 }],
      quota: { amount: 9, refill: 'day' },
      addresses: ['192.0.2.0/24'],
    }
    const issued = await send('POST /v1/keys', { as, body })
    assert.equal(issued.statusCode, 201)
    const { key, secret, repeated } = issued.json()
    assert.equal(repeated, false)
    assert.match(secret, /^lk_live_\w{38}$/)
    assert.equal(issued.headers['location'], `/v1/keys/${key.id}`)
    assert.equal(issued.headers['etag'], `"${key.revision}"`)
    assert.equal(issued.headers['cache-control'], 'no-store')

    const path = `/v1/keys/${key.id}`
    const read = await send(`GET ${path}`, { as })
    assert.deepEqual(read.json(), JSON.parse(JSON.stringify(await keyring.find(key.id))), 'nothing of it is left out')
    assert.equal(read.headers['etag'], issued.headers['etag'])

    const changed = await send(`PATCH ${path}`, { as, body: { name: 'Shop 2', quota: null, note: 'renamed' } })
    assert.equal(changed.statusCode, 200)
    assert.equal(changed.json().key.name, 'Shop 2')
    assert.equal(changed.json().key.quota, null)
    assert.deepEqual(changed.json().key.limits, body.limits, 'what is left out stays')
    assert.ok(changed.json().propagation.waitedMs >= 0)

    const rotated = await send(`POST ${path}/rotate`, { as, body: { grace: 60 } })
    assert.equal(rotated.statusCode, 200)
    assert.equal(rotated.headers['cache-control'], 'no-store')
    assert.notEqual(rotated.json().secret, secret)
    assert.equal(rotated.json().key.secrets.length, 2)
    const valid = async (credential: string): Promise<string> =>
      (await send('POST /v1/verify', { as, body: { credential, address: '192.0.2.9' } })).json().code
    assert.equal(await valid(secret), 'accepted')
    assert.equal((await send(`POST ${path}/rotate`, { as })).statusCode, 409, 'one rotation at a time')
    assert.equal((await send(`POST ${path}/retire`, { as })).json().key.secrets.length, 1, 'without a body')
    assert.equal(await valid(secret), 'secret_ended')
    assert.equal(await valid(rotated.json().secret), 'accepted')

    assert.equal((await send(`POST ${path}/disable`, { as, body: { note: 'for now' } })).json().key.state, 'disabled')
    assert.equal(await valid(rotated.json().secret), 'disabled')
    assert.equal((await send(`POST ${path}/enable`, { as })).json().key.state, 'active')
    const revoked = await send(`POST ${path}/revoke`, { as, body: { reason: 'requested', note: 'bye' } })
    assert.equal(revoked.json().key.state, 'revoked')
    assert.equal(await valid(rotated.json().secret), 'revoked')
    assert.equal((await send(`PATCH ${path}`, { as, body: { name: 'x' } })).json().code, 'conflict')

    const entries = await entriesOf(keyring, { key: key.id })
    assert.deepEqual(
      entries.map(({ action, actor }) => [action, actor]),
      ['issue', 'change', 'rotate', 'retire', 'disable', 'enable', 'revoke'].map((action) => [action, as.key.id]),
    )
  },
)

scenario('a revoked key is erased, and the journal no longer says what it was', async ({ send, admin, issue }) => {
  const as = await admin()
  const { key } = await issue({ name: 'Zebulon' })
  const path = `/v1/keys/${key.id}`
  assert.equal((await send(`DELETE ${path}`, { as })).json().code, 'conflict')
  const revoked = await send(`POST ${path}/revoke`, { as, body: { reason: 'requested', note: 'Zebulon asked' } })
  const tag = String(revoked.headers['etag'])
  assert.equal((await send(`DELETE ${path}`, { as, headers: { 'if-match': '"1"' } })).statusCode, 412)
  const headers = { 'if-match': tag, 'idempotency-key': 'once' }
  const erased = await send(`DELETE ${path}`, { as, headers })
  assert.equal(erased.statusCode, 200)
  assert.deepEqual([erased.json().cleared, erased.json().repeated], [true, false])
  assert.equal((await send(`DELETE ${path}`, { as, headers })).json().repeated, true)
  assert.equal((await send(`GET ${path}`, { as })).statusCode, 404)
  assert.equal((await send(`DELETE ${path}`, { as })).json().code, 'unknown_key')
  assert.ok(!(await send('GET /v1/journal', { as })).body.includes('Zebulon'))
  assert.equal((await send('GET /v1/journal/verify?rows=true', { as })).json().intact, true)
})

scenario('a disabled owner is erased with its keys, and its name is told nowhere', async ({ send, admin, issue }) => {
  const as = await admin()
  const { key } = await issue({ owner: 'Zebulon' })
  assert.equal((await send('DELETE /v1/owners/Zebulon', { as })).json().code, 'conflict')
  const body = { disabled: true, note: 'Zebulon asked' }
  const disabled = await send('PATCH /v1/owners/Zebulon', { as, body })
  assert.equal((await send('DELETE /v1/owners/Zebulon', { as, headers: { 'if-match': '"1"' } })).statusCode, 412)
  const headers = { 'if-match': String(disabled.headers['etag']), 'idempotency-key': 'once' }
  const erased = await send('DELETE /v1/owners/Zebulon', { as, headers })
  assert.deepEqual([erased.statusCode, erased.json().cleared, erased.json().repeated], [200, true, false])
  assert.ok(!erased.body.includes('Zebulon'))
  assert.equal((await send('DELETE /v1/owners/Zebulon', { as, headers })).json().repeated, true)
  assert.equal((await send('DELETE /v1/owners/Zebulon', { as })).json().code, 'unknown_owner')
  assert.equal((await send(`GET /v1/keys/${key.id}`, { as })).statusCode, 404)
  assert.ok(!(await send('GET /v1/journal', { as })).body.includes('Zebulon'))
  assert.equal((await send('GET /v1/journal/verify?rows=true', { as })).json().intact, true)
})

scenario(
  'an owner is read and disabled, and all its keys are refused until it is enabled',
  async ({ send, admin, issue }) => {
    const as = await admin()
    const { secret } = await issue({ owner: 'acme / ünïcode' })
    const path = `/v1/owners/${encodeURIComponent('acme / ünïcode')}`
    const read = await send(`GET ${path}`, { as })
    assert.deepEqual(read.json(), {
      owner: 'acme / ünïcode',
      disabled: false,
      disabledAt: null,
      limits: [],
      revision: 0,
    })
    assert.equal(read.headers['etag'], '"0"')
    const disabled = await send(`PATCH ${path}`, { as, body: { disabled: true }, headers: { 'if-match': '"0"' } })
    assert.equal(disabled.json().owner.disabled, true)
    const code = async (): Promise<string> =>
      (await send('POST /v1/verify', { as, body: { credential: secret } })).json().code
    assert.equal(await code(), 'owner_disabled')
    assert.equal(
      (await send(`PATCH ${path}`, { as, body: { disabled: false }, headers: { 'if-match': '"0"' } })).statusCode,
      412,
    )
    await send(`PATCH ${path}`, { as, body: { disabled: false } })
    assert.equal(await code(), 'accepted')
    assert.equal((await send('GET /v1/owners/nobody', { as })).json().code, 'unknown_owner')
  },
)

scenario('an owner with the longest name, in the longest spelling, can be read', async ({ send, admin, issue }) => {
  const owner = '𝔞'.repeat(bounds.label / 2)
  await issue({ owner })
  assert.equal((await send(`GET /v1/owners/${encodeURIComponent(owner)}`, { as: await admin() })).json().owner, owner)
})

scenario(
  '1,000 keys are issued with one call, or none, and imported keys work with the secrets their callers hold',
  async ({ send, admin, changes, watch }) => {
    const as = await admin()
    const before = await changes()
    const many = Array.from({ length: bounds.bulk }, (_, index) => ({ ...wanted, name: `Key ${index}` }))
    const bad = [...many.slice(1), { ...wanted, scopes: ['nothing:here'] }]
    const refused = await send('POST /v1/keys/bulk', { as, body: { keys: bad } })
    assert.equal(refused.statusCode, 422)
    assert.match(refused.json().detail, /^Key 1000 of 1000: /)
    assert.equal(await changes(), before)
    assert.equal((await send('POST /v1/keys/bulk', { as, body: { keys: [...many, ...many] } })).statusCode, 422)
    const issued = await send('POST /v1/keys/bulk', { as, body: { keys: many } })
    assert.equal(issued.statusCode, 201)
    assert.equal(issued.headers['cache-control'], 'no-store')
    assert.equal(new Set(issued.json().created.map(({ secret }: { secret: string }) => secret)).size, bounds.bulk)

    const old = 'sk-from-elsewhere-0123456789'
    watch(old)
    const { createHash } = await import('node:crypto')
    const hash = createHash('sha256').update(old).digest('hex')
    const imported = await send('POST /v1/keys/import', {
      as,
      body: { keys: [{ ...wanted, hash, algorithm: 'sha256', bits: 128, start: 'sk-fro' }] },
    })
    assert.equal(imported.statusCode, 201)
    assert.equal(imported.json().created[0].start, 'sk-fro')
    const verdict = await send('POST /v1/verify', { as, body: { credential: old } })
    assert.equal(verdict.json().key.id, imported.json().created[0].id)
    const again = await send('POST /v1/keys/import', {
      as,
      body: { keys: [{ ...wanted, hash, algorithm: 'sha256', bits: 128 }] },
    })
    assert.equal(again.json().code, 'conflict')
  },
)

scenario('unknown members are refused by name, wherever they are, and the value is not repeated', async (stage) => {
  const { send, admin, changes } = stage
  const as = await admin()
  const before = await changes()
  const { key } = await stage.issue()
  const refusedAt = async (line: string, body: object): Promise<string> => {
    const answer = await send(line, { as, body })
    assert.equal(answer.statusCode, 422, answer.body)
    assert.ok(!answer.body.includes('s3cret'))
    return answer
      .json()
      .errors.map(({ pointer }: { pointer: string }) => pointer)
      .join(' ')
  }
  assert.equal(await refusedAt('POST /v1/keys', { ...wanted, secret: 's3cret' }), '/secret')
  assert.equal(await refusedAt('POST /v1/keys', { ...wanted, quota: { amount: 1, colour: 's3cret' } }), '/quota/colour')
  assert.equal(await refusedAt('POST /v1/keys/bulk', { keys: [wanted, { ...wanted, 'a/b': 1 }] }), '/keys/1/a~1b')
  assert.equal(await refusedAt(`PATCH /v1/keys/${key.id}`, { environment: 's3cret' }), '/environment')
  assert.equal(await refusedAt(`POST /v1/keys/${key.id}/revoke`, { reason: 'other', why: 1 }), '/why')
  assert.equal(await refusedAt('POST /v1/verify', { credential: 'x', api_key: 's3cret' }), '/api_key')
  assert.equal((await send('GET /v1/keys?colour=s3cret', { as })).json().errors[0].pointer, '/colour')
  assert.equal(await changes(), before + 1)
})

scenario('everything has a stated maximum, and one more is refused', async ({ send, admin, changes }: Stage) => {
  const as = await admin()
  const before = await changes()
  const limit = { name: 'a', limit: 1, window: 1 }
  const letters = 'abcdefghi'
  const beyond: readonly object[] = [
    { name: 'x'.repeat(bounds.label + 1) },
    { owner: 'x'.repeat(bounds.label + 1) },
    { scopes: Array.from({ length: bounds.scopes + 1 }, () => 'orders:read') },
    { metadata: { ['x'.repeat(bounds.metadata.name + 1)]: 'x' } },
    { metadata: { x: 'x'.repeat(bounds.metadata.bytes) } },
    { metadata: { x: [[[[[[[[]]]]]]]] } },
    { addresses: Array.from({ length: bounds.addresses + 1 }, (_, index) => `10.0.0.${index}`) },
    {
      limits: Array.from(letters)
        .slice(0, bounds.limits.count + 1)
        .map((name) => ({ ...limit, name })),
    },
    { limits: [{ ...limit, limit: bounds.limits.limit + 1 }] },
    { limits: [{ ...limit, window: bounds.limits.window + 1 }] },
    { quota: { amount: bounds.quota + 1 } },
  ]
  for (const members of beyond) {
    const answer = await send('POST /v1/keys', { as, body: { ...wanted, ...members } })
    assert.equal(answer.statusCode, 422, JSON.stringify(members).slice(0, 100))
  }
  const large = await send('POST /v1/keys', { as, body: { ...wanted, name: 'x'.repeat(200_000) } })
  assert.equal(large.json().code, 'body_too_large')
  const token = await send('POST /v1/keys', {
    as,
    body: wanted,
    headers: { 'idempotency-key': 'x'.repeat(bounds.idempotencyKey + 1) },
  })
  assert.equal(token.statusCode, 422)
  assert.equal(await changes(), before)
})

scenario('the id of another owner is answered like one that does not exist', async ({ send, admin, issue }) => {
  const { key } = await issue({ owner: 'acme' })
  const as = await admin({ owner: 'globex', delegation: { ...everything, owner: 'globex' } })
  const lines = [
    'GET ',
    'PATCH ',
    'POST /rotate',
    'POST /retire',
    'POST /disable',
    'POST /enable',
    'POST /revoke',
    'GET /v1/journal?key=',
    'GET /v1/usage?key=',
  ]
  for (const line of lines) {
    const [method = '', rest = ''] = line.split(' ')
    const body = method === 'PATCH' ? { name: 'Mine' } : rest === '/revoke' ? { reason: 'other' } : undefined
    const answers = [key.id, `${key.id.slice(0, -1)}_`].map(async (id) => {
      const url = rest.includes('?') ? `${rest}${id}` : `/v1/keys/${id}${rest}`
      const { statusCode, headers, body: text } = await send(`${method} ${url}`, { as, body })
      const { date: _, 'x-request-id': _id, ...others } = headers
      return JSON.stringify([statusCode, others, text.replace(/urn:uuid:[0-9a-f-]+/, '')])
    })
    const [one, other] = await Promise.all(answers)
    assert.equal(one, other, line)
    assert.match(one ?? '', /^\[404,/)
  }
})

scenario(
  'a member that other languages think nothing of is refused by its name, and is metadata like any other',
  async ({ send, admin }) => {
    const as = await admin()
    const plain = '"name":"Shop","owner":"acme","scopes":[]'
    for (const [name, member] of [
      ['__proto__', '"__proto__":{"environment":"test"}'],
      ['constructor', '"constructor":{"prototype":{"a":1}}'],
    ]) {
      const answer = await send('POST /v1/keys', { as, body: `{${plain},${member}}` })
      const [fault, ...others] = answer.json().errors
      assert.deepEqual([answer.statusCode, fault.pointer, others], [422, `/${name}`, []])
      assert.match(fault.detail, /^is not known here; known are: name, owner, /)
    }
    const metadata = '{"__proto__":"x","constructor":"y"}'
    const made = await send('POST /v1/keys', { as, body: `{${plain},"metadata":${metadata}}` })
    assert.equal(made.statusCode, 201, made.body)
    assert.ok(made.body.includes(`"metadata":${metadata}`), made.body)
    const { id } = made.json().key
    const read = await send(`GET /v1/keys/${id}`, { as })
    assert.ok(read.body.includes(`"metadata":${metadata}`), read.body)
    assert.equal(({} as { environment?: unknown }).environment, undefined)
  },
)

scenario('a key that is sent back as it was read is not changed, and its quota not filled up', async (stage) => {
  const { send, admin, issue, keyring } = stage
  const as = await admin()
  const { key, secret } = await issue({ quota: { amount: 10, refill: 'month' } })
  await keyring.verify(secret, { cost: 4 })
  const path = `/v1/keys/${key.id}`
  const { name, owner, scopes, metadata, notBefore, expiresAt, addresses, limits, quota } = (
    await send(`GET ${path}`, { as })
  ).json()
  const body = { name, owner, scopes, metadata, notBefore, expiresAt, addresses, limits, quota }
  const changes = await stage.changes()
  assert.equal((await send(`PATCH ${path}`, { as, body })).json().key.quotaLeft.remaining, 6)
  assert.equal(await stage.changes(), changes)
  const filled = await send(`PATCH ${path}`, { as, body: { quota: { ...quota, remaining: 10 } } })
  assert.equal(filled.json().key.quotaLeft.remaining, 10)
  const more = { as, headers: { 'idempotency-key': 'more' }, body: { quota: { add: 90 } } }
  for (let call = 0; call < 2; call++) {
    assert.equal((await send(`PATCH ${path}`, more)).json().key.quotaLeft.remaining, 100, 'added once')
  }
  assert.equal((await send(`PATCH ${path}`, { as, body: { quota: { take: 30 } } })).json().key.quotaLeft.remaining, 70)
  for (const wrong of [{ add: 1, take: 1 }, { add: 1, amount: 5 }, {}, { take: 0 }]) {
    assert.equal((await send(`PATCH ${path}`, { as, body: { quota: wrong } })).statusCode, 422, JSON.stringify(wrong))
  }
})
