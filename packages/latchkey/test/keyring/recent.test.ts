import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { recent } from '../../src/keyring/recent.ts'

/** Hashes of which every three share their first 28 bits, so that the whole of them matters. */
const hashOf = (name: number): string =>
  `${Math.floor(name / 3)
    .toString(16)
    .padStart(7, '0')}${name.toString(16).padStart(57, 'f')}`

test('never more than the limit is held, and what is found is what was set last under the whole hash', () => {
  const operation = fc.record({
    kind: fc.oneof({ weight: 15, arbitrary: fc.constantFrom('set', 'get', 'forget') }, fc.constant('clear')),
    name: fc.nat(60),
    value: fc.nat(),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 20 }),
      fc.array(operation, { maxLength: 200, size: 'max' }),
      (limit, operations) => {
        const held = recent<{ hash: string; value: number }>(limit)
        const model = new Map<string, number>()
        for (const { kind, name, value } of operations) {
          const hash = hashOf(name)
          if (kind === 'set') {
            held.set({ hash, value })
            model.set(hash, value)
            assert.equal(held.get(hash)?.value, value)
          } else if (kind === 'forget') {
            held.forget((entry) => entry.hash === hash)
            model.delete(hash)
          } else if (kind === 'clear') {
            held.clear()
            model.clear()
          }
          const found = held.get(hash)
          if (found !== undefined) assert.deepEqual(found, { hash, value: model.get(hash) })
        }
        let size = 0
        held.forget(() => {
          size++
          return false
        })
        assert.ok(size <= limit, `${size} of ${limit}`)
      },
    ),
  )
})

test('what is read again and again stays while new entries come and go', () => {
  const held = recent<{ hash: string }>(10)
  held.set({ hash: hashOf(0) })
  for (let index = 3; index < 3000; index++) {
    held.set({ hash: hashOf(index) })
    assert.ok(held.get(hashOf(0)))
  }
})
