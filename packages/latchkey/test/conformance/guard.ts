import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CredentialPlace } from '../../src/guard/credential.ts'
import { challenges, credentialPlaces } from '../../src/guard/credential.ts'
import { refusals } from '../../src/refusal.ts'
import { mint } from '../../src/secret/mint.ts'
import { settingsKey } from '../../src/source/settings.ts'
import { testKeyring } from '../../src/testing.ts'
import type { Verifier } from '../../src/verify/verdict.ts'
import { entriesOf } from '../../../../test/entries.ts'

/** The scopes of the applications under test. */
export const scopes = {
  'orders:read': 'Read orders',
  'orders:write': 'Change orders',
  'reports:read': 'Read reports',
} as const

/** The scopes' names. */
export type Scope = keyof typeof scopes

/** A request as it goes over the wire: header lines may be repeated. */
export interface WireRequest {
  /** `GET` if left out. */
  readonly method?: string
  readonly path: string
  readonly headers?: readonly (readonly [name: string, value: string])[]
}

/** What came back. */
export interface WireAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** An application under test, listening on a socket. */
export interface Served {
  send(request: WireRequest): Promise<WireAnswer>
  /** All that was logged so far. */
  log(): string
  close(): Promise<void>
}

/**
 * Serves an application with these routes (all GET), each of which calls `handled` with its path and the id of the
 * verified key (or `nobody`) before it answers 200:
 * `/open` open · `/any` any key · `/write` orders:write · `/both` orders:read and orders:write ·
 * `/either` orders:write or reports:read · `/test` any key of the environment test · `/several` any key of live or test ·
 * whatever is under `/files/`
 * orders:read · anything else any key, as `/*`.
 */
export type Serve = (
  verifier: Verifier<Scope>,
  application: {
    readonly handled: (path: string, keyId: string) => void
    /** What the application puts on every request, before any guard sees it. */
    readonly puts: Readonly<Record<string, unknown>>
    /** The option of the guard. */
    readonly credential: CredentialPlace
  },
) => Promise<Served>

/** What an application may have put on a request for reasons of its own, by names that mean something to a verifier. */
const onRequests: Readonly<Record<string, unknown>> = {
  dryRun: true,
  seenBy: 'the proxy',
  address: '192.0.2.1',
  environment: 'test',
  allOf: [],
  anyOf: [],
  scopes: ['orders:write'],
  cost: 0,
  hash: 'x',
  text: 'x',
  key: { id: 'key_x', scopes: ['orders:write'] },
}

/** Where callers send keys: an identity is none, and comes from a proxy. */
type KeyPlace = Exclude<CredentialPlace, 'identity'>

/** A header line with a key, where callers of a guard with this option send it. */
const carriers: Readonly<Record<KeyPlace, (key: string) => readonly [name: string, value: string]>> = {
  header: (key) => ['X-API-Key', key],
  bearer: (key) => ['Authorization', `Bearer ${key}`],
  either: (key) => (key.length % 2 === 0 ? ['x-api-key', key] : ['authorization', `bearer ${key}`]),
}

/** How a guard may differ from others. */
interface Differences {
  /** It sees the lines of a header only joined by a comma and a space, so that a credential with these is 400. */
  readonly joined?: boolean
}

/** What every guard must keep. Run over each framework's. */
export function guardConformance(name: string, serve: Serve, differences: Differences = {}): void {
  for (const credential of credentialPlaces) {
    if (credential !== 'identity') conformance(name, serve, { credential, ...differences })
  }
}

function conformance(
  name: string,
  serve: Serve,
  { credential, joined = false }: Differences & { readonly credential: KeyPlace },
): void {
  const carried = carriers[credential]
  describe(`guard: ${name}, credential: ${credential}`, () => {
    type Setup = Awaited<ReturnType<typeof testKeyring<Scope>>> & Served & { handled: string[] }

    /** Serves, and whatever the test did, fails it if a secret or its hash got into an answer, the log or the journal. */
    async function served(
      run: (setup: Setup) => Promise<void>,
      verifierOf?: (keyring: Verifier<Scope>) => Verifier<Scope>,
    ): Promise<void> {
      const settings = settingsKey(
        { name: 'SETTING', secret: 'a,b, from/the+settings', scopes: [] },
        { allowWeak: true },
      )
      const made = await testKeyring({ scopes, sources: [settings] })
      const handled: string[] = []
      const note = (path: string, keyId: string): void => void handled.push(`${path} ${keyId}`)
      const application = await serve(verifierOf?.(made.keyring) ?? made.keyring, {
        handled: note,
        puts: onRequests,
        credential,
      })
      const answers: WireAnswer[] = []
      const send = async (request: WireRequest): Promise<WireAnswer> => {
        const answer = await application.send(request)
        answers.push(answer)
        return answer
      }
      try {
        await run({ ...made, ...application, send, handled })
      } finally {
        await application.close()
      }
      const told = JSON.stringify([answers, application.log(), await entriesOf(made.keyring)])
      assert.deepEqual(made.secretsIn(told), [], 'a secret or its hash was told')
    }

    const get = (path: string, ...keys: readonly string[]): WireRequest => ({
      path,
      headers: keys.map(carried),
    })

    test('a key with the scopes reaches the handler, which knows whose it is', () =>
      served(async ({ send, keyring, handled }) => {
        const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:*'] })
        for (const path of ['/any', '/write', '/both', '/either']) {
          assert.equal((await send(get(path, secret))).status, 200, path)
        }
        assert.deepEqual(
          handled,
          ['/any', '/write', '/both', '/either'].map((path) => `${path} ${key.id}`),
        )
      }))

    test('a key without the scopes is 403, and the handler does not run', () =>
      served(async ({ send, headersFor, handled }) => {
        const { 'X-API-Key': reader = '' } = await headersFor(['orders:read'])
        for (const path of ['/write', '/both', '/either']) {
          const answer = await send(get(path, reader))
          assert.equal(answer.status, 403, path)
          assert.equal(JSON.parse(answer.body).code, 'insufficient_scope')
          assert.equal(answer.headers['www-authenticate'], undefined)
          assert.doesNotMatch(answer.body, /orders:write|reports:read/, 'what is missing is not told to the caller')
        }
        assert.deepEqual(handled, [])
      }))

    test('any one of the alternatives is enough', () =>
      served(async ({ send, headersFor }) => {
        const { 'X-API-Key': reports = '' } = await headersFor(['reports:read'])
        assert.equal((await send(get('/either', reports))).status, 200)
      }))

    test('missing, empty, malformed, mistyped, unknown, revoked, pending and expired keys get one and the same 401', () =>
      served(async ({ send, keyring, clock, handled }) => {
        const issue = async (options: object = {}): Promise<{ id: string; secret: string }> => {
          const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:*'], ...options })
          return { id: key.id, secret }
        }
        const revoked = await issue()
        assert.equal((await send(get('/any', revoked.secret))).status, 200)
        await keyring.revoke(revoked.id, { reason: 'unused' })
        const expired = await issue({ expiresAt: clock.now() + 10 })
        clock.advance(10)
        const pending = await issue({ notBefore: clock.now() + 1 })
        const mistyped = `${revoked.secret.slice(0, -1)}${revoked.secret.endsWith('0') ? '1' : '0'}`
        handled.length = 0
        const refused = [
          '',
          'x',
          mistyped,
          mint({ prefix: 'lk', environment: 'live' }),
          revoked.secret,
          expired.secret,
          pending.secret,
        ]
        const requests = [{ path: '/any' }, ...refused.map((key) => get('/any', key))]
        const answers = new Set<string>()
        for (const request of requests) {
          const { status, headers, body } = await send(request)
          assert.equal(status, 401)
          assert.equal(headers['www-authenticate'], challenges[credential])
          const { instance, ...problem } = JSON.parse(body)
          assert.match(instance, /^(?:urn:uuid:|#)./)
          assert.equal(
            body,
            JSON.stringify({ ...problem, instance }, Object.keys(JSON.parse(body))),
            'one order of members',
          )
          const { date: _date, ...comparable } = headers
          answers.add(JSON.stringify([status, comparable, problem]))
        }
        assert.equal(answers.size, 1, [...answers].join('\n'))
        assert.deepEqual(handled, [])
      }))

    test('two credentials are 400, even two of the same, an empty one, or one in small letters', () =>
      served(async ({ send, headersFor, handled }) => {
        const { 'X-API-Key': key = '' } = await headersFor(['orders:*'])
        const pairs = [
          [carried(key), carried(key)],
          [carried(key), carried('x')].map(
            ([line, value], index) => [index ? line.toLowerCase() : line, value] as const,
          ),
          [carried(key), carried('')],
          [carried(''), carried(key)].map(
            ([line, value], index) => [index ? line : line.toUpperCase(), value] as const,
          ),
          // Joined by the server they would be the key from the settings.
          [carried('a,b'), carried('from/the+settings')],
          [carriers.header(key), carriers.bearer(key)],
          [carriers.bearer(key), carriers.header(key)],
          [carried(key), ['Authorization', 'Basic YTpi'], carriers.bearer(key)],
        ] as const
        for (const headers of pairs) {
          const answer = await send({ path: '/any', headers })
          assert.equal(answer.status, 400)
          assert.equal(JSON.parse(answer.body).code, 'two_credentials')
        }
        assert.deepEqual(handled, [])
        const { status } = await send(get('/any', 'a,b, from/the+settings'))
        assert.equal(status, joined ? 400 : 200, 'one line may contain a comma')
      }))

    test('a secret in the other header is a second credential; what is no secret is not, unless it is read', () =>
      served(async ({ send, headersFor, handled }) => {
        const { 'X-API-Key': key = '' } = await headersFor(['orders:*'])
        const { 'X-API-Key': another = '' } = await headersFor([])
        const beside: Readonly<Record<KeyPlace, readonly (readonly [line: string, two: boolean])[]>> = {
          header: [
            [`Authorization: Bearer ${another}`, true],
            [`Authorization: bearer   ${key} `, true],
            [`Authorization: BEARER ${another}`, true],
            ['Authorization: Bearer eyJhbGciOiJub25lIn0.e30.', false],
            ['Authorization: Basic YTpi', false],
            ['Authorization: Bearer', false],
            ['Authorization: ', false],
          ],
          bearer: [
            [`X-API-Key: ${another}`, true],
            [`x-api-key: ${key} `, true],
            ['X-API-Key: key-of-the-gateway', false],
            ['X-API-Key: ', false],
          ],
          either: [
            [`X-API-Key: ${another}`, true],
            ['X-API-Key: key-of-the-gateway', true],
            ['X-API-Key: ', true],
          ],
        }
        const own = credential === 'header' ? carriers.header(key) : carriers.bearer(key)
        for (const [line, two] of beside[credential]) {
          const [header = '', value = ''] = line.split(/: ?(.*)/)
          handled.length = 0
          const answer = await send({ path: '/any', headers: [[header, value], own] })
          assert.deepEqual([answer.status, handled.length], two ? [400, 0] : [200, 1], line)
          if (two) assert.equal(JSON.parse(answer.body).code, 'two_credentials')
        }
        if (credential === 'bearer') return
        const basic = { path: '/any', headers: [['Authorization', 'Basic YTpi'], carriers.header(key)] as const }
        assert.equal((await send(basic)).status, 200, 'another scheme is for another program')
      }))

    test('a key in any other place is no key, and the log says where one was sent instead', () =>
      served(async ({ send, headersFor, handled, log }) => {
        const { 'X-API-Key': key = '' } = await headersFor(['orders:*'])
        const other = { header: carriers.bearer(key), bearer: carriers.header(key), either: undefined }[credential]
        const elsewhere: readonly WireRequest[] = [
          { path: `/any?api_key=${key}&x-api-key=${key}&access_token=${key}` },
          ...(other === undefined ? [] : [{ path: '/any', headers: [other] }]),
          { path: '/any', headers: [['Cookie', `X-API-Key=${key}`]] },
          { path: '/any', headers: [['X_API_Key', key]] },
          { path: '/any', headers: [['X-API-Key-', key]] },
          { path: '/any', headers: [['Authorization', key]] },
          { path: '/any', headers: [['Authorization', `Basic ${key}`]] },
          { path: '/any', headers: [['Proxy-Authorization', `Bearer ${key}`]] },
        ]
        for (const request of elsewhere)
          assert.equal((await send(request)).status, 401, JSON.stringify(request.headers))
        assert.deepEqual(handled, [])
        const told = { header: 3, bearer: 1, either: 0 }[credential]
        const where = credential === 'header' ? 'authorization' : 'x-api-key'
        assert.equal(log().split(`"elsewhere":"${where}"`).length - 1, told)
        assert.equal(log().split('"elsewhere"').length - 1, told)
      }))

    test('a key of another environment is 403', () =>
      served(async ({ send, headersFor, handled }) => {
        const { 'X-API-Key': key = '' } = await headersFor(['orders:*'], { environment: 'test' })
        assert.equal((await send(get('/any', key))).status, 403)
        assert.equal((await send(get('/test', key))).status, 200)
        assert.equal((await send(get('/several', key))).status, 200)
        const { 'X-API-Key': live = '' } = await headersFor(['orders:*'])
        assert.equal((await send(get('/several', live))).status, 200)
        assert.equal((await send(get('/test', live))).status, 403)
        assert.equal(handled.length, 3)
      }))

    test('an open route takes everyone, and does not look at keys', () =>
      served(async ({ send, handled }) => {
        assert.equal((await send({ path: '/open' })).status, 200)
        assert.equal((await send(get('/open', 'nonsense'))).status, 200)
        assert.deepEqual(handled, ['/open nobody', '/open nobody'])
      }))

    test('whatever a wildcard stands for is guarded like any other route', () =>
      served(async ({ send, headersFor, handled }) => {
        const { 'X-API-Key': reader = '' } = await headersFor(['orders:read'])
        const { 'X-API-Key': other = '' } = await headersFor([])
        const below = ['/files/', '/files/a', '/files/a/b.css', '/files/%2e%2e/write', '/files//a', '/files/a?x=/open']
        for (const path of below) {
          assert.equal((await send({ path })).status, 401, path)
          assert.equal((await send(get(path, other))).status, 403, path)
        }
        for (const path of ['/', '/elsewhere', '/files', '/open/', '/any/x', '/a/b/c']) {
          assert.equal((await send({ path })).status, 401, path)
        }
        assert.equal(handled.length, 0)
        assert.equal((await send(get('/files/a/b.css', reader))).status, 200)
        assert.equal((await send(get('/elsewhere', other))).status, 200)
        assert.deepEqual(
          handled.map((line) => line.split(' ', 1)[0]),
          ['/files/*', '/*'],
        )
      }))

    test('no spelling of a guarded path leads around the guard', () =>
      served(async ({ send, handled }) => {
        const spellings = [
          '/%61ny',
          '//any',
          '/./any',
          '/x/../any',
          '/any/',
          '/any?',
          '/any;x',
          '/any%2f',
          '/ANY',
          '/any%00',
          '/any#x',
          '/any.json',
        ]
        for (const path of spellings) {
          const { status } = await send({ path })
          assert.ok([400, 401, 404].includes(status), `${path}: ${status}`)
        }
        assert.deepEqual(handled, [])
      }))

    test('an answer to a key may not be kept by shared caches, a refusal by none', () =>
      served(async ({ send, headersFor }) => {
        assert.equal(
          (await send(get('/any', (await headersFor([]))['X-API-Key'] ?? ''))).headers['cache-control'],
          'private',
        )
        assert.equal((await send({ path: '/any' })).headers['cache-control'], 'no-store')
      }))

    test('when keys cannot be checked the answer is 503, neither 401 nor 200', () =>
      served(
        async ({ send, headersFor, handled, log }) => {
          const answer = await send(get('/any', (await headersFor([]))['X-API-Key'] ?? ''))
          assert.equal(answer.status, 503)
          assert.equal(answer.headers['retry-after'], '1')
          assert.equal(JSON.parse(answer.body).code, 'unavailable')
          assert.ok(!answer.body.includes('the disk is gone'), 'the caller is not told why')
          assert.match(log(), /the disk is gone/, 'the operator is')
          assert.deepEqual(handled, [])
        },
        (keyring) => ({
          ...keyring,
          verify: () => ({ ok: false, refusal: refusals.unavailable, cause: new Error('the disk is gone') }),
        }),
      ))

    const failing: Readonly<Record<string, () => never>> = {
      throws: () => {
        throw new Error('the disk is gone')
      },
      rejects: (async () => Promise.reject(new Error('the disk is gone'))) as () => never,
      'gives nothing': (() => undefined) as () => never,
    }
    for (const [what, verify] of Object.entries(failing)) {
      test(`a verifier that ${what} lets nobody pass, and is 503`, () =>
        served(
          async ({ send, headersFor, handled }) => {
            assert.equal((await send(get('/any', (await headersFor([]))['X-API-Key'] ?? ''))).status, 503)
            assert.deepEqual(handled, [])
          },
          (keyring) => ({ ...keyring, verify }),
        ))
    }

    test('a verdict that comes late from another kind of promise is waited for', () =>
      served(
        async ({ send, headersFor, handled }) => {
          const { 'X-API-Key': key = '' } = await headersFor([])
          assert.equal((await send(get('/any', key))).status, 200)
          assert.equal((await send(get('/write', key))).status, 403)
          assert.equal(handled.length, 1)
        },
        (keyring) => ({
          ...keyring,
          verify(...call) {
            const verdict = Promise.resolve(keyring.verify(...call))
            // oxlint-disable-next-line unicorn/no-thenable -- it is what the test is about
            return { then: verdict.then.bind(verdict) } as typeof verdict
          },
        }),
      ))

    test('nothing that an application puts on a request changes the verdict', () =>
      served(async ({ send, keyring, handled }) => {
        const metered = { limits: [{ name: 'burst', limit: 3, window: 60 }], quota: { amount: 2 } }
        const { key, secret } = await keyring.issue({
          name: 'Shop',
          owner: 'acme',
          scopes: ['orders:read'],
          ...metered,
        })
        const statuses: number[] = []
        for (let call = 0; call < 10; call++) statuses.push((await send(get('/any', secret))).status)
        assert.deepEqual(statuses, [200, 200, ...Array.from({ length: 8 }, () => 429)])
        assert.equal((await send(get('/write', secret))).status, 403)
        assert.equal((await send(get('/test', secret))).status, 403)
        assert.equal((await send({ path: '/any' })).status, 401)
        const elsewhere = { ...metered, addresses: ['192.0.2.1'] }
        const bound = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [], ...elsewhere })
        assert.equal((await send(get('/any', bound.secret))).status, 403)
        assert.equal(handled.length, 2)
        await keyring.flushUsage()
        const counted = (await keyring.usage({ key: key.id })).usage.map(({ outcome, count }) => [outcome, count])
        assert.deepEqual(counted, [
          ['accepted', 2],
          ['insufficient_scope', 1],
          ['quota_exhausted', 8],
          ['wrong_environment', 1],
        ])
      }))

    test('a verdict that comes late is waited for', () =>
      served(
        async ({ send, headersFor, handled }) => {
          const { 'X-API-Key': key = '' } = await headersFor(['orders:*'])
          assert.equal((await send(get('/write', key))).status, 200)
          assert.equal((await send(get('/write', 'x'))).status, 401)
          assert.equal(handled.length, 1)
        },
        (keyring) => ({ ...keyring, verify: async (...call) => keyring.verify(...call) }),
      ))

    test('on one connection every request is judged by its own key, however little the keys differ', () =>
      served(async ({ send, keyring, handled }) => {
        const issue = async (): Promise<{ id: string; secret: string }> => {
          const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
          return { id: key.id, secret }
        }
        const [one, other] = [await issue(), await issue()]
        const { secret } = one
        const near = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0')
        for (const [text, status] of [
          [secret, 200],
          [other.secret, 200],
          [secret, 200],
          [near, 401],
          [secret, 200],
          [`${secret}x`, 401],
          [secret, 200],
          [secret.slice(0, -1), 401],
          [secret, 200],
        ] as const) {
          assert.equal((await send(get('/any', text))).status, status, text.slice(-8))
        }
        assert.deepEqual(
          handled,
          [one, other, one, one, one, one].map(({ id }) => `/any ${id}`),
        )
      }))

    test('the log says exactly why a key was refused and which it was, the answer does not', () =>
      served(async ({ send, keyring, clock, log }) => {
        const issue = async (options: object = {}): Promise<{ id: string; secret: string }> => {
          const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [], ...options })
          return { id: key.id, secret }
        }
        const expired = await issue({ expiresAt: clock.now() + 10 })
        clock.advance(10)
        const revoked = await issue()
        await keyring.revoke(revoked.id, { reason: 'unused' })
        const keys = {
          expired,
          revoked,
          not_yet_valid: await issue({ notBefore: clock.now() + 1 }),
          wrong_environment: await issue({ environment: 'test' }),
          insufficient_scope: await issue(),
        }
        for (const [code, { id, secret }] of Object.entries(keys)) {
          const before = log().length
          const { body } = await send(get('/write', secret))
          const told = log().slice(before)
          assert.ok(told.includes(`"${code}"`) && told.includes(id), `${code}: ${told}`)
          assert.ok(!body.includes(id), body)
        }
        const before = log().length
        await send(get('/write', mint({ prefix: 'lk', environment: 'live' })))
        assert.match(log().slice(before), /"unknown"/)
      }))

    test('every request is judged anew, also on a connection whose last key was accepted', () =>
      served(async ({ send, keyring, handled }) => {
        const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
        assert.equal((await send(get('/any', secret))).status, 200)
        assert.equal((await send({ path: '/any' })).status, 401)
        await keyring.revoke(key.id, { reason: 'compromised' })
        assert.equal((await send(get('/any', secret))).status, 401)
        assert.equal(handled.length, 1)
      }))

    const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:*'] } as const
    type Changed = Pick<Setup, 'keyring' | 'clock'> & { readonly id: string }
    const changes: Readonly<Record<string, readonly [change: (setup: Changed) => Promise<unknown>, status: number]>> = {
      'it is revoked': [({ keyring, id }) => keyring.revoke(id, { reason: 'compromised' }), 401],
      'it is disabled': [({ keyring, id }) => keyring.disable(id), 401],
      'its owner is disabled': [({ keyring }) => keyring.changeOwner('acme', { disabled: true }), 401],
      'its scopes are narrowed': [({ keyring, id }) => keyring.change(id, { scopes: ['orders:read'] }), 403],
      'it is bound to an address': [({ keyring, id }) => keyring.change(id, { addresses: ['192.0.2.1'] }), 403],
      'its secret is retired': [
        async ({ keyring, id }) => {
          await keyring.rotate(id, { grace: 3600 })
          await keyring.retire(id)
        },
        401,
      ],
      'the grace time of its secret is over': [
        async ({ keyring, clock, id }) => {
          await keyring.rotate(id, { grace: 3600 })
          clock.advance(3_600_000)
        },
        401,
      ],
      'it was given an end that has come': [
        async ({ keyring, clock, id }) => {
          await keyring.change(id, { expiresAt: clock.now() + 10 })
          clock.advance(10)
        },
        401,
      ],
    }
    for (const [what, [change, status]] of Object.entries(changes)) {
      test(`on a connection whose last key was accepted again and again, the key is refused at once when ${what}`, () =>
        served(async ({ send, keyring, clock, handled }) => {
          const { key, secret } = await keyring.issue(shop)
          for (let call = 0; call < 3; call++) assert.equal((await send(get('/write', secret))).status, 200)
          await change({ keyring, clock, id: key.id })
          for (let call = 0; call < 2; call++) assert.equal((await send(get('/write', secret))).status, status)
          assert.equal(handled.length, 3)
        }))
    }

    for (const restriction of [{ limits: [{ name: 'burst', limit: 2, window: 60 }] }, { quota: { amount: 2 } }]) {
      test(`on such a connection a key that was given ${Object.keys(restriction)[0]} spends from the next request on`, () =>
        served(async ({ send, keyring }) => {
          const { key, secret } = await keyring.issue(shop)
          const statuses: number[] = []
          const present = async (): Promise<number> => statuses.push((await send(get('/write', secret))).status)
          for (let call = 0; call < 3; call++) await present()
          await keyring.change(key.id, restriction)
          for (let call = 0; call < 3; call++) await present()
          assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429])
        }))
    }

    test('on such a connection every route asks for what it requires', () =>
      served(async ({ send, headersFor, handled }) => {
        const { 'X-API-Key': reader = '' } = await headersFor(['orders:read'])
        for (let round = 0; round < 3; round++) {
          for (const [path, status] of [
            ['/any', 200],
            ['/any', 200],
            ['/write', 403],
            ['/files/a', 200],
            ['/test', 403],
            ['/both', 403],
          ] as const) {
            assert.equal((await send(get(path, reader))).status, status, path)
          }
        }
        assert.equal(handled.length, 9)
      }))

    test('a connection that carries the requests of many callers is judged by each key, however often they change', () =>
      served(async ({ send, keyring, handled }) => {
        const keys = await Promise.all(Array.from({ length: 3 }, () => keyring.issue(shop)))
        for (let round = 0; round < 5; round++) {
          for (const { secret } of keys) assert.equal((await send(get('/write', secret))).status, 200)
          assert.equal((await send(get('/write', 'x'))).status, 401)
        }
        assert.deepEqual(handled, Array.from({ length: 5 }, () => keys.map(({ key }) => `/write ${key.id}`)).flat())
        await keyring.revoke(keys[1]?.key.id ?? '', { reason: 'unused' })
        const statuses: number[] = []
        for (const { secret } of keys) statuses.push((await send(get('/write', secret))).status)
        assert.deepEqual(statuses, [200, 401, 200])
      }))
  })
}
