import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 as crc32OfZlib } from 'node:zlib'
import fc from 'fast-check'
import { crc32 } from '../../src/secret/crc32.ts'

test('the checksum of any ASCII text is the CRC-32 that zlib computes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary-ascii', maxLength: 100 }), (text) => {
      assert.equal(crc32(text, text.length), crc32OfZlib(text))
    }),
    { numRuns: 2000 },
  )
})
