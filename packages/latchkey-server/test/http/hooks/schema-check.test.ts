import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import Fastify from 'fastify'
import { testKeyring } from 'latchkey/testing'
import { latchkeyServer, serverOptions } from '../../../src/http/app.ts'
import { checkOf } from '../../../src/http/hooks/schema-check.ts'
import type { Schema } from '../arbitrary.ts'
import { arbitraryOf } from '../arbitrary.ts'

/** The schemas of all requests of the server, each with its route. */
async function schemas(part: 'body' | 'querystring'): Promise<readonly (readonly [string, Schema])[]> {
  const { keyring } = await testKeyring({ scopes: { 'orders:read': 'Read orders' } })
  const app = Fastify(serverOptions)
  const found: (readonly [string, Schema])[] = []
  app.addHook('onRoute', ({ method, url, schema }) => {
    const one = schema?.[part] as Schema | undefined
    if (one !== undefined && method !== 'HEAD') found.push([`${String(method)} ${url}`, one])
  })
  await app.register(latchkeyServer, { keyring })
  await app.close()
  await keyring.close()
  return found
}

/** A value in which one part, wherever it is, may be another one. */
function damaged(value: unknown, other: unknown, place: number): unknown {
  if (typeof value !== 'object' || value === null) return place === 0 ? other : value
  const names = Object.keys(value)
  const name = names[place % (names.length + 1)]
  if (name === undefined) return other
  const copy = structuredClone(value) as Record<string, unknown>
  copy[name] = damaged(copy[name], other, Math.floor(place / (names.length + 1)))
  return copy
}

test('a body fits its schema exactly if it does for Ajv', async () => {
  // The patterns of these are met by few texts.
  const named = { hash: fc.constantFrom('0a'.repeat(32), '0a'.repeat(31)), name: fc.constantFrom('burst', 'Burst', '') }
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  for (const [route, schema] of await schemas('body')) {
    const validate = ajv.compile(schema)
    const check = checkOf(schema)
    const outcomes = new Set<boolean>()
    const fitting = arbitraryOf(schema, { named })
    const body = fc.oneof(
      fitting,
      fc.tuple(fitting, fc.jsonValue(), fc.nat(500)).map((parts) => damaged(...parts)),
      fc.jsonValue(),
    )
    fc.assert(
      fc.property(body, (value) => {
        const fits = validate(structuredClone(value))
        outcomes.add(fits)
        assert.equal(check(value).faults.length === 0, fits, `${route} ${JSON.stringify(value)}`)
      }),
      { numRuns: 400 },
    )
    assert.equal(outcomes.size, 2, route)
  }
})

test('each fault is found, with the place of it', () => {
  const schema = {
    type: 'object',
    required: ['name', 'count'],
    additionalProperties: false,
    properties: {
      name: { type: 'string', minLength: 2, maxLength: 3, pattern: '^a' },
      count: { type: 'integer', minimum: 1, maximum: 3 },
      kind: { type: ['string', 'null'], enum: ['one', null] },
      list: { type: 'array', minItems: 1, maxItems: 2, items: { type: 'boolean' } },
      texts: {
        type: 'object',
        patternProperties: { '^.*$': { type: 'string', maxLength: 1 } },
        propertyNames: { maxLength: 2 },
        maxProperties: 2,
      },
    },
  }
  const check = checkOf(schema)
  const found = (value: unknown): readonly string[] =>
    check(value).faults.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`)
  const right = { name: 'a𝄞𝄞', count: 1, kind: null, list: [true], texts: { a: 'b' } }
  assert.deepEqual(found(right), [])
  assert.deepEqual(found([]), [' type'])
  assert.deepEqual(found(null), [' type'])
  assert.deepEqual(found({}), [' required', ' required'])
  assert.deepEqual(found({ ...right, name: 'b', count: 4, kind: 'two', list: [] }), [
    '/name minLength',
    '/name pattern',
    '/count maximum',
    '/kind enum',
    '/list minItems',
  ])
  assert.deepEqual(found({ ...right, name: 'abcd', count: '1', list: [true, 1], other: 1 }), [
    '/name maxLength',
    '/count type',
    '/list/1 type',
    ' additionalProperties',
  ])
  assert.deepEqual(found({ ...right, count: 1.5, list: [1, 2, 3], texts: { abc: 'd', 'a/': 'ef' } }), [
    '/count type',
    '/list maxItems',
    '/texts maxLength',
    '/texts/a~1 maxLength',
  ])
  assert.deepEqual(found({ ...right, texts: { a: 'a', b: 'b', c: 'c' } }), ['/texts maxProperties'])
  assert.deepEqual(found(JSON.parse('{"name":"ab","count":1,"__proto__":{}}')), [' additionalProperties'])
})

test('texts of an address become what their schema has, and no other spelling of it', () => {
  const properties = { limit: { type: 'integer' }, rows: { type: 'boolean' }, text: { type: 'string' } }
  const check = checkOf({ type: 'object', properties, additionalProperties: false }, true)
  const query: Record<string, unknown> = { limit: '-12', rows: 'false', text: '5' }
  assert.deepEqual(check(query).faults, [])
  assert.deepEqual(query, { limit: -12, rows: false, text: '5' })
  for (const wrong of ['1e2', '0x10', ' 1', '', '1.0', '+1', '12345678901234567', ['1']]) {
    assert.equal(check({ limit: wrong }).faults[0]?.keyword, 'type', JSON.stringify(wrong))
  }
  for (const wrong of ['TRUE', '1', '', 'null']) assert.equal(check({ rows: wrong }).faults[0]?.keyword, 'type', wrong)
  assert.equal(check({ text: ['a', 'b'] }).faults[0]?.keyword, 'type')
})

test('no more faults are looked for than are answered', () => {
  const schema = { type: 'object', properties: {}, additionalProperties: false }
  const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`member ${index}`, index]))
  assert.equal(checkOf(schema)(many).faults.length, 100)
  const list = { type: 'array', items: { type: 'string' } }
  assert.equal(checkOf(list)(Array.from({ length: 10_000 }, () => 1)).faults.length, 100)
})

test('a schema with a keyword that is not checked is refused when the route is made', () => {
  for (const schema of [
    { type: 'string', format: 'uuid' },
    { type: 'number' },
    {},
    { type: 'null' },
    { type: ['string', 'integer'] },
    { anyOf: [] },
    { type: 'object', properties: { a: { type: 'array', uniqueItems: true } } },
    { type: 'object', patternProperties: { '^a': { type: 'string' } } },
  ]) {
    assert.throws(() => checkOf(schema), TypeError, JSON.stringify(schema))
  }
})
