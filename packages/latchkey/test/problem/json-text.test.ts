import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hasEachNameOnce, pointerPart, repeatedMember, utf8Text } from '../../src/problem/json-text.ts'

const numRuns = 300

test('JSON in which every name stands once is passed, whatever it holds and however it is laid out', () => {
  const indent = fc.constantFrom(undefined, 1, '\t')
  fc.assert(
    fc.property(fc.jsonValue(), indent, (value, space) => {
      const text = JSON.stringify(value, null, space)
      assert.equal(repeatedMember(text), undefined)
      assert.ok(hasEachNameOnce(text, JSON.parse(text)), text)
    }),
    { numRuns },
  )
})

test('a member that is given twice is found by its pointer, however deep it lies and however its name is written', () => {
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('a', '"', '\\', '\\"', ':', '{', '}', ',', 'a/b', '~', '__proto__'),
  )
  const path = fc.array(fc.oneof(name, fc.nat(3)), { maxLength: 4 })
  /** As `\u0061`, which is the same name. */
  const spelt = (text: string): string => {
    const units = text.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    return `"${units.join('')}"`
  }
  fc.assert(
    fc.property(path, name, fc.jsonValue(), (outer, twice, value) => {
      const told = JSON.stringify(value)
      let text = `{ ${spelt(twice)} : ${told} , ${JSON.stringify(twice)}\n:1}`
      for (const part of outer.toReversed()) {
        text =
          typeof part === 'number'
            ? `[${Array.from({ length: part }, () => told + ',').join('')}${text}]`
            : `{${JSON.stringify(part)}:${text}}`
      }
      assert.ok(!hasEachNameOnce(text, JSON.parse(text)), text)
      assert.equal(repeatedMember(text), [...outer, twice].map((part) => `/${pointerPart(String(part))}`).join(''))
    }),
    { numRuns },
  )
})

test('equal names in two objects, and texts that look like names, are not taken for one member', () => {
  for (const text of [
    '[{"a":1},{"a":2}]',
    '{"a":{"a":["a","a"]}}',
    '{"a":"\\"a\\":1","b":"a"}',
    '["a","a"]',
    '"a"',
    '7',
  ]) {
    assert.equal(repeatedMember(text), undefined, text)
    assert.ok(hasEachNameOnce(text, JSON.parse(text)), text)
  }
})

test('bytes that are no UTF-8 are no text, and a byte order mark is not part of it', () => {
  for (const bytes of [[0xff], [0xc3], [0x22, 0xed, 0xa0, 0x80, 0x22], [0xc0, 0xaf]]) {
    assert.equal(utf8Text(Uint8Array.from(bytes)), undefined, String(bytes))
  }
  assert.equal(utf8Text(Uint8Array.from([0xef, 0xbb, 0xbf, 0x61])), 'a')
})

test('a text may be as deep as it is long', () => {
  const text = `${'['.repeat(200_000)}{"a":1}${']'.repeat(200_000)}`
  assert.ok(hasEachNameOnce(text, JSON.parse(text)))
})
