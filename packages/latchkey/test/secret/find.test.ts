import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { holdsSecret } from '../../src/secret/find.ts'
import { mint } from '../../src/secret/mint.ts'

const name = fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/)
const around = fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9_]{0,40}$/))

test('a secret of any prefix and environment is found wherever it stands, also in the middle of a word', () => {
  fc.assert(
    fc.property(name, name, around, around, (prefix, environment, before, after) => {
      assert.ok(holdsSecret(before + mint({ prefix, environment }) + after))
    }),
    { numRuns: 500 },
  )
})

test('a text without a secret is let through, also one that looks like one but for a letter', () => {
  fc.assert(
    fc.property(around, fc.nat(31), (text, place) => {
      assert.ok(!holdsSecret(text))
      const secret = mint({ prefix: 'lk', environment: 'live' })
      const at = 'lk_live_'.length + place
      const other = secret[at] === 'x' ? 'y' : 'x'
      assert.ok(!holdsSecret(secret.slice(0, at) + other + secret.slice(at + 1)))
      assert.ok(!holdsSecret(secret.slice(0, -1)), 'a part of one')
    }),
    { numRuns: 500 },
  )
})
