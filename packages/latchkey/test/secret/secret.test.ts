import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checksum } from '../../src/secret/checksum.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { mint } from '../../src/secret/mint.ts'
import { formReader, parse } from '../../src/secret/parse.ts'

const word = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/)

test('what is minted is parsed to what it was minted from', () => {
  fc.assert(
    fc.property(word, word, (prefix, environment) => {
      const secret = mint({ prefix, environment })
      const parsed = parse(secret)
      assert.ok(typeof parsed === 'object')
      assert.equal(parsed.prefix, prefix)
      assert.equal(parsed.environment, environment)
      assert.equal(parsed.start, secret.slice(0, prefix.length + environment.length + 6))
    }),
    { numRuns: 1000 },
  )
})

test('a secret is prefix, environment, 32 random characters and 6 of checksum, all base62', () => {
  assert.match(mint({ prefix: 'lk', environment: 'live' }), /^lk_live_[0-9A-Za-z]{38}$/)
})

test('the checksum is CRC-32 in base62, so that a scanner written elsewhere agrees', () => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  for (let round = 0; round < 50; round++) {
    const secret = mint({ prefix: 'lk', environment: 'live' })
    let crc = 0xffffffff
    for (const byte of Buffer.from(secret.slice(0, -6))) {
      crc ^= byte
      for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    }
    let value = BigInt((crc ^ 0xffffffff) >>> 0)
    let text = ''
    for (let digit = 0; digit < 6; digit++, value /= 62n) text = alphabet[Number(value % 62n)] + text
    assert.equal(secret.slice(-6), text)
  }
})

test('no two secrets are alike, and every base62 character is as likely as any other', () => {
  const secrets = Array.from({ length: 5000 }, () => mint({ prefix: 'lk', environment: 'live' }))
  assert.equal(new Set(secrets).size, secrets.length)
  const counts = new Map<string, number>()
  for (const secret of secrets) {
    for (const character of secret.slice(8, 40)) counts.set(character, (counts.get(character) ?? 0) + 1)
  }
  const expected = (5000 * 32) / 62
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  assert.equal(counts.size, 62)
  // 61 degrees of freedom: above 140 comes once in ten million fair runs; taking bytes modulo 62 gives some 1,500.
  assert.ok(chiSquare < 140, `chi-square ${chiSquare}`)
})

test('random text is never parsed as a secret and never throws', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 80 }), fc.string({ maxLength: 80 })), (text) => {
      assert.equal(typeof parse(text), 'string')
    }),
    { numRuns: 5000 },
  )
})

test('a hash is SHA-256 in hexadecimal (FIPS 180-4, the example "abc")', () => {
  assert.equal(hashSecret('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})

test('the form that is read on the way of a request is what taking the secret apart says', () => {
  const formOf = formReader({ prefix: 'lk', environments: ['live', 'test'] })
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  const head = fc.constantFrom('lk_live_', 'lk_test_', 'lk_admin_', 'xy_live_', 'lk_live', 'LK_live_')
  const random = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength: 32, maxLength: 32 }),
    },
    fc.string({ unit: fc.constantFrom(...Array.from(alphabet), '_', '-', 'é', 'Ł'), minLength: 31, maxLength: 33 }),
  )
  const tail = fc.oneof(
    fc.constant(undefined),
    fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength: 6, maxLength: 6 }),
  )
  const seen = new Set<string>()
  fc.assert(
    fc.property(head, random, tail, (start, middle, end) => {
      const text = start + middle + (end ?? checksum(start + middle))
      const parsed = parse(text)
      const ours =
        typeof parsed === 'string' || (parsed.prefix === 'lk' && ['live', 'test'].includes(parsed.environment))
      const foreign = /^(?:lk_admin_|xy_live_)/.test(text) || !ours
      const expected = foreign ? 'malformed' : typeof parsed === 'string' ? parsed : 'minted'
      assert.equal(formOf(text), expected, text)
      seen.add(expected)
    }),
    { numRuns: 3000 },
  )
  assert.deepEqual([...seen].toSorted(), ['malformed', 'minted', 'mistyped'])
})
