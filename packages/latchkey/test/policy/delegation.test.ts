import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Delegation, Rights } from '../../src/policy/delegation.ts'
import { exceeds, sees } from '../../src/policy/delegation.ts'
import { beyond, delegations, rights } from './rights.ts'

const someRights = rights(fc.integer({ min: 1, max: 4 }))

/** Somebody who may give keys, and one after another what the one before might give. */
const chain = fc.tuple(someRights, delegations, fc.array(someRights, { minLength: 1, maxLength: 40 }))

test('what may be given is, and may do, nothing that the giver could not give; nor what is given on by it', () => {
  let given = 0
  fc.assert(
    fc.property(chain, ([first, delegation, wanted]) => {
      const root: Rights = { ...first, environment: 'admin', scopes: ['keys:*'], delegation }
      let giver = root
      for (const one of wanted) {
        if (exceeds(giver, one) !== undefined) continue
        given++
        assert.equal(beyond(giver, one), undefined)
        assert.equal(beyond(root, one), undefined)
        if (one.delegation !== null) giver = one
      }
    }),
    { numRuns: 1000 },
  )
  assert.ok(given > 200, `${given} gifts`)
})

const everything: Delegation = { owner: null, environments: ['live', 'test', 'admin'], scopes: ['orders:*'] }
const admin: Rights = {
  owner: 'ops',
  environment: 'admin',
  scopes: ['keys:*'],
  notBefore: null,
  expiresAt: 1000,
  addresses: ['192.0.2.0/24'],
  delegation: everything,
}

test('an admin key may give what it has, in every dimension, and is told the one in which it may not', () => {
  const within: Rights = {
    owner: 'acme',
    environment: 'live',
    scopes: ['orders:read', 'orders:*'],
    notBefore: null,
    expiresAt: 1000,
    addresses: ['192.0.2.0/24'],
    delegation: null,
  }
  assert.equal(exceeds(admin, within), undefined)
  assert.equal(exceeds(admin, admin), undefined)
  const bound: Rights = { ...admin, delegation: { owner: 'acme', environments: ['live'], scopes: ['orders:read'] } }
  const wider: readonly (readonly [Rights, Partial<Rights>, keyof Rights])[] = [
    [bound, { owner: 'umbrella' }, 'owner'],
    [bound, { environment: 'test' }, 'environment'],
    [bound, { environment: 'admin' }, 'environment'],
    [bound, { scopes: ['orders:write'] }, 'scopes'],
    [bound, { scopes: ['orders:*'] }, 'scopes'],
    [admin, { scopes: ['reports:read'] }, 'scopes'],
    [admin, { expiresAt: 1001 }, 'expiresAt'],
    [admin, { expiresAt: null }, 'expiresAt'],
    [admin, { addresses: null }, 'addresses'],
    [admin, { addresses: ['192.0.0.0/16'] }, 'addresses'],
    [admin, { addresses: ['192.0.2.1', '10.0.0.1'] }, 'addresses'],
  ]
  for (const [giver, overrides, dimension] of wider) {
    assert.equal(exceeds(giver, { ...within, scopes: ['orders:read'], ...overrides }), dimension)
  }
})

test('an admin key that may give admin keys gives them no scope and no delegation that it has not', () => {
  const child: Rights = { ...admin, scopes: ['keys:read'] }
  const within = { ...everything, scopes: ['orders:read'] }
  assert.equal(exceeds(admin, { ...child, delegation: within }), undefined)
  assert.equal(exceeds(admin, { ...child, scopes: ['journal:read'] }), 'scopes')
  assert.equal(exceeds({ ...admin, scopes: ['keys:read'] }, { ...child, scopes: ['keys:*'] }), 'scopes')
  assert.equal(exceeds(admin, { ...child, delegation: { ...everything, scopes: ['reports:*'] } }), 'delegation')
  const bound: Rights = { ...admin, owner: 'acme', delegation: { ...everything, owner: 'acme' } }
  assert.equal(exceeds(bound, { ...bound, delegation: everything }), 'delegation')
  const live: Rights = { ...admin, delegation: { ...everything, environments: ['live', 'admin'] } }
  assert.equal(exceeds(live, { ...child, delegation: everything }), 'delegation')
})

test('no delegation and an empty list give nothing and see nothing', () => {
  const key = { owner: 'acme', environment: 'live' }
  const wanted: Rights = { ...admin, ...key, scopes: [], delegation: null }
  for (const delegation of [null, { ...everything, environments: [] }]) {
    assert.equal(exceeds({ ...admin, delegation }, wanted), 'environment')
    assert.equal(sees(delegation, key), false)
  }
  const scopeless: Rights = { ...admin, delegation: { ...everything, scopes: [] } }
  assert.equal(exceeds(scopeless, wanted), undefined, 'a key that may do nothing')
  assert.equal(exceeds(scopeless, { ...wanted, scopes: ['orders:read'] }), 'scopes')
})

test('an admin key sees the keys of its owner in its environments, and no others', () => {
  fc.assert(
    fc.property(delegations, someRights, (delegation, key) => {
      const expected =
        delegation.environments.includes(key.environment) &&
        (delegation.owner === null || delegation.owner === key.owner)
      assert.equal(sees(delegation, key), expected)
    }),
  )
})
