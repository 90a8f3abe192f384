import assert from 'node:assert/strict'
import type { KeyObject } from 'node:crypto'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import Fastify from 'fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { testClock } from 'latchkey/testing'
import type { IdentityOptions, KeySet } from '../src/identity.ts'
import { identityVerifier } from '../src/identity.ts'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders' }
const clock = testClock(1_800_000_000_000)
const now = clock.now() / 1000

interface Signer {
  readonly kid: string
  readonly private: KeyObject
  readonly public: KeySet['keys'][number]
}

function signer(kid: string): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  return { kid, private: privateKey, public: { ...publicKey.export({ format: 'jwk' }), kid } as never }
}

const [ours, next, foreign] = [signer('ours'), signer('next'), signer('ours')]

const claims = {
  iss: 'latchkey',
  aud: 'orders',
  sub: 'key_1',
  owner: 'acme',
  environment: 'live',
  scopes: ['orders:read', 'other:scope'],
  iat: now,
  exp: now + 30,
}
const header = { alg: 'EdDSA', typ: 'latchkey-identity+jwt', kid: 'ours' }

interface Forgery {
  readonly header?: object
  readonly claims?: object
  readonly by?: Signer
  /** Stands in the place of the signature. */
  readonly signature?: (signed: string) => string
}

function token({ header: head = {}, claims: body = {}, by = ours, signature }: Forgery = {}): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ ...header, kid: by.kid, ...head })}.${part({ ...claims, ...body })}`
  return `${signed}.${signature?.(signed) ?? sign(null, Buffer.from(signed), by.private).toString('base64url')}`
}

function verifierWith(
  options: Partial<IdentityOptions<keyof typeof scopes>> = {},
): ReturnType<typeof identityVerifier<keyof typeof scopes>> {
  return identityVerifier({ audience: 'orders', keys: { keys: [ours.public] }, scopes, clock, ...options })
}

/** The code of the verdict on an identity. */
function codeOf(text: string | undefined, verifier = verifierWith()): string {
  const verdict = verifier.verify(text)
  assert.ok(!(verdict instanceof Promise))
  return verdict.ok ? 'accepted' : verdict.refusal.code
}

test('an identity is accepted with what it says, again and again, until its end', () => {
  const verifier = verifierWith()
  const text = token()
  for (let time = 0; time < 2; time++) {
    const verdict = verifier.verify(text, { allOf: ['orders:read'] })
    assert.ok(!(verdict instanceof Promise) && verdict.ok)
    assert.deepEqual(verdict.key, {
      id: 'key_1',
      name: 'key_1',
      owner: 'acme',
      environment: 'live',
      scopes: ['orders:read'],
      metadata: {},
      expiresAt: null,
      delegation: null,
    })
    assert.ok(Object.isFrozen(verdict.key) && Object.isFrozen(verdict.key.scopes))
  }
  const later = testClock(clock.now())
  const turning = verifierWith({ clock: later })
  assert.equal(codeOf(text, turning), 'accepted')
  later.advance(29_999)
  assert.equal(codeOf(text, turning), 'accepted')
  later.advance(1)
  assert.equal(codeOf(text, turning), 'expired')
})

test('a requirement is judged by what the identity says', () => {
  const verifier = verifierWith()
  const refusalOf = (requirement: never): string => {
    const verdict = verifier.verify(token(), requirement)
    return verdict instanceof Promise || verdict.ok ? 'accepted' : verdict.refusal.code
  }
  assert.equal(refusalOf({ allOf: ['orders:write'] } as never), 'insufficient_scope')
  assert.equal(refusalOf({ anyOf: ['orders:write', 'orders:read'] } as never), 'accepted')
  assert.equal(refusalOf({ environment: 'test' } as never), 'wrong_environment')
  assert.equal(refusalOf({ environment: null } as never), 'accepted')
  assert.equal(refusalOf({ allOf: ['other:scope'] } as never), 'unavailable')
  assert.equal(refusalOf({ scopes: ['orders:write'] } as never), 'unavailable')
})

test('what is forged, foreign or of another kind is refused', () => {
  const none = (): string => ''
  const hmac = (signed: string): string =>
    createHmac('sha256', String(ours.public.x)).update(signed).digest('base64url')
  const [head = '', body = '', signature = ''] = token().split('.')
  const cases: Readonly<Record<string, readonly string[]>> = {
    malformed: [
      'lk_live_2WAxNothing',
      'EVIL',
      `${head}.${body}`,
      `${head}.${body}.`,
      `${head}.${body}.${signature}.${signature}`,
      ` ${token()}`,
      `${token()}=`,
      `${head}.${body}.${'A'.repeat(3000)}`,
      token({ header: { alg: 'none' }, signature: none }),
      token({ header: { alg: 'none' } }),
      token({ header: { alg: 'HS256' }, signature: hmac }),
      token({ header: { alg: 'HS256' } }),
      token({ header: { typ: 'JWT' } }),
      token({ header: { typ: undefined } }),
      token({ header: { crit: ['x'], x: 1 } }),
      token({ header: { jwk: foreign.public }, by: foreign }),
      token({ header: { kid: 1 } }),
    ],
    unknown: [
      token({ by: foreign }),
      token({ by: next }),
      token({ header: { kid: '__proto__' } }),
      `${head}.${body}.${'A'.repeat(86)}`,
      `${head}.${Buffer.from(JSON.stringify({ ...claims, owner: 'other' })).toString('base64url')}.${signature}`,
      token({ claims: { aud: 'other' } }),
      token({ claims: { aud: ['orders'] } }),
      token({ claims: { aud: undefined } }),
      token({ claims: { iss: 'other' } }),
      token({ claims: { sub: '' } }),
      token({ claims: { owner: 1 } }),
      token({ claims: { scopes: 'orders:read' } }),
      token({ claims: { exp: undefined } }),
      token({ claims: { exp: now + 61 } }),
      token({ claims: { iat: undefined } }),
    ],
    expired: [token({ claims: { iat: now - 30, exp: now } })],
    not_yet_valid: [token({ claims: { iat: now + 31, exp: now + 61 } })],
    missing: [''],
  }
  for (const [code, texts] of Object.entries(cases)) {
    for (const text of texts) assert.equal(codeOf(text), code, text)
  }
  assert.equal(codeOf(undefined), 'missing')
  assert.equal(codeOf({ text: token() } as never), 'malformed')
})

/** A server with a key set, as `fetch` sees it. */
function keyServer(): { set: KeySet['keys']; fails: boolean; asked: number; readonly fetch: typeof fetch } {
  const server = {
    set: [ours.public] as KeySet['keys'],
    fails: false,
    asked: 0,
    fetch: async (): Promise<Response> => {
      server.asked++
      if (server.fails) throw new TypeError('fetch failed')
      return Response.json({ keys: server.set })
    },
  }
  return server
}

test('keys are read once, renewed beside the calls, and a new key is found when the first identity names it', async () => {
  const turned = testClock(clock.now())
  const server = keyServer()
  const verifier = verifierWith({
    keys: 'https://keys.example/.well-known/jwks.json',
    fetch: server.fetch,
    clock: turned,
  })
  const both = await Promise.all([verifier.verify(token()), verifier.verify(token())])
  assert.deepEqual([both.map(({ ok }) => ok), server.asked], [[true, true], 1])
  assert.equal(codeOf(token(), verifier), 'accepted', 'and from then on at once')
  // Keys that nobody knows do not make it ask for each.
  for (let time = 0; time < 100; time++) await verifier.verify(token({ by: signer(`stranger ${time}`) }))
  assert.equal(server.asked, 1)
  server.set = [ours.public, next.public]
  turned.advance(5000)
  const late = await verifier.verify(token({ by: next }))
  assert.deepEqual([late.ok, server.asked], [true, 2])
})

test('a key that was taken out is no longer accepted, and without the set for a quarter of an hour nothing is', async () => {
  const turned = testClock(clock.now())
  const server = keyServer()
  const verifier = verifierWith({ keys: 'http://127.0.0.1/jwks', fetch: server.fetch, clock: turned })
  const fresh = (by = ours): string =>
    token({ by, claims: { iat: turned.now() / 1000, exp: turned.now() / 1000 + 30 } })
  assert.ok((await verifier.verify(fresh())).ok)
  server.set = [next.public]
  turned.advance(240_000)
  assert.equal(codeOf(fresh(), verifier), 'accepted', 'the call does not wait')
  await verifier.verify(fresh(next))
  assert.equal((await verifier.verify(fresh())).ok, false)
  // As a server has it that was started without its keys.
  server.set = []
  turned.advance(240_000)
  assert.equal(codeOf(fresh(next), verifier), 'accepted')
  await new Promise(setImmediate)
  assert.equal(codeOf(fresh(next), verifier), 'accepted')
  server.fails = true
  turned.advance(659_000)
  assert.equal(codeOf(fresh(next), verifier), 'accepted')
  await Promise.resolve()
  turned.advance(1000)
  const gone = await verifier.verify(fresh(next))
  assert.equal(gone.ok ? 'accepted' : gone.refusal.code, 'unavailable')
  server.fails = false
  server.set = [next.public]
  turned.advance(5000)
  assert.ok((await verifier.verify(fresh(next))).ok)
})

test('a guard works with identities as with keys, and reads them from their header only', async (context) => {
  const app = Fastify()
  context.after(() => app.close())
  const guard = fastifyGuard(verifierWith(), { credential: 'identity' })
  await app.register(guard.plugin)
  app.get('/orders', { onRequest: guard.requires('orders:read') }, (request) => guard.keyOf(request).owner)
  app.post('/orders', { onRequest: guard.requires('orders:write') }, () => 'changed')
  const send = async (
    method: 'GET' | 'POST',
    headers: Record<string, string | string[]>,
  ): Promise<readonly unknown[]> => {
    const { statusCode, body } = await app.inject({ method, url: '/orders', headers })
    return [statusCode, statusCode === 200 ? body : (JSON.parse(body) as { code: string }).code]
  }
  const identity = token()
  assert.deepEqual(await send('GET', { 'x-latchkey-identity': identity }), [200, 'acme'])
  assert.deepEqual(await send('POST', { 'x-latchkey-identity': identity }), [403, 'insufficient_scope'])
  assert.deepEqual(await send('GET', { 'x-latchkey-identity': [identity, identity] }), [400, 'two_credentials'])
  assert.deepEqual(await send('GET', { 'x-api-key': identity }), [401, 'invalid_key'])
  assert.deepEqual(await send('GET', { authorization: `Bearer ${identity}` }), [401, 'invalid_key'])
  assert.deepEqual(await send('GET', { x_latchkey_identity: identity }), [401, 'invalid_key'])
})

test('options that do not fit are refused', () => {
  const base = { audience: 'orders', keys: { keys: [] }, scopes }
  const wrong: readonly object[] = [
    { ...base, audience: '' },
    { ...base, issuer: 1 },
    { ...base, keys: 'keys.json' },
    { ...base, keys: 'ftp://a' },
    { ...base, keys: 'http://keys.example/jwks' },
    { ...base, keys: {} },
    { ...base, keys: undefined },
    { ...base, scopes: { orders: 'x' } },
    { ...base, audiences: 'orders' },
  ]
  for (const options of wrong) {
    assert.throws(() => identityVerifier(options as never), { code: 'invalid_input' }, JSON.stringify(options))
  }
  identityVerifier({ ...base, keys: 'http://keys.example/jwks', insecure: true })
})
