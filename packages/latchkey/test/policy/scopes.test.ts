import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { checkCatalogue, covers, expand, grantable, missingScopes } from '../../src/policy/scopes.ts'

const catalogue = {
  'orders:read': 'Read orders',
  'orders:write': 'Change orders',
  'orders-archive:read': 'Read old orders',
  'reports:read': 'Read reports',
}

test('a scope stands for itself and nothing else', () => {
  for (const scope of Object.keys(catalogue)) assert.deepEqual([...expand([scope], catalogue)], [scope])
})

test('orders:* stands for the actions on orders, not for resources whose name begins so', () => {
  assert.deepEqual([...expand(['orders:*'], catalogue)], ['orders:read', 'orders:write'])
})

test('what looks like a wildcard but is none stands for nothing', () => {
  for (const text of [
    '*',
    '*:*',
    'orders',
    'orders:',
    'orders:**',
    'ord*:read',
    '*:read',
    'ORDERS:*',
    'orders:*:*',
    '',
  ]) {
    assert.equal(expand([text], catalogue).size, 0, text)
    assert.throws(() => grantable([text], catalogue), { code: 'unknown_scope' }, text)
  }
})

test('an unknown scope is refused when it is to be granted, naming it and those that exist', () => {
  assert.throws(() => grantable(['orders:read', 'orders:delete'], catalogue), {
    code: 'unknown_scope',
    message: /"orders:delete".*orders:read, orders:write/,
  })
})

test('names that every object has are not scopes', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty:x']) {
    assert.throws(() => grantable([name], catalogue), { code: 'unknown_scope' }, name)
  }
})

test('a catalogue with a name that is not resource:action is refused', () => {
  for (const name of [
    'orders',
    'Orders:read',
    'orders:*',
    'orders:read:all',
    ' orders:read',
    'orders:read\n',
    ':',
    '',
  ]) {
    assert.throws(() => checkCatalogue({ [name]: 'x' }), { code: 'invalid_input' }, JSON.stringify(name))
  }
})

test('all of and any of mean what set theory says, for any scopes', () => {
  const scopes = fc.subarray(Object.keys(catalogue))
  fc.assert(
    fc.property(scopes, scopes, scopes, (held, allOf, anyOf) => {
      const expected =
        allOf.every((scope) => held.includes(scope)) &&
        (anyOf.length === 0 || anyOf.some((scope) => held.includes(scope)))
      assert.equal(covers(new Set(held), { allOf, anyOf }), expected)
    }),
  )
})

test('more scopes never open less', () => {
  const scopes = fc.subarray([...Object.keys(catalogue), 'orders:*'])
  fc.assert(
    fc.property(scopes, scopes, fc.subarray(Object.keys(catalogue)), (held, more, allOf) => {
      const requirement = { allOf, anyOf: [] }
      const before = covers(expand(held, catalogue), requirement)
      const after = covers(expand([...held, ...more], catalogue), requirement)
      assert.ok(!before || after)
    }),
  )
})

test('missing are those of all that are not held, and every alternative if none of them is', () => {
  const held = new Set(['a:a', 'b:b'])
  const missing = (allOf: readonly string[], anyOf: readonly string[] = []) => missingScopes(held, { allOf, anyOf })
  assert.deepEqual(missing(['a:a', 'c:c', 'd:d']), ['c:c', 'd:d'])
  assert.deepEqual(missing(['c:c'], ['b:b', 'd:d']), ['c:c'])
  assert.deepEqual(missing(['a:a', 'c:c'], ['c:c', 'd:d']), ['c:c', 'd:d'])
})
