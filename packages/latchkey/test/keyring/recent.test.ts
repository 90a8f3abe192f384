import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { recent } from '../../src/keyring/recent.ts'

test('never more than the limit is held, and what is held is what was set last', () => {
  const operation = fc.record({ kind: fc.constantFrom('set', 'get', 'forget'), name: fc.nat(30), value: fc.nat() })
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20 }), fc.array(operation, { maxLength: 200 }), (limit, operations) => {
      const held = recent<{ name: number; value: number }>(limit)
      const model = new Map<number, number>()
      for (const { kind, name, value } of operations) {
        if (kind === 'set') {
          held.set(String(name), { name, value })
          model.set(name, value)
        } else if (kind === 'forget') {
          held.forget((entry) => entry.name === name)
          model.delete(name)
        }
        const found = held.get(String(name))
        if (found !== undefined) assert.equal(found.value, model.get(name))
      }
      let size = 0
      held.forget(() => {
        size++
        return false
      })
      assert.ok(size <= limit, `${size} of ${limit}`)
    }),
  )
})

test('what is read again and again stays while new entries come and go', () => {
  const held = recent<string>(10)
  held.set('hot', 'hot')
  for (let index = 0; index < 1000; index++) {
    held.set(`cold ${index}`, 'cold')
    assert.equal(held.get('hot'), 'hot')
  }
})
