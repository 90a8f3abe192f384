import assert from 'node:assert/strict'
import { everything, scenario } from '../stage.ts'

const wanted = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] }

scenario(
  'an admin key gives nothing beyond its own owner, scopes, environment, lifetime and addresses',
  async ({ send, admin, clock, changes }) => {
    const ends = clock.now() + 1_000_000
    const delegation = { owner: 'acme', environments: ['live'], scopes: ['orders:read'] }
    const as = await admin({ owner: 'acme', delegation, expiresAt: ends, addresses: ['127.0.0.0/8'] })
    const within = { ...wanted, expiresAt: ends, addresses: ['127.0.0.1'] }
    const made = await send('POST /v1/keys', { as, body: within })
    assert.equal(made.statusCode, 201, made.body)
    const before = await changes()
    const beyond: readonly object[] = [
      { owner: 'globex' },
      { scopes: ['orders:write'] },
      { scopes: ['orders:*'] },
      { environment: 'test' },
      { environment: 'admin', scopes: ['keys:read'] },
      { expiresAt: null },
      { expiresAt: ends + 1 },
      { addresses: null },
      { addresses: ['10.0.0.1'] },
    ]
    for (const members of beyond) {
      const body = { ...within, ...members }
      for (const [line, sent] of [
        ['POST /v1/keys', body],
        ['POST /v1/keys/bulk', { keys: [within, body] }],
      ] as const) {
        const answer = await send(line, { as, body: sent })
        assert.equal(answer.statusCode, 403, JSON.stringify(members))
        assert.equal(answer.json().code, 'beyond_delegation')
      }
      if ('environment' in members) continue
      const changed = await send(`PATCH /v1/keys/${made.json().key.id}`, { as, body: members })
      assert.equal(changed.statusCode, 403, JSON.stringify(members))
    }
    assert.equal(await changes(), before)
  },
)

scenario(
  'an admin key gives an admin key only within itself, and one that may give nothing gives nothing',
  async ({ send, admin }) => {
    const delegation = { ...everything, owner: 'acme' }
    const as = await admin({ owner: 'acme', scopes: ['keys:write', 'keys:read'], delegation })
    const child = { name: 'Child', owner: 'acme', environment: 'admin' }
    const statusOf = async (members: object): Promise<number> =>
      (await send('POST /v1/keys', { as, body: { ...child, ...members } })).statusCode
    assert.equal(await statusOf({ scopes: ['keys:write'], delegation }), 201)
    assert.equal(await statusOf({ scopes: ['journal:read'], delegation }), 403)
    assert.equal(await statusOf({ scopes: ['keys:write'], delegation: everything }), 403)
    const powerless = await admin({ delegation: null })
    assert.equal((await send('POST /v1/keys', { as: powerless, body: wanted })).statusCode, 403)
    assert.deepEqual((await send('GET /v1/keys', { as: powerless })).json(), { keys: [], cursor: null })
  },
)

scenario(
  'lists, usage, owners, verdicts and refusals are of those keys only that the admin key sees',
  async ({ send, admin, issue, keyring }) => {
    const acme = await issue({ owner: 'acme' })
    const globex = await issue({ owner: 'globex' })
    const as = await admin({ owner: 'globex', delegation: { ...everything, owner: 'globex' } })
    const { keys } = (await send('GET /v1/keys?environment=live', { as })).json()
    assert.deepEqual(
      keys.map(({ id }: { id: string }) => id),
      [globex.key.id],
    )
    assert.deepEqual((await send('GET /v1/keys?owner=acme', { as })).json().keys, [])

    const verdict = async ({ secret }: { secret: string }): Promise<object> =>
      (await send('POST /v1/verify', { as, body: { credential: secret } })).json()
    const unknown = await verdict({ secret: acme.secret.replace(/.{9}$/, '') })
    assert.deepEqual(
      Object.keys(await verdict(acme)),
      Object.keys(unknown),
      'no member more than of one that does not exist',
    )
    assert.equal(((await verdict(acme)) as { code: string }).code, 'unknown')
    await keyring.revoke(acme.key.id, { reason: 'other' })
    assert.equal(((await verdict(acme)) as { code: string }).code, 'unknown', 'in whatever state it is')
    assert.equal(((await verdict(globex)) as { code: string }).code, 'accepted')

    await keyring.flushUsage()
    const { usage } = (await send('GET /v1/usage', { as })).json()
    assert.deepEqual([...new Set(usage.map(({ owner }: { owner: string }) => owner))], ['globex'])
    const { series, others } = (await send('GET /v1/usage/series?by=owner', { as })).json()
    assert.deepEqual(
      series.map(({ group }: { group: string }) => group),
      ['globex'],
    )
    assert.deepEqual(others.total, { count: 0, cost: 0 })
    assert.equal((await send('GET /v1/owners/acme', { as })).statusCode, 404)
    const owners = (await send('GET /v1/owners', { as })).json()
    assert.deepEqual([owners.owners.map((one: { owner: string }) => one.owner), owners.cursor], [['globex'], null])
    assert.deepEqual((await send('GET /v1/owners?text=ac', { as })).json(), { owners: [], cursor: null })
    const patched = await send('PATCH /v1/owners/acme', { as, body: { limits: null } })
    assert.deepEqual(
      patched.json().code,
      (await send('PATCH /v1/owners/nobody', { as, body: { limits: null } })).json().code,
    )
    const counted = async (query: string): Promise<object> => {
      const { asOf: _, ...counts } = (await send(`GET /v1/counts${query}`, { as })).json()
      return counts
    }
    assert.equal(((await counted('?environment=live')) as { keys: number }).keys, 1)
    assert.deepEqual(await counted('?owner=acme'), await counted('?owner=nobody'))
    assert.equal((await send('GET /v1/journal', { as })).statusCode, 403)
    assert.equal((await send('GET /v1/journal?owner=globex', { as })).statusCode, 200)
    assert.equal((await send(`GET /v1/journal?key=${globex.key.id}`, { as })).json().entries.length, 1)
  },
)

scenario('what an admin key may give is what it may give now', async ({ send, admin, keyring }) => {
  const as = await admin()
  assert.equal((await send('POST /v1/keys', { as, body: wanted })).statusCode, 201)
  await keyring.change(as.key.id, { delegation: { ...everything, scopes: [] } })
  assert.equal((await send('POST /v1/keys', { as, body: wanted })).statusCode, 403)
})
