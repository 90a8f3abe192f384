import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import type { ValidateFunction } from 'ajv/dist/2020.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import fc from 'fast-check'
import type { Stage } from '../stage.ts'
import { everything, openStage } from '../stage.ts'
import type { Schema } from './arbitrary.ts'
import { arbitraryOf } from './arbitrary.ts'

interface Operation {
  readonly summary?: string
  readonly security: readonly object[]
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: Schema } } }
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, object>> }>>
}

interface Document {
  readonly openapi: string
  readonly servers: readonly { readonly url: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

async function documentOf({ send }: Stage): Promise<Document> {
  return (await send('GET /openapi.json')).json()
}

test('the served document is valid OpenAPI 3.1, and says of every operation what it is for and who may call it', async () => {
  const stage = await openStage()
  const document = await documentOf(stage)
  assert.equal(document.openapi, '3.1.0')
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
  assert.ok(valid, JSON.stringify(errors))
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { summary, security }] of Object.entries(operations)) {
      assert.ok(summary !== undefined && Array.isArray(security), `${method} ${path}`)
    }
  }
  assert.deepEqual(Object.keys(document.paths).toSorted(), [
    '/.well-known/jwks.json',
    '/healthz',
    '/metrics',
    '/readyz',
    '/v1/counts',
    '/v1/journal',
    '/v1/journal/head',
    '/v1/journal/verify',
    '/v1/journal/{seq}',
    '/v1/keyring',
    '/v1/keys',
    '/v1/keys/bulk',
    '/v1/keys/import',
    '/v1/keys/{id}',
    '/v1/keys/{id}/disable',
    '/v1/keys/{id}/enable',
    '/v1/keys/{id}/retire',
    '/v1/keys/{id}/revoke',
    '/v1/keys/{id}/rotate',
    '/v1/owners',
    '/v1/owners/{owner}',
    '/v1/refusals',
    '/v1/refusals/{requestId}',
    '/v1/usage',
    '/v1/usage/series',
    '/v1/verify',
    '/v1/verify/batch',
    '/v1/whoami',
    '/v1/why',
  ])
  for (const name of ['Key', 'KeyDetails', 'NewKey', 'Owner', 'JournalEntry', 'Verdict', 'Problem']) {
    assert.ok(name in document.components.schemas, name)
  }
  await stage.finish()
})

/** The same document, but no object in it has members that it does not name: nothing else takes them out of an answer. */
function closed<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(closed) as Value
  if (typeof value !== 'object' || value === null) return value
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]))
  const isObject = copy['type'] === 'object' || (Array.isArray(copy['type']) && copy['type'].includes('object'))
  return (isObject && 'properties' in copy ? { additionalProperties: false, ...copy } : copy) as Value
}

/** Tells for each operation, status and media type whether an answer is what the document says. */
function answersOf(document: Document): (place: string, status: number, media: string) => ValidateFunction | undefined {
  const ajv = new Ajv2020({ strict: false })
  ajvFormats.default(ajv)
  ajv.addSchema(closed(document), 'document')
  const pointer = (...parts: readonly string[]): string =>
    `document#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
  const known = new Map<string, ValidateFunction | undefined>()
  return (place, status, media) => {
    const id = `${place} ${status} ${media}`
    if (!known.has(id)) {
      const [method = '', path = ''] = place.split(' ')
      const content = document.paths[path]?.[method]?.responses[status]?.content
      const reference = pointer('paths', path, method, 'responses', String(status), 'content', media, 'schema')
      known.set(id, content?.[media] === undefined ? undefined : ajv.compile({ $ref: reference }))
    }
    return known.get(id)
  }
}

test('no generated request gets an undocumented status, an answer that does not fit its schema, or a failure', async () => {
  const stage = await openStage()
  const document = await documentOf(stage)
  const answers = answersOf(document)
  const admin = await stage.admin()
  const bound = await stage.admin({ owner: 'globex', delegation: { ...everything, owner: 'globex' } })
  const weak = await stage.admin({ scopes: [] })
  const limited = await stage.admin({ limits: [{ name: 'few', limit: 3, window: 60 }] })
  const ordinary = await stage.issue({ quota: { amount: 5 } })
  const others = [await stage.issue({ owner: 'globex' }), await stage.issue({ environment: 'test' })]
  const revoked = await stage.issue()
  await stage.keyring.revoke(revoked.key.id, { reason: 'other' })

  const caller = fc.oneof(
    { weight: 16, arbitrary: fc.constant(admin.secret) },
    fc.constantFrom(bound.secret, weak.secret, limited.secret, ordinary.secret, undefined, '', 'nonsense'),
  )
  // Not those that call: what a request does to them would end the test for the others.
  const ids = [ordinary, revoked, await stage.admin({ owner: 'globex' }), ...others].map(({ key }) => key.id)
  const names = {
    id: fc.oneof(
      { weight: 3, arbitrary: fc.constant('fresh') },
      fc.constantFrom(...ids),
      fc.string({ minLength: 1, maxLength: 150 }),
    ),
    key: fc.oneof(fc.constantFrom(...ids), fc.string()),
    owner: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('acme', 'globex', 'leaving') },
      fc.string({ minLength: 1, maxLength: 200, unit: 'binary' }),
    ),
    requestId: fc.oneof(fc.uuid(), fc.string({ minLength: 1 })),
    environment: fc.constantFrom('live', 'live', 'live', 'test', 'test', 'admin', 'moon'),
    scopes: fc.oneof(
      { weight: 8, arbitrary: fc.subarray(['orders:read', 'orders:*', 'reports:read']) },
      fc.constant(['keys:read']),
      fc.array(fc.string()),
    ),
    scope: fc.constantFrom('orders:read', 'reports:read', 'orders:fly'),
    cursor: fc.constantFrom('1', '5', 'x'),
    anyOf: fc.subarray(['orders:read', 'orders:write']),
    credential: fc.oneof(
      fc.constantFrom(ordinary.secret, others[0]!.secret, revoked.secret, admin.secret),
      fc.string(),
    ),
    addresses: fc.oneof(
      fc.constant(null),
      fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 2 }),
      fc.array(fc.string()),
    ),
    expiresAt: fc.constantFrom(null, stage.clock.now() + 1e9, stage.clock.now() + 2e9, 5),
    notBefore: fc.constantFrom(null, null, 5, -1),
    name: fc.oneof({ weight: 4, arbitrary: fc.constantFrom('burst', 'hourly', 'daily') }, fc.string()),
    metadata: fc.oneof(fc.constant({ plan: 'pro' }), fc.constant(null), fc.dictionary(fc.string(), fc.string())),
    quota: fc.constantFrom(
      null,
      { amount: 5 },
      { amount: 9, refill: 'month' },
      { amount: 5, refill: 'day', remaining: 1 },
      { amount: -1 },
    ),
    delegation: fc.constantFrom(null, null, null, null, everything, { owner: null }),
    algorithm: fc.constantFrom('sha256', 'sha256', 'sha512'),
    bits: fc.oneof({ weight: 9, arbitrary: fc.constant(128) }, fc.nat(63)),
    hash: fc.string({ unit: fc.constantFrom(...Array.from('0123456789abcdef')), minLength: 64, maxLength: 64 }),
    'idempotency-key': fc.constantFrom('one', 'two', 'x'.repeat(300)),
    'if-match': fc.constantFrom('"1"', '"5"', 'W/"5"', '*', '5', '"x"', '"1", "2"'),
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const request = fc.constantFrom(...operations).chain(({ path, method, operation }) => {
    const { parameters = [], requestBody } = operation
    const parameterOf = (place: string): fc.Arbitrary<Record<string, unknown>> => {
      const there = parameters.filter((parameter) => parameter.in === place)
      // Few of those that may be left out: with many of them one is always wrong.
      const chosen =
        place === 'path' ? fc.constant(there) : fc.subarray(there, { maxLength: Math.min(2, there.length) })
      return chosen.chain((some) =>
        fc.record(
          Object.fromEntries(some.map(({ name, schema }) => [name, arbitraryOf(schema, { named: names, name })])),
        ),
      )
    }
    const schema = requestBody?.content['application/json'].schema
    const fitting = arbitraryOf(schema ?? {}, { named: names, schemas: document.components.schemas })
    const body = fc.oneof(
      { weight: 14, arbitrary: fitting.map((value) => JSON.stringify(value)) },
      fc.json(),
      fc.string(),
      fitting.map((value) => JSON.stringify({ ...(value as object), surprise: 1 })),
      fc.constantFrom(undefined, '', '{"__proto__":{}}', 'x'.repeat(200_000)),
    )
    const type = fc.oneof(
      { weight: 12, arbitrary: fc.constant('application/json') },
      fc.constantFrom('text/plain', 'x', undefined),
    )
    return fc.record({
      place: fc.constant(`${method} ${path}`),
      path: parameterOf('path'),
      query: fc.oneof({ weight: 8, arbitrary: parameterOf('query') }, fc.constant({ surprise: '1' })),
      headers: parameterOf('header'),
      body: schema === undefined ? fc.constant(undefined) : body,
      type,
      caller,
    })
  })

  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(request, async ({ place, path, query, headers, body, type, caller: key }) => {
      const [method = '', pattern = ''] = place.split(' ')
      // No client sends `.` or `..` as a part of a path (RFC 3986 5.2.4): it would be another path.
      const fresh = path['id'] === 'fresh' ? (await stage.issue()).key.id : path['id']
      // Only a revoked key and a disabled owner can be erased.
      if (place === 'delete /v1/keys/{id}' && path['id'] === 'fresh')
        await stage.keyring.revoke(String(fresh), { reason: 'unused' })
      if (path['owner'] === 'leaving') await stage.keyring.changeOwner('leaving', { disabled: true, limits: [] })
      const part = (name: string): string => wellFormed(name === 'id' ? fresh : path[name]).replace(/^\.{1,2}$/, 'dots')
      const filled = pattern.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(part(name)))
      const search = new URLSearchParams(
        Object.entries(query).map(([name, value]): [string, string] => [name, wellFormed(value)]),
      )
      const sent = body !== undefined && type !== undefined ? { 'content-type': type } : {}
      const answer = await stage.app.inject({
        method: method.toUpperCase() as 'POST',
        url: `${filled}?${search.toString()}`,
        headers: {
          ...(headers as Record<string, string>),
          ...sent,
          ...(key === undefined ? {} : { 'x-api-key': key }),
        },
        ...(body === undefined ? {} : { payload: body }),
      })
      const media = String(answer.headers['content-type']).split(';')[0] ?? ''
      const validate = answers(place, answer.statusCode, media)
      assert.ok(validate, `${place}: ${answer.statusCode} ${media} is not documented: ${answer.body}`)
      const value: unknown = media === 'text/plain' ? answer.body : answer.json()
      assert.ok(validate(value), `${place} ${answer.body} ${JSON.stringify(validate.errors)}`)
      assert.ok(answer.statusCode < 500, answer.body)
      seen.add(`${place} ${answer.statusCode}`)
    }),
    { numRuns: 2000 },
  )
  // Otherwise the property says less than it seems to.
  for (const { path, method } of operations) {
    const fine = (path.includes('{requestId}') ? [404] : [200, 201]).some((status) =>
      seen.has(`${method} ${path} ${status}`),
    )
    assert.ok(fine, `${method} ${path} never got through`)
  }
  for (const status of [200, 201, 400, 401, 403, 404, 409, 412, 413, 415, 422, 429]) {
    assert.ok(
      [...seen].some((one) => one.endsWith(` ${status}`)),
      `${status} was never seen`,
    )
  }
  await stage.close()
})

function wellFormed(value: unknown): string {
  // An object may have no prototype, and be no text then.
  return (typeof value === 'string' ? value : JSON.stringify(value ?? null)).toWellFormed()
}
