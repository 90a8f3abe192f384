import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import { temporaryFolder } from '../../../../test/temporary-folder.ts'
import { compose } from '../../src/compose.ts'
import { SettingsError } from '../../src/config.ts'
import { forwardAuthOptions } from '../../src/http/forward-auth.ts'
import type { Settings } from '../../src/config.ts'
import { makeIdentityKey, textOfIdentityKeys } from '../../src/identity/key-file.ts'
import { neededKeys, publishedBefore } from '../../src/identity/rotation.ts'
import type { Stage } from '../stage.ts'
import { everything, memorySettings, scenario } from '../stage.ts'
import { identityIn } from '../forward-auth/stand.ts'
import { test } from 'node:test'

const identity = identityIn(temporaryFolder('identity'))

const settings: Partial<Settings> = {
  identity,
  forwardAuth: { host: '127.0.0.1', port: 0 },
  forwardAuthProxies: ['198.51.100.0/24'],
  policies: {
    read: { scopes: ['orders:read'], audience: 'orders-api' },
    both: { scopes: ['orders:read', 'orders:write'], passScopes: ['orders:write'], cost: 3 },
    any: { scopes: 'any', environment: ['live', 'test'], credential: 'bearer' },
  },
}

interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly from?: string
}

/** Asks as a proxy does. */
async function ask(
  { forProxies }: Stage,
  url: string,
  { method = 'GET', headers = {}, from }: Ask = {},
): Promise<LightMyRequestResponse> {
  assert.ok(forProxies !== undefined)
  const request = {
    method,
    url: `/v1/forward-auth/${url}`,
    headers,
    ...(from === undefined ? {} : { remoteAddress: from }),
  }
  return forProxies.inject(request as InjectOptions)
}

interface Claims {
  readonly iss: string
  readonly aud: string
  readonly sub: string
  readonly owner: string
  readonly environment: string
  readonly scopes: readonly string[]
  readonly iat: number
  readonly exp: number
}

/** What an identity says, once its signature is checked with the published keys. */
async function claimsOf({ send }: Stage, token: unknown): Promise<Claims & { readonly kid: string }> {
  const [header = '', body = '', signature = ''] = String(token).split('.')
  const { alg, typ, kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as Record<string, string>
  assert.deepEqual([alg, typ], ['EdDSA', 'latchkey-identity+jwt'])
  const { keys } = (await send('GET /.well-known/jwks.json')).json<{ keys: { kid: string; x: string }[] }>()
  const jwk = keys.find((one) => one.kid === kid)
  assert.ok(jwk !== undefined && !('d' in jwk))
  const key = createPublicKey({ key: jwk, format: 'jwk' })
  assert.ok(verify(null, Buffer.from(`${header}.${body}`), key, Buffer.from(signature, 'base64url')))
  return { kid: kid ?? '', ...(JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims) }
}

scenario(
  'an accepted key gets a signed identity with what the policy passes on, and plain headers for logs',
  async (stage) => {
    const { key, secret } = await stage.issue({ owner: 'Ümit & Söhne', scopes: ['orders:*', 'reports:read'] })
    const accepted = await ask(stage, 'read', { headers: { 'x-api-key': secret } })
    assert.deepEqual([accepted.statusCode, accepted.body], [200, ''])
    assert.equal(accepted.headers['cache-control'], 'no-store')
    assert.equal(accepted.headers['x-latchkey-key-id'], key.id)
    assert.equal(decodeURIComponent(String(accepted.headers['x-latchkey-owner'])), 'Ümit & Söhne')
    const { kid: _kid, ...claims } = await claimsOf(stage, accepted.headers['x-latchkey-identity'])
    const iat = Math.floor(stage.clock.now() / 1000)
    const common = { iss: 'latchkey', sub: key.id, owner: 'Ümit & Söhne', environment: 'live', iat, exp: iat + 30 }
    assert.deepEqual(claims, { ...common, aud: 'orders-api', scopes: ['orders:read'] })
    const both = await ask(stage, 'both', { headers: { 'x-api-key': secret } })
    const passed = await claimsOf(stage, both.headers['x-latchkey-identity'])
    assert.deepEqual([passed.aud, passed.scopes], ['both', ['orders:write']])
    const bearer = await ask(stage, 'any', { headers: { authorization: `Bearer ${secret}` } })
    assert.deepEqual((await claimsOf(stage, bearer.headers['x-latchkey-identity'])).scopes, [])
  },
  settings,
)

scenario(
  'no method, no path and no query decides: the policy stands first, and what follows is the caller’s',
  async (stage) => {
    const { secret } = await stage.issue({ scopes: ['orders:read'] })
    const headers = { 'x-api-key': secret, 'x-forwarded-uri': '/v1/forward-auth/any', 'x-original-url': '/any' }
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PROPFIND', 'POST', 'TRACE']) {
      for (const suffix of ['', '/', '?policy=any', '/%zz', '/nginx/x', '/orders?scopes=none']) {
        const found = await ask(stage, `read${suffix}`, { method, headers })
        assert.equal(found.statusCode, 200, `${method} read${suffix}`)
        const other = await ask(stage, `both${suffix}`, { method, headers })
        assert.ok([403, 404].includes(other.statusCode), `${method} both${suffix}`)
      }
    }
    for (const url of ['', 'nope', 'read%2fx', 'READ', 'read;x', '%72ead', '../keys']) {
      const { statusCode } = await ask(stage, url, { headers })
      assert.equal(statusCode, 404, url)
    }
    const { secret: admin } = await stage.admin()
    assert.equal(
      (await stage.forProxies?.inject({ url: '/v1/keys', headers: { 'x-api-key': admin } }))?.statusCode,
      404,
    )
    assert.equal((await stage.send('GET /v1/forward-auth/read', { as: secret })).statusCode, 404)
  },
  settings,
)

scenario(
  'a refusal is the one of the guard, its note has the policy for a route, and what it costs is the policy’s',
  async (stage) => {
    const { key, secret } = await stage.issue({ scopes: ['orders:*'], limits: [{ name: 'few', limit: 3, window: 60 }] })
    const headers = { 'x-api-key': secret }
    const first = await ask(stage, 'both', { headers })
    assert.deepEqual([first.statusCode, first.headers['ratelimit']], [200, '"few";r=0;t=60'])
    const second = await ask(stage, 'both', { headers })
    assert.deepEqual([second.statusCode, second.json().code], [429, 'over_limit'])
    assert.equal(second.headers['retry-after'], '60')
    const none = await ask(stage, 'read')
    assert.deepEqual([none.statusCode, none.headers['www-authenticate']], [401, 'X-API-Key'])
    assert.match(String(none.headers['content-type']), /^application\/problem\+json/)
    const challenged = await ask(stage, 'any', { headers })
    assert.deepEqual([challenged.statusCode, challenged.headers['www-authenticate']], [401, 'Bearer realm="API"'])
    const two = await ask(stage, 'read', { headers: { 'x-api-key': [secret, secret] } })
    assert.deepEqual([two.statusCode, two.json().code], [400, 'two_credentials'])
    const note = await stage.keyring.refusal(String(second.headers['x-request-id']))
    assert.deepEqual([note?.code, note?.keyId, note?.route], ['over_limit', key.id, '/v1/forward-auth/both'])
    const metrics = (await stage.send('GET /metrics', { as: await stage.admin() })).body
    assert.match(metrics, /latchkey_verifications_total\{outcome="over_limit"\} 1/)
    assert.match(
      metrics,
      /latchkey_http_requests_total\{route="\/v1\/forward-auth\/both",method="GET",status="429"\} 1/,
    )
  },
  settings,
)

scenario(
  'for nginx a refusal is 401 or 403, has no body, and carries the true one in headers',
  async (stage) => {
    const { secret } = await stage.issue({ scopes: ['orders:*'], limits: [{ name: 'few', limit: 1, window: 60 }] })
    const cases: readonly (readonly [number, number, string, Ask])[] = [
      [401, 401, 'invalid_key', {}],
      [403, 400, 'two_credentials', { headers: { 'x-api-key': [secret, secret] } }],
      [403, 400, 'bad_request', { headers: { 'transfer-encoding': 'gzip' } }],
      [403, 429, 'over_limit', { headers: { 'x-api-key': secret } }],
      [403, 403, 'unknown_proxy', { from: '203.0.113.9' }],
    ]
    for (const [shown, status, code, request] of cases) {
      const { statusCode, body, headers } = await ask(stage, 'both/nginx', request)
      assert.deepEqual(
        [statusCode, body, headers['content-type'], headers['content-length']],
        [shown, '', undefined, '0'],
      )
      assert.deepEqual([headers['x-latchkey-status'], headers['x-latchkey-code']], [String(status), code])
      const problem = JSON.parse(String(headers['x-latchkey-problem'])) as Readonly<Record<string, unknown>>
      assert.deepEqual([problem['status'], problem['code']], [status, code])
    }
    const accepted = await ask(stage, 'read/nginx', { headers: { 'x-api-key': secret } })
    assert.deepEqual([accepted.statusCode, accepted.headers['x-latchkey-status']], [200, undefined])
  },
  settings,
)

scenario(
  'a proxy on another machine asks with an admin key or is listed, and sees only keys that the admin key sees',
  async (stage) => {
    const { secret } = await stage.issue()
    const key = { 'x-api-key': secret }
    const delegation = { ...everything, owner: 'other' }
    const [whole, bound, less] = [
      await stage.admin({ scopes: ['keys:verify'] }),
      await stage.admin({ scopes: ['keys:verify'], delegation }),
      await stage.admin({ scopes: ['keys:read'] }),
    ]
    const from = '203.0.113.9'
    const codeOf = async (headers: Ask['headers'], address = from): Promise<string> => {
      const answer = await ask(stage, 'read', { headers: { ...key, ...headers }, from: address })
      if (answer.statusCode === 200) return 'accepted'
      assert.equal(answer.headers['x-latchkey-identity'], undefined)
      return answer.json<{ code: string }>().code
    }
    assert.equal(await codeOf({}), 'unknown_proxy')
    assert.equal(await codeOf({ 'x-latchkey-proxy': 'EVIL' }), 'unknown_proxy')
    assert.equal(await codeOf({ 'x-latchkey-proxy': secret }), 'unknown_proxy')
    assert.equal(await codeOf({ 'x-latchkey-proxy': less.secret }), 'unknown_proxy')
    assert.equal(await codeOf({ 'x-latchkey-proxy': [whole.secret, whole.secret] }), 'unknown_proxy')
    assert.equal(await codeOf({ 'x-latchkey-proxy': whole.secret }), 'accepted')
    assert.equal(await codeOf({ 'x-latchkey-proxy': bound.secret }), 'invalid_key')
    for (const near of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '198.51.100.77', '::ffff:198.51.100.77']) {
      assert.equal(await codeOf({}, near), 'accepted', near)
      // Whoever sends an admin key is judged by it, wherever it is.
      assert.equal(await codeOf({ 'x-latchkey-proxy': 'EVIL' }, near), 'unknown_proxy')
    }
    assert.equal(await codeOf({ 'x-forwarded-for': '127.0.0.1' }), 'unknown_proxy')
    await stage.keyring.revoke(whole.key.id, { reason: 'compromised' })
    assert.equal(await codeOf({ 'x-latchkey-proxy': whole.secret }), 'unknown_proxy')
  },
  settings,
)

scenario(
  'the address of the caller is the last that the proxy gives and that no proxy has; without one there is none',
  async (stage) => {
    const { secret } = await stage.issue({ addresses: ['192.0.2.7', '127.0.0.1', '198.51.100.1'] })
    const statusWith = async (chain: string | readonly string[] | undefined): Promise<number> => {
      const headers = { 'x-api-key': secret, ...(chain === undefined ? {} : { 'x-forwarded-for': chain }) }
      return (await ask(stage, 'read', { headers })).statusCode
    }
    assert.equal(await statusWith('192.0.2.7'), 200)
    assert.equal(await statusWith('203.0.113.1, 192.0.2.7'), 200)
    assert.equal(await statusWith(['203.0.113.1', '192.0.2.7']), 200)
    assert.equal(await statusWith('192.0.2.7, 10.9.9.9, 198.51.100.9'), 200)
    // The address of the proxy is not the one of its caller.
    for (const chain of [
      undefined,
      '',
      '192.0.2.7, 203.0.113.1',
      ['192.0.2.7', '203.0.113.1'],
      'x',
      '192.0.2.7, x',
      '198.51.100.1',
    ]) {
      assert.equal(await statusWith(chain), 403, String(chain))
    }
  },
  { ...settings, trustedProxies: ['10.0.0.0/8'] },
)

scenario(
  'the text of an identity is given again for ten seconds, and never once its key has changed or a newer key signs',
  async (stage) => {
    const { key, secret } = await stage.issue({ scopes: ['orders:*'] })
    const identityOf = async (): Promise<unknown> =>
      (await ask(stage, 'both', { headers: { 'x-api-key': secret } })).headers['x-latchkey-identity']
    const first = await identityOf()
    stage.clock.advance(9000)
    assert.equal(await identityOf(), first)
    stage.clock.advance(1001)
    const second = await identityOf()
    assert.notEqual(second, first)
    // A clock that is set back would make it last longer than it should.
    stage.clock.set(stage.clock.now() - 3_600_000)
    const third = await identityOf()
    assert.notEqual(third, second)
    stage.clock.advance(1000)
    await stage.keyring.change(key.id, { owner: 'other' })
    const changed = await claimsOf(stage, await identityOf())
    assert.equal(changed.owner, 'other')
    await stage.keyring.revoke(key.id, { reason: 'unused' })
    const refused = await ask(stage, 'both', { headers: { 'x-api-key': secret } })
    assert.deepEqual([refused.statusCode, refused.headers['x-latchkey-identity']], [401, undefined])
  },
  settings,
)

test('of an address only the policy and the form count, as bytes: nothing is decoded, and no dots lead anywhere', () => {
  const routed = (url: string): unknown => forwardAuthOptions.rewriteUrl?.call(undefined as never, { url } as never)
  const policy = '/v1/forward-auth/read'
  for (const end of [
    '',
    '/',
    '?a',
    '/../any',
    '/..%2fany',
    '/nginxx',
    '/NGINX',
    '/x/nginx',
    '//nginx',
    '/#',
    '?/nginx',
  ]) {
    assert.equal(routed(policy + end), policy, end)
  }
  for (const end of ['/nginx', '/nginx/', '/nginx?a', '/nginx/../any'])
    assert.equal(routed(policy + end), `${policy}/nginx`)
  for (const url of [
    '',
    '*',
    '/',
    '/v1/keys',
    '/v1/forward-auth/',
    'http://a/v1/forward-auth/read',
    `/x${policy}`,
    `/${policy}`,
  ]) {
    assert.equal(routed(url), '/', url)
  }
  for (const end of ['*', ';x', '%20', '#x', '.', '_', '\\..']) assert.equal(routed(policy + end), '/', end)
})

test('a new key is published at once, and signs when it has been there for ten minutes', async (context) => {
  const folder = temporaryFolder('identity', { context })
  const [old, found] = [makeIdentityKey(0), identityIn(folder)]
  const now = 1_800_000_000_000
  const next = makeIdentityKey(now)
  const two = { issuer: 'latchkey', keys: [old, next] } as const
  writeFileSync(found.file, textOfIdentityKeys(two))
  const { keysInUse } = await import('../../src/identity/keys-in-use.ts')
  let time = now
  const keys = keysInUse({ file: found.file, keys: two, now: () => time, onChange: () => undefined })
  context.after(keys.close)
  assert.deepEqual(
    keys.published().map(({ kid }) => kid),
    [old.public.kid, next.public.kid],
  )
  time = now + publishedBefore - 1
  assert.equal(keys.signing().public.kid, old.public.kid)
  time = now + publishedBefore
  assert.equal(keys.signing().public.kid, next.public.kid)
})

test('a key stays in the file until an hour after its last signature', () => {
  const hour = 3_600_000
  const made = (...times: readonly number[]): never => times.map((createdAt) => ({ createdAt })) as never
  const times = (keys: readonly { createdAt: number }[]): readonly number[] => keys.map(({ createdAt }) => createdAt)
  const over = 10 * hour + publishedBefore + hour
  assert.deepEqual(times(neededKeys(made(0, 10 * hour), over - 1)), [0, 10 * hour])
  assert.deepEqual(times(neededKeys(made(0, 10 * hour), over)), [10 * hour])
  assert.deepEqual(times(neededKeys(made(0), 99 * hour)), [0])
})

test('a policy that names what is not declared stops the start, by its name', async () => {
  const start = async (policies: Settings['policies']): Promise<readonly string[]> => {
    try {
      await (await compose(memorySettings({ ...settings, policies }))).close()
      return []
    } catch (error) {
      assert.ok(error instanceof SettingsError, String(error))
      return error.faults
    }
  }
  const fits = 'LATCHKEY_POLICIES does not fit: The policy read'
  assert.deepEqual(await start({ read: { scopes: ['orders:raed'] } }), [
    `${fits} names the scope orders:raed, which is not declared.`,
  ])
  assert.deepEqual(await start({ read: { scopes: ['orders:read'], passScopes: ['a:b'], environment: 'prod' } }), [
    `${fits} names the scope a:b, which is not declared.`,
    `${fits} names the environment prod, which does not exist.`,
  ])
  assert.deepEqual(await start({ read: { scopes: 'any', environment: 'admin' } }), [
    `${fits} names the environment admin, which does not exist.`,
  ])
})
