import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RawAnswer, RawRequest } from './raw.ts'
import { sendRaw } from './raw.ts'
import type { Seen } from './service.ts'
import type { ProxyStart } from './stand.ts'
import { openStand } from './stand.ts'

/** Headers that only Latchkey may set, and aliases that some servers take for them. */
const spellings = [
  'X-Latchkey-Identity',
  'x-latchkey-owner',
  'X-LATCHKEY-KEY-ID',
  'X_Latchkey_Identity',
  'X_Latchkey_Owner',
  'X-Latchkey_Owner',
  'X.Latchkey.Owner',
  'X-Latchkey.Key-Id',
]

/** What every proxy promises with the configuration that the guide shows. */
export function proxyConformance(name: string, skip: string | false, start: ProxyStart): void {
  test(`${name}: what a proxy promises with the configuration of the guide`, { skip }, async (context) => {
    const stand = await openStand(start)
    const { issue, service, port } = stand

    /** Sends a request, and what the service has seen of it. */
    async function call(request: RawRequest): Promise<RawAnswer & { readonly seen: readonly Seen[] }> {
      service.taken()
      const answer = await sendRaw(port, request)
      return { ...answer, seen: service.taken() }
    }

    await context.test(
      'a key that the policy accepts reaches the service as an identity, and not as a key',
      async () => {
        const { key, secret } = await issue({ owner: 'Ümit & Söhne' })
        const { status, body, seen } = await call({ headers: [['X-API-Key', secret]] })
        assert.deepEqual([status, JSON.parse(body)], [200, { service: true }])
        assert.equal(seen.length, 1)
        assert.equal(valueIn(seen, 'x-latchkey-key-id'), key.id)
        assert.equal(decodeURIComponent(valueIn(seen, 'x-latchkey-owner')), 'Ümit & Söhne')
        const claims = claimsOf(valueIn(seen, 'x-latchkey-identity'))
        assert.deepEqual(
          [claims['aud'], claims['sub'], claims['owner'], claims['environment'], claims['scopes']],
          ['process', key.id, 'Ümit & Söhne', 'live', ['process:run']],
        )
        assert.ok(!JSON.stringify(seen).includes(secret))
      },
    )

    await context.test(
      'every refusal keeps its status, its fields and its document, and never calls the service',
      async () => {
        const [other, foreign, revoked] = [
          await issue({ scopes: ['orders:read'] }),
          await issue({ environment: 'test' }),
          await issue(),
        ]
        const limited = await issue({ limits: [{ name: 'few', limit: 1, window: 3600 }] })
        const addressed = await issue({ addresses: ['192.0.2.7'] })
        await stand.keyring.revoke(revoked.key.id, { reason: 'unused' })
        assert.equal((await call({ headers: [['X-API-Key', limited.secret]] })).status, 200)
        const twice = [
          ['X-API-Key', limited.secret],
          ['X-API-Key', limited.secret],
        ] as const
        const cases: readonly (readonly [status: number, code: string, headers: RawRequest['headers']])[] = [
          [401, 'invalid_key', []],
          [401, 'invalid_key', [['X-API-Key', 'nonsense']]],
          [401, 'invalid_key', [['X-API-Key', revoked.secret]]],
          [403, 'insufficient_scope', [['X-API-Key', other.secret]]],
          [403, 'wrong_environment', [['X-API-Key', foreign.secret]]],
          [
            403,
            'address_not_allowed',
            [
              ['X-API-Key', addressed.secret],
              ['X-Forwarded-For', '192.0.2.7'],
            ],
          ],
          [429, 'over_limit', [['X-API-Key', limited.secret]]],
          [400, 'two_credentials', twice],
        ]
        for (const [status, code, headers = []] of cases) {
          const answer = await call({ headers })
          assert.deepEqual([answer.status, answer.seen.length], [status, 0], code)
          const problem = JSON.parse(answer.body) as Readonly<Record<string, unknown>>
          assert.deepEqual([problem['status'], problem['code']], [status, code])
          assert.match(answer.headers['content-type']?.[0] ?? '', /^application\/problem\+json/)
          assert.deepEqual(answer.headers['www-authenticate'], status === 401 ? ['X-API-Key'] : undefined, code)
          assert.deepEqual(answer.headers['cache-control'], ['no-store'], code)
          if (status === 429) {
            assert.match(answer.headers['retry-after']?.[0] ?? '', /^[1-9][0-9]*$/)
            assert.deepEqual(answer.headers['ratelimit-policy'], ['"few";q=1;w=3600'])
          }
          assert.ok(
            !JSON.stringify(answer.headers).includes('x-latchkey'),
            `${code}: ${JSON.stringify(answer.headers)}`,
          )
        }
      },
    )

    await context.test('what a caller writes in the place of Latchkey reaches the service in no spelling', async () => {
      const { secret } = await issue()
      const forged = spellings.flatMap(
        (spelling) =>
          [
            [spelling, 'EVIL'],
            [spelling, 'EVIL'],
          ] as const,
      )
      const connection = [['Connection', `keep-alive, ${spellings.slice(0, 3).join(', ')}`]] as const
      for (const [line, headers] of [
        ['GET /orders HTTP/1.1', [...forged, ['X-API-Key', secret]]],
        ['GET /orders HTTP/1.1', [...forged, ...connection, ['X-API-Key', secret]]],
        ['GET /health HTTP/1.1', [...forged, ['X-API-Key', secret]]],
      ] as const) {
        const { status, seen } = await call({ line, headers })
        assert.deepEqual([status, seen.length], [200, 1], line)
        assert.ok(!JSON.stringify(seen).includes('EVIL'), JSON.stringify(seen))
        assert.ok(!JSON.stringify(seen).includes(secret))
        const ours = seen[0]?.lines.filter(([one]) => /latchkey/i.test(one)) ?? []
        assert.equal(ours.length, line.includes('/health') ? 0 : 3)
      }
    })

    await context.test(
      'nothing but the credential decides: no path, no method, no query, no header of a proxy',
      async () => {
        const [{ secret }, other] = [await issue(), await issue({ scopes: ['orders:read'] })]
        const told = [
          ['X-Forwarded-Uri', '/health'],
          ['X-Forwarded-Method', 'OPTIONS'],
          ['X-Original-URL', '/health'],
          ['X-Original-Method', 'HEAD'],
          ['X-Forwarded-Prefix', '/health'],
          ['X-HTTP-Method-Override', 'OPTIONS'],
          ['Forwarded', 'for=127.0.0.1'],
          ['X-Latchkey-Proxy', 'EVIL'],
        ] as const
        for (const line of [
          'GET /orders?policy=other&scopes=none HTTP/1.1',
          'DELETE /health/../orders HTTP/1.1',
          'PROPFIND /orders/%2e%2e/health2 HTTP/1.1',
          'GET /nginx HTTP/1.1',
          'HEAD /orders HTTP/1.1',
        ]) {
          const method = line.split(' ')[0]
          if (method !== 'HEAD')
            assert.equal((await call({ line, headers: [...told, ['X-API-Key', secret]] })).status, 200, line)
          for (const headers of [told, [...told, ['X-API-Key', other.secret]] as const]) {
            const refused = await call({ line, headers: [...headers, ['Connection', 'close']] })
            assert.deepEqual([refused.status, refused.seen.length], [headers === told ? 401 : 403, 0], line)
          }
        }
      },
    )

    await context.test('in no spelling does an open path lead to another one without a key', async () => {
      for (const path of [
        '/health',
        '/orders/../health',
        '/health/../orders',
        '/health/%2e%2e/orders',
        '/health%2f..%2forders',
        '/health/..;/orders',
        '//health',
        '/./health',
        '/%68ealth',
        '/HEALTH',
        '/health/',
        '/health/orders',
        '/health;/orders',
        '/health?/../orders',
        'http://service.example/health',
      ]) {
        const { status, seen } = await call({ line: `GET ${path} HTTP/1.1` })
        const [first] = seen
        if (first === undefined) assert.ok([400, 401].includes(status), `${path}: ${status}`)
        else assert.equal(decodeURIComponent(first.url.split('?')[0] ?? ''), '/health', path)
      }
    })

    await context.test('a body that is announced and not sent holds up no refusal', async () => {
      const announced = { line: 'POST /orders HTTP/1.1', headers: [['Content-Length', '1000000']] } as const
      const { status, seen } = await call(announced)
      assert.deepEqual([status, seen.length], [401, 0])
    })

    await context.test('refusals are asked about on connections that are kept', { skip: start.asksAnew }, async () => {
      let opened = 0
      const count = (): void => void opened++
      stand.forProxies?.server.on('connection', count)
      for (let time = 0; time < 50; time++) assert.equal((await call({})).status, 401)
      stand.forProxies?.server.off('connection', count)
      assert.ok(opened <= 2, `${opened} connections`)
    })

    await context.test('without Latchkey nobody passes: 503 with a document', async () => {
      const { secret } = await issue()
      await stand.forProxies?.close()
      const { status, body, headers, seen } = await call({ headers: [['X-API-Key', secret]] })
      assert.deepEqual([status, (JSON.parse(body) as { code: string }).code, seen.length], [503, 'unavailable', 0])
      assert.deepEqual(headers['retry-after'], ['1'])
    })
  })
}

function valueIn(seen: readonly Seen[], name: string): string {
  const values = seen.flatMap(({ lines }) =>
    lines.filter(([one]) => one.toLowerCase() === name).map(([, value]) => value),
  )
  assert.equal(values.length, 1, `${name} stands there once`)
  return values[0] ?? ''
}

/** What a token says, unchecked. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Readonly<Record<string, unknown>>
}
