import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Recent, Rememberable } from '../../src/verify/recent.ts'
import { recent } from '../../src/verify/recent.ts'

/** Hashes of which every three share their first 28 bits, so that the whole of them matters. */
const hashOf = (name: number): string =>
  `${Math.floor(name / 3)
    .toString(16)
    .padStart(7, '0')}${name.toString(16).padStart(57, 'f')}`

/** Every two names in a row are secrets of one key, every five keys in a row are of one owner. */
const keyOf = (name: number): string => `key ${Math.floor(name / 2)}`
const groupOf = (name: number): string => `owner ${Math.floor(name / 10)}`

interface Entry extends Rememberable {
  readonly value: number
}

function entryOf(name: number, { value = 0, weight = 1 } = {}): Entry {
  const group = { subject: groupOf(name), changed: false }
  return { hash: hashOf(name), value, weight, key: { id: keyOf(name) }, group }
}

/** What is held of these names. */
function heldOf(held: Recent<Entry>, names: number): readonly Entry[] {
  return Array.from({ length: names + 1 }, (_, name) => held.get(hashOf(name))).filter((found) => found !== undefined)
}

test('never more than the limit is held, and what is found is what was set last under the whole hash and has not changed since', () => {
  const operation = fc.record({
    kind: fc.oneof(
      { weight: 15, arbitrary: fc.constantFrom('set', 'set', 'get', 'change key') },
      fc.constantFrom('change owner', 'clear'),
    ),
    name: fc.nat(60),
    value: fc.nat(),
  })
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 20 }),
      fc.array(operation, { maxLength: 200, size: 'max' }),
      (limit, operations) => {
        const held = recent<Entry>({ entries: limit, bytes: Infinity })
        const model = new Map<number, number>()
        const forget = (changed: (name: number) => boolean): void => {
          for (const name of model.keys()) if (changed(name)) model.delete(name)
        }
        for (const { kind, name, value } of operations) {
          if (kind === 'set') {
            held.set(entryOf(name, { value }))
            model.set(name, value)
            assert.equal(held.get(hashOf(name))?.value, value)
          } else if (kind === 'change key') {
            held.forget(keyOf(name))
            forget((other) => keyOf(other) === keyOf(name))
          } else if (kind === 'change owner') {
            held.forget(groupOf(name))
            forget((other) => groupOf(other) === groupOf(name))
          } else if (kind === 'clear') {
            held.clear()
            model.clear()
          }
          const found = held.get(hashOf(name))
          if (found !== undefined) {
            assert.equal(found.hash, hashOf(name))
            assert.equal(found.value, model.get(name))
          }
        }
        const left = heldOf(held, 60)
        assert.ok(left.length <= limit, `${left.length} of ${limit}`)
        for (const { hash, value } of left) {
          assert.ok([...model].some(([name, kept]) => hashOf(name) === hash && kept === value))
        }
      },
    ),
  )
})

test('what did not change stays when another key or another owner does', () => {
  const held = recent<Entry>({ entries: 1000, bytes: Infinity })
  for (let name = 0; name < 40; name++) held.set(entryOf(name))
  held.forget(keyOf(0))
  held.forget(groupOf(10))
  const gone = new Set([0, 1, ...Array.from({ length: 10 }, (_, index) => 10 + index)])
  for (let name = 0; name < 40; name++) assert.equal(held.get(hashOf(name)) === undefined, gone.has(name), `${name}`)
})

test('what is read again and again stays while new entries come and go', () => {
  const held = recent<Entry>({ entries: 10, bytes: Infinity })
  held.set(entryOf(0))
  for (let name = 3; name < 3000; name++) {
    held.set(entryOf(name))
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
      const held = recent<Entry>({ entries: 1000, bytes: 200 })
      for (const { kind, name, weight } of operations) {
        if (kind === 'set') {
          held.set(entryOf(name, { weight }))
          assert.equal(held.get(hashOf(name))?.weight, weight)
        } else if (kind === 'get') held.get(hashOf(name))
        else held.forget(keyOf(name))
      }
      const sum = heldOf(held, 30).reduce((total, entry) => total + entry.weight, 0)
      assert.ok(sum <= 200, `${sum} of 200`)
      // Nothing is counted that is not there any more: as much fits in as at the beginning.
      for (let name = 0; name <= 30; name++) held.forget(keyOf(name))
      for (let name = 0; name < 10; name++) held.set(entryOf(name, { weight: 10 }))
      for (let name = 0; name < 10; name++) assert.ok(held.get(hashOf(name)))
    }),
  )
})

test('one that is heavier than everything is held until the next', () => {
  const held = recent<Entry>({ entries: 1000, bytes: 10 })
  for (let name = 0; name < 5; name++) {
    held.set(entryOf(name, { weight: 100 }))
    assert.ok(held.get(hashOf(name)))
  }
  assert.equal(held.get(hashOf(0)), undefined)
})

test('what is forgotten takes up its place until its generation ends, so that its index does not grow without end', () => {
  const leavesItsOwner = (held: Recent<Entry>, name: number): void => {
    held.set(entryOf(name))
    held.forget(keyOf(name))
  }
  // As a secret that was unknown, and was then imported: it had another key before.
  const leavesItsKey = (held: Recent<Entry>, name: number): void => {
    held.set({ ...entryOf(name), key: { id: `unknown ${name}` }, group: { subject: '', changed: false } })
    held.set({ ...entryOf(name), group: { subject: '', changed: false } })
    held.forget(keyOf(name))
  }
  for (const leave of [leavesItsOwner, leavesItsKey]) {
    const held = recent<Entry>({ entries: 20, bytes: Infinity })
    held.set(entryOf(0))
    for (let name = 10; name <= 200; name += 10) leave(held, name)
    assert.equal(held.get(hashOf(0)), undefined, 'its generation has ended')
  }
})
