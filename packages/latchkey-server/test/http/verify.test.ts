import assert from 'node:assert/strict'
import { refusals } from 'latchkey'
import { scenario } from '../stage.ts'

scenario(
  'a credential is judged by scopes, address, environment and cost, and the answer is 200 with a stable code',
  async ({ send, admin, issue, keyring, clock }) => {
    const as = await admin()
    const { key, secret } = await issue({
      scopes: ['orders:*'],
      addresses: ['192.0.2.0/24'],
      metadata: { plan: 'pro' },
    })
    const verdict = async (body: object): Promise<Readonly<Record<string, unknown>>> => {
      const answer = await send('POST /v1/verify', { as, body: { credential: secret, address: '192.0.2.1', ...body } })
      assert.equal(answer.statusCode, 200, answer.body)
      assert.equal(answer.headers['cache-control'], 'no-store')
      return answer.json()
    }
    assert.deepEqual(await verdict({ scopes: ['orders:read'], anyOf: ['orders:write', 'reports:read'] }), {
      valid: true,
      code: 'accepted',
      key: {
        id: key.id,
        name: 'Shop',
        owner: 'acme',
        environment: 'live',
        scopes: ['orders:read', 'orders:write'],
        metadata: { plan: 'pro' },
        expiresAt: null,
        delegation: null,
      },
    })
    const refused = await verdict({ scopes: ['reports:read'] })
    const { step, why, answer } = refusals.insufficient_scope
    assert.deepEqual(refused, {
      valid: false,
      code: 'insufficient_scope',
      step,
      why,
      answer,
      keyId: key.id,
      owner: 'acme',
      environment: 'live',
      missing: ['reports:read'],
    })
    const codes: readonly (readonly [object, string])[] = [
      [{ address: '198.51.100.1' }, 'address_not_allowed'],
      [{ address: '::ffff:192.0.2.1' }, 'accepted'],
      [{ environment: 'test' }, 'wrong_environment'],
      [{ environment: ['test', 'live'], address: '192.0.2.9' }, 'accepted'],
      [{ environment: null, address: '192.0.2.9' }, 'accepted'],
      [{ environment: 'admin' }, 'wrong_environment'],
      [{ credential: '' }, 'missing'],
      [{ credential: 'x' }, 'malformed'],
      [{ credential: 'x'.repeat(10_000) }, 'malformed'],
      [{ credential: `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}` }, 'mistyped'],
    ]
    for (const [body, code] of codes) assert.equal((await verdict(body))['code'], code, code)
    const ending = await issue({ expiresAt: clock.now() + 10 })
    clock.advance(10)
    assert.equal((await verdict({ credential: ending.secret }))['code'], 'expired')
    const rotated = await keyring.rotate(key.id, { grace: 60 })
    assert.deepEqual((await verdict({}))['retiring'], { since: clock.now(), until: rotated.oldEndsAt })
  },
)

scenario(
  'a requirement that no key can meet is the mistake of who asks: 422, and not a key without the scope',
  async ({ send, admin, issue }) => {
    const as = await admin()
    const { secret } = await issue()
    const codeOf = async (body: object): Promise<string> => {
      const answer = await send('POST /v1/verify', { as, body: { credential: secret, ...body } })
      assert.equal(answer.statusCode, 422)
      return answer.json().code
    }
    assert.equal(await codeOf({ scopes: ['orders:fly'] }), 'unknown_scope')
    assert.equal(await codeOf({ anyOf: ['constructor'] }), 'unknown_scope')
    assert.equal(await codeOf({ environment: 'moon' }), 'invalid_input')
    assert.equal(await codeOf({ cost: -1 }), 'invalid_request')
  },
)

scenario(
  'limits and quota are spent by verification, exactly, and not by dryRun, nor by what is refused',
  async ({ send, admin, issue, keyring, clock }) => {
    const as = await admin()
    const { key, secret } = await issue({ limits: [{ name: 'burst', limit: 3, window: 60 }], quota: { amount: 5 } })
    const verdict = async (body: object = {}): Promise<Readonly<Record<string, unknown>>> =>
      (await send('POST /v1/verify', { as, body: { credential: secret, ...body } })).json()
    const left = async (): Promise<number | undefined> => (await keyring.find(key.id))?.quotaLeft?.remaining
    for (let time = 0; time < 10; time++) assert.equal((await verdict({ dryRun: true }))['code'], 'accepted')
    assert.equal(await left(), 5)
    assert.equal((await verdict({ scopes: ['orders:write'] }))['code'], 'insufficient_scope')
    assert.equal(await left(), 5)
    assert.equal((await verdict({ cost: 2 }))['code'], 'accepted')
    assert.equal(await left(), 3)
    const states = (await verdict())['limits'] as readonly { name: string; remaining: number }[]
    assert.deepEqual(
      states.map(({ name, remaining }) => [name, remaining]),
      [
        ['burst', 0],
        ['quota', 2],
      ],
    )
    const over = await verdict()
    assert.equal(over['code'], 'over_limit')
    assert.ok(Number(over['retryAfter']) >= 1)
    assert.equal(await left(), 2)
    assert.equal((await verdict({ dryRun: true }))['code'], 'over_limit')
    clock.advance(61_000)
    assert.equal((await verdict({ cost: 2 }))['code'], 'accepted')
    assert.equal((await verdict())['code'], 'quota_exhausted')
  },
)

scenario('a report-only limit refuses nobody, and says whom it would have', async ({ send, admin, issue }) => {
  const as = await admin()
  const { secret } = await issue({ limits: [{ name: 'trial', limit: 1, window: 60, reportOnly: true }] })
  const call = async (): Promise<readonly [string, boolean]> => {
    const { code, limits } = (await send('POST /v1/verify', { as, body: { credential: secret } })).json()
    return [code, limits[0].exceeded]
  }
  assert.deepEqual(await call(), ['accepted', false])
  assert.deepEqual(await call(), ['accepted', true])
})

scenario(
  'an admin key that is itself limited is told so, and verifies nothing',
  async ({ send, admin, issue, keyring }) => {
    const as = await admin({ limits: [{ name: 'calls', limit: 1, window: 60 }] })
    const { key, secret } = await issue({ quota: { amount: 5 } })
    const first = await send('POST /v1/verify', { as, body: { credential: secret } })
    assert.match(String(first.headers['ratelimit']), /^"calls";r=0;t=(?:60|59)$/)
    const second = await send('POST /v1/verify', { as, body: { credential: secret } })
    assert.equal(second.statusCode, 429)
    assert.ok(Number(second.headers['retry-after']) >= 1)
    assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 4)
  },
)

scenario(
  'an address that is none is the mistake of who asks, and no verdict',
  async ({ send, admin, issue, watch }) => {
    const as = await admin()
    const { secret } = await issue()
    watch(secret)
    for (const address of [
      'banana',
      '',
      '1.2.3',
      '1.2.3.4, 5.6.7.8',
      '1.2.3.4:80',
      '[::1]',
      '10.0.0.0/8',
      ' 1.2.3.4',
    ]) {
      const answer = await send('POST /v1/verify', { as, body: { credential: secret, address } })
      assert.deepEqual([answer.statusCode, answer.json().code], [422, 'invalid_input'], address)
    }
    for (const address of ['192.0.2.7', '2001:db8::1', '::ffff:192.0.2.7', 'fe80::1%eth0']) {
      const answer = await send('POST /v1/verify', { as, body: { credential: secret, address } })
      assert.equal(answer.json().valid, true, address)
    }
  },
)
