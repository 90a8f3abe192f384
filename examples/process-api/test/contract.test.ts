import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import fc from 'fast-check'
import type { FastifyInstance, InjectOptions } from 'fastify'
import type { TestKeyring } from 'latchkey/testing'
import { testKeyring } from 'latchkey/testing'
import { buildApp } from '../src/app.ts'
import type { Scope } from '../src/keys.ts'
import { scopes } from '../src/keys.ts'

interface Operation {
  readonly security: unknown
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >
}

interface Document {
  readonly openapi: string
  readonly info: { readonly title: string }
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

async function served(): Promise<{ app: FastifyInstance; document: Document; keys: TestKeyring<Scope> }> {
  const keys = await testKeyring({ scopes })
  const app = await buildApp({ keyring: keys.keyring, work: async ({ status }) => status === 'SUCCESS' })
  const document = (await app.inject('/openapi.json')).json<Document>()
  return { app, document, keys }
}

test('the served document is valid OpenAPI 3.1', async () => {
  const { document } = await served()
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.info.title, 'API')
  const { valid, errors } = await new Validator().validate(structuredClone(document) as never)
  assert.ok(valid, JSON.stringify(errors))
})

test('401, 403, 422, 429 and 500 are documented, and the scope that is enforced', async () => {
  const { document } = await served()
  const operation = document.paths['/process']?.['post']
  assert.deepEqual(operation?.security, [{ ApiKey: ['process:run'] }])
  assert.deepEqual(Object.keys(operation?.responses ?? {}), [
    '200',
    '400',
    '401',
    '403',
    '413',
    '415',
    '422',
    '429',
    '500',
    '503',
  ])
  assert.deepEqual(Object.keys(document.paths), ['/process'], 'documents about documents are left out')
})

test('no generated request gets an undocumented status, or an answer that does not fit its schema', async () => {
  const { app, document, keys } = await served()
  const operation = document.paths['/process']?.['post']
  assert.ok(operation)
  const ajv = new Ajv2020({ strict: false })
  ajvFormats.default(ajv)
  const validators = new Map(
    Object.entries(operation.responses).flatMap(([status, { content = {} }]) =>
      Object.entries(content).map(([type, { schema }]) => [`${status} ${type}`, ajv.compile(schema)] as const),
    ),
  )

  const { key, secret: revoked } = await keys.keyring.issue({ name: 'Gone', owner: 'acme', scopes: ['process:run'] })
  await keys.keyring.revoke(key.id, { reason: 'unused' })
  const good = (await keys.headersFor(['process:run']))['X-API-Key']
  const weak = (await keys.headersFor([]))['X-API-Key']
  const limits = [{ name: 'once', limit: 1, window: 3600 }]
  const limited = (await keys.headersFor(['process:run'], { limits }))['X-API-Key']
  const other = (await keys.headersFor(['process:run'], { environment: 'test' }))['X-API-Key']

  const credential = fc.oneof(
    { weight: 6, arbitrary: fc.constant(good) },
    fc.constantFrom(weak, other, limited, revoked, undefined, '', `${good}, ${good}`),
    fc.constant([good, good]),
    fc.string({ maxLength: 60 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, '')),
  )
  const body = fc.oneof(
    fc.record({ status: fc.oneof(fc.constant('SUCCESS'), fc.string()) }).map((value) => JSON.stringify(value)),
    fc.json(),
    fc.record({ status: fc.jsonValue() }, { requiredKeys: [] }).map((value) => JSON.stringify(value)),
    fc.string(),
    fc.constantFrom('', '{"__proto__":{}}', '{"status":"SUCCESS","constructor":{"prototype":1}}', 'x'.repeat(70_000)),
  )
  const type = fc.oneof(
    { weight: 5, arbitrary: fc.constant('application/json') },
    fc.constantFrom('text/plain', 'application/xml', '', 'application/json; charset=utf-8', 'nonsense', undefined),
  )
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(credential, body, type, async (apiKey, payload, contentType) => {
      const headers = Object.fromEntries(
        Object.entries({ 'x-api-key': apiKey, 'content-type': contentType }).filter(([, value]) => value !== undefined),
      )
      const answer = await app.inject({ method: 'POST', url: '/process', headers, payload } as InjectOptions)
      const media = String(answer.headers['content-type']).split(';')[0]
      const validate = validators.get(`${answer.statusCode} ${media}`)
      assert.ok(validate, `${answer.statusCode} ${media} is not documented`)
      assert.ok(validate(answer.json()), `${answer.body} ${JSON.stringify(validate.errors)}`)
      if (answer.statusCode === 401) assert.equal(answer.headers['www-authenticate'], 'X-API-Key')
      if (answer.statusCode === 500) assert.equal(answer.json().code, 'task_failed')
      seen.add(String(answer.statusCode))
    }),
    { numRuns: 3000 },
  )
  // Otherwise the property says less than it seems to.
  assert.deepEqual([...seen].toSorted(), ['200', '400', '401', '403', '413', '415', '422', '429', '500'])
})
