import assert from 'node:assert/strict'
import { test } from 'node:test'
import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { latchkeyServer, serverOptions } from '../../src/http/app.ts'
import { firstAdminKey } from '../../src/first-admin-key.ts'
import { everything, scenario, scopes } from '../stage.ts'

interface Verdicts {
  readonly verdicts: readonly (Readonly<Record<string, unknown>> & { readonly code: string })[]
}

scenario(
  'each credential of a batch has the verdict that it would have alone, in order, whatever is wrong with the others',
  async ({ send, admin, issue, watch }) => {
    const as = await admin()
    const { key, secret } = await issue({ scopes: ['orders:*'], addresses: ['192.0.2.0/24'] })
    const mistyped = `${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`
    watch(mistyped)
    const questions = [
      { credential: secret, address: '192.0.2.1' },
      { credential: '', address: '192.0.2.1' },
      { credential: 'nonsense \u0000"\\ \ud800' },
      { credential: secret, address: '198.51.100.1' },
      { credential: 'x'.repeat(100_000) },
      { credential: mistyped },
      { credential: secret, address: '192.0.2.1', scopes: ['reports:read'] },
      { credential: secret, address: '192.0.2.1', environment: 'test' },
      { credential: secret, address: '192.0.2.1', anyOf: ['reports:read', 'orders:write'] },
    ]
    const alone = []
    for (const body of questions) alone.push((await send('POST /v1/verify', { as, body })).json())
    const calls = questions.map(({ credential, address, ...requirement }) => ({ credential, address, requirement }))
    const answer = await send('POST /v1/verify/batch', { as, body: { calls } })
    assert.equal(answer.statusCode, 200, answer.body)
    assert.equal(answer.headers['cache-control'], 'no-store')
    assert.deepEqual(answer.json<Verdicts>().verdicts, alone)
    assert.equal(answer.json().verdicts[0].key.id, key.id)
  },
)

scenario(
  'the requirement for all holds for every call that has none of its own, and is not mixed with one that has',
  async ({ send, admin, issue }) => {
    const as = await admin()
    const { secret } = await issue({ scopes: ['orders:read'] })
    const codes = async (body: object): Promise<readonly string[]> => {
      const answer = await send('POST /v1/verify/batch', { as, body })
      return answer.json<Verdicts>().verdicts.map(({ code }) => code)
    }
    const calls = [{ credential: secret }, { credential: secret, requirement: { cost: 1 } }]
    assert.deepEqual(await codes({ calls }), ['accepted', 'accepted'])
    const requirement = { scopes: ['orders:write'] }
    assert.deepEqual(await codes({ calls, requirement }), ['insufficient_scope', 'accepted'])
  },
)

scenario(
  'limits and quotas are spent in order, by the calls that are accepted, and by no dry run',
  async ({ send, admin, issue, keyring }) => {
    const as = await admin()
    const limits = [{ name: 'burst', limit: 4, window: 60 }]
    const { key, secret } = await issue({ limits, quota: { amount: 10 } })
    const body = {
      calls: [{ cost: 5 }, { cost: 3 }, { scopes: ['orders:write'] }, { cost: 2 }, { cost: 1 }, { cost: 1 }].map(
        (requirement) => ({ credential: secret, requirement }),
      ),
    }
    const dry = (await send('POST /v1/verify/batch', { as, body: { ...body, dryRun: true } })).json<Verdicts>()
    assert.deepEqual(
      dry.verdicts.map(({ code }) => code),
      ['over_limit', 'accepted', 'insufficient_scope', 'accepted', 'accepted', 'accepted'],
    )
    const spent = (await send('POST /v1/verify/batch', { as, body })).json<Verdicts>()
    assert.deepEqual(
      spent.verdicts.map(({ code }) => code),
      ['over_limit', 'accepted', 'insufficient_scope', 'over_limit', 'accepted', 'over_limit'],
    )
    assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 6)
  },
)

scenario(
  'a question that is wrong is refused by the place of the mistake, and nothing is spent',
  async ({ send, admin, issue, keyring }) => {
    const as = await admin()
    const { key, secret } = await issue({ quota: { amount: 500 } })
    const right = { credential: secret }
    const wrong: readonly (readonly [body: object, status: number, place: RegExp])[] = [
      [{}, 422, /"\/calls"/],
      [{ calls: [] }, 422, /"\/calls"/],
      [{ calls: right }, 422, /"\/calls"/],
      [{ calls: Array.from({ length: 101 }, () => right) }, 422, /"\/calls","detail":"must have at most 100 items"/],
      [{ calls: [right, { credential: 5 }] }, 422, /"\/calls\/1\/credential"/],
      [{ calls: [right, {}] }, 422, /"\/calls\/1\/credential"/],
      [{ calls: [right, { ...right, scopes: ['orders:read'] }] }, 422, /"\/calls\/1\/scopes"/],
      [{ calls: [right, { ...right, dryRun: true }] }, 422, /"\/calls\/1\/dryRun"/],
      [{ calls: [right, { ...right, requirement: { cost: -1 } }] }, 422, /"\/calls\/1\/requirement\/cost"/],
      [{ calls: [right, { ...right, requirement: { scopes: ['orders:fly'] } }] }, 422, /Call 2: .*orders:fly/],
      [{ calls: [right, { ...right, address: 'banana' }] }, 422, /Call 2: address must be/],
      [{ calls: [right], requirement: { environment: 'moon' } }, 422, /environment must be one of/],
      [{ calls: [right], requirements: {} }, 422, /"\/requirements"/],
    ]
    for (const [body, status, place] of wrong) {
      const answer = await send('POST /v1/verify/batch', { as, body })
      assert.equal(answer.statusCode, status, answer.body)
      assert.match(answer.body, place)
    }
    const large = { calls: [{ credential: 'x'.repeat(5 * 1024 * 1024) }] }
    assert.equal((await send('POST /v1/verify/batch', { as, body: large })).statusCode, 413)
    assert.equal((await send('POST /v1/verify/batch', { as, body: '{"calls":' })).statusCode, 400)
    assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 500)
  },
)

scenario(
  'an admin key that is bound to an owner learns nothing of the keys of others from a batch',
  async ({ send, admin, issue }) => {
    const acme = await issue({ owner: 'acme' })
    const globex = await issue({ owner: 'globex' })
    const as = await admin({ owner: 'globex', delegation: { ...everything, owner: 'globex' } })
    const calls = [acme, globex].map(({ secret }) => ({ credential: secret }))
    const { verdicts } = (await send('POST /v1/verify/batch', { as, body: { calls } })).json<Verdicts>()
    const { step, why, answer } = (
      await send('POST /v1/verify', { as, body: { credential: acme.secret.replace('live', 'test') } })
    ).json()
    assert.deepEqual(
      verdicts.map(({ code }) => code),
      ['unknown', 'accepted'],
    )
    assert.ok(step !== undefined && why !== undefined && answer !== undefined)
    assert.deepEqual(Object.keys(verdicts[0] ?? {}), ['valid', 'code', 'step', 'why', 'answer'])
  },
)

scenario(
  'each verdict of a batch is counted, and each refusal can be read by the id of the request and its place',
  async ({ send, admin, issue, log }) => {
    const as = await admin()
    const { key, secret } = await issue()
    const calls = [
      { credential: secret },
      { credential: secret, requirement: { scopes: ['orders:write'] } },
      { credential: secret },
      { credential: 'nonsense' },
    ]
    await send('POST /v1/verify/batch', { as, body: { calls, dryRun: true } })
    const { headers } = await send('POST /v1/verify/batch', { as, body: { calls } })
    const metrics = (await send('GET /metrics', { as })).body
    // Accepted besides: the admin key, with each of the three requests.
    assert.match(metrics, /^latchkey_verifications_total\{outcome="accepted"\} 5$/m)
    assert.match(metrics, /^latchkey_verifications_total\{outcome="insufficient_scope"\} 1$/m)
    assert.match(metrics, /^latchkey_verifications_total\{outcome="malformed"\} 1$/m)
    const id = String(headers['x-request-id'])
    const refusal = (await send(`GET /v1/refusals/${id}.1`, { as })).json()
    assert.deepEqual(
      [refusal.code, refusal.keyId, refusal.route],
      ['insufficient_scope', key.id, 'POST /v1/verify/batch'],
    )
    assert.equal((await send(`GET /v1/refusals/${id}.3`, { as })).json().code, 'malformed')
    assert.equal((await send(`GET /v1/refusals/${id}.0`, { as })).statusCode, 404)
    assert.match(log(), /"outcome":"insufficient_scope".*"verified"/)
  },
)

test('a store that fails is 503 while nothing was accepted; what was accepted is answered', async () => {
  const store = sqliteStore({ file: ':memory:' })
  // Only quotas need it then: a store that is gone altogether would refuse the admin key already.
  const spend: typeof store.spend = () => {
    throw new Error('The disk is full.')
  }
  const keyring = await openKeyring({ store: { ...store, spend }, scopes })
  let log = ''
  const app = Fastify({ ...serverOptions, logger: { stream: { write: (line: string) => (log += line) } } })
  await app.register(latchkeyServer, { keyring })
  const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const
  const plain = await keyring.issue(shop)
  const metered = await keyring.issue({ ...shop, quota: { amount: 9 } })
  const admin = await firstAdminKey(keyring)
  const ask = async (...holders: readonly { secret: string }[]) =>
    app.inject({
      method: 'POST',
      url: '/v1/verify/batch',
      headers: { 'x-api-key': admin },
      payload: { calls: holders.map(({ secret }) => ({ credential: secret })) },
    })
  const nothing = await ask(metered, metered)
  assert.deepEqual([nothing.statusCode, nothing.headers['retry-after']], [503, '1'])
  assert.equal(nothing.json().code, 'unavailable')
  const { verdicts } = (await ask(plain, metered, plain)).json<Verdicts>()
  assert.deepEqual(
    verdicts.map(({ code }) => code),
    ['accepted', 'unavailable', 'accepted'],
  )
  assert.match(log, /"level":50.*some credentials cannot be judged/)
  await app.close()
  await keyring.close()
})
