import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { recent } from '../../src/verify/recent.ts'

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
        const held = recent<{ hash: string; value: number; weight: number }>({ entries: limit, bytes: Infinity })
        const model = new Map<string, number>()
        for (const { kind, name, value } of operations) {
          const hash = hashOf(name)
          if (kind === 'set') {
            held.set({ hash, value, weight: 1 })
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
          if (found !== undefined) assert.deepEqual(found, { hash, value: model.get(hash), weight: 1 })
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
  const held = recent<{ hash: string; weight: number }>({ entries: 10, bytes: Infinity })
  held.set({ hash: hashOf(0), weight: 1 })
  for (let index = 3; index < 3000; index++) {
    held.set({ hash: hashOf(index), weight: 1 })
    assert.ok(held.get(hashOf(0)))
  }
})

test('what is held never weighs more than it may, but for one that is too heavy alone, whatever is set again or forgotten', () => {
  const operation = fc.record({
    kind: fc.constantFrom('set', 'set', 'set', 'get', 'forget'),
    name: fc.nat(30),
    weight: fc.integer({ min: 1, max: 70 }),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 300, size: 'max' }), (operations) => {
      const held = recent<{ hash: string; weight: number }>({ entries: 1000, bytes: 200 })
      for (const { kind, name, weight } of operations) {
        const hash = hashOf(name)
        if (kind === 'set') held.set({ hash, weight })
        if (kind === 'set') assert.equal(held.get(hash)?.weight, weight)
        if (kind === 'get') held.get(hash)
        if (kind === 'forget') held.forget((entry) => entry.hash === hash)
        const distinct = new Set<{ readonly weight: number }>()
        held.forget((entry) => {
          distinct.add(entry)
          return false
        })
        const sum = [...distinct].reduce((total, entry) => total + entry.weight, 0)
        assert.ok(sum <= 200, `${sum} of 200`)
      }
      // Nothing is counted that is not there any more: as much fits in as at the beginning.
      held.clear()
      for (let index = 0; index < 10; index++) held.set({ hash: hashOf(index), weight: 10 })
      for (let index = 0; index < 10; index++) assert.ok(held.get(hashOf(index)))
    }),
  )
})

test('one that is heavier than everything is held until the next', () => {
  const held = recent<{ hash: string; weight: number }>({ entries: 1000, bytes: 10 })
  for (let index = 0; index < 5; index++) {
    held.set({ hash: hashOf(index), weight: 100 })
    assert.ok(held.get(hashOf(index)))
  }
  assert.equal(held.get(hashOf(0)), undefined)
})
