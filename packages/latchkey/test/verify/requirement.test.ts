import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testKeyring } from '../../src/testing.ts'
import type { Refused, Verifier } from '../../src/verify/verdict.ts'
import { codeOf, scopes, shop } from '../keyring/workbench.ts'

const delegation = { owner: null, environments: ['live', 'test', 'admin'], scopes: [] }

/** A keyring, an admin key's view of it and the verifier of admin keys, each with a secret that it accepts. */
async function verifiers(): Promise<Readonly<Record<string, readonly [Verifier, string]>>> {
  const { keyring } = await testKeyring({ scopes })
  const { secret } = await keyring.issue({ ...shop, scopes: ['orders:*'] })
  const admin = await keyring.issue({ ...shop, scopes: ['keys:read', 'keys:verify'], environment: 'admin', delegation })
  return {
    keyring: [keyring, secret],
    acting: [keyring.as(admin.key.id), secret],
    admin: [keyring.admin, admin.secret],
  }
}

/** Requirements and calls that nobody can have meant, with what the refusal says of them. */
const strange: readonly (readonly [requirement: unknown, call: unknown, told: RegExp])[] = [
  [{ scopes: ['orders:read'] }, undefined, /"scopes" is none/],
  [{ anyof: ['orders:read'] }, undefined, /"anyof" is none/],
  [{ environment: undefined }, undefined, /environment/],
  [{ allOf: undefined }, undefined, /allOf/],
  [{ anyOf: undefined }, undefined, /anyOf/],
  [{ cost: undefined }, undefined, /cost/],
  [{ allOf: [] }, undefined, /allOf/],
  [{ anyOf: [] }, undefined, /anyOf/],
  [{ allOf: 'orders:read' }, undefined, /allOf/],
  [{ allOf: new Set(['orders:read']) }, undefined, /allOf/],
  [{ allOf: [undefined] }, undefined, /allOf/],
  [{ allOf: ['orders:raed'] }, undefined, /"orders:raed" is not declared/],
  [{ anyOf: ['orders:read', 'orders:raed'] }, undefined, /is not declared/],
  [{ allOf: ['orders:*'] }, undefined, /is not declared/],
  [{ allOf: ['constructor'] }, undefined, /is not declared/],
  [{ environment: 'prod' }, undefined, /environment/],
  [{ cost: -1 }, undefined, /cost/],
  [{ cost: '1' }, undefined, /cost/],
  ['orders:read', undefined, /requirement/],
  [['orders:read'], undefined, /requirement/],
  [null, undefined, /requirement/],
  [() => ({}), undefined, /requirement/],
  [new Set(['orders:read']), undefined, /requirement/],
  [new Map([['allOf', ['orders:read']]]), undefined, /requirement/],
  [Promise.resolve({ allOf: ['orders:read'] }), undefined, /requirement/],
  [Object.create({ anyof: ['orders:read'] }), undefined, /"anyof" is none/],
  [undefined, { dryrun: true }, /"dryrun" is none/],
  [undefined, { dryRun: 'false' }, /dryRun/],
  [undefined, { address: '192.0.2.1' }, /"address" is none/],
  [undefined, { ip: '192.0.2.1', headers: {} }, /"headers" is none/],
  [undefined, '192.0.2.1', /call/],
  [undefined, null, /call/],
  [undefined, new Map([['dryRun', true]]), /call/],
]

test('a requirement or a call that is not understood accepts nobody, and the cause says what is wrong', async () => {
  for (const [name, [verifier, secret]] of Object.entries(await verifiers())) {
    for (const [requirement, call, told] of strange) {
      for (const credential of [secret, '', 'nonsense']) {
        for (const frozen of [false, true]) {
          if (frozen && typeof requirement === 'object') Object.freeze(requirement)
          // Twice: what was refused once must not be taken for checked.
          for (let time = 0; time < 2; time++) {
            const verdict = await verifier.verify(credential, requirement as never, call as never)
            const where = `${name}: ${JSON.stringify(requirement)} ${JSON.stringify(call)}`
            assert.equal(await codeOf(verdict), 'unavailable', where)
            assert.match(String((verdict as Refused).cause), told, where)
          }
        }
      }
    }
  }
})

test('a requirement that was understood once is judged as it is now', async () => {
  const { keyring: [keyring, secret] = assert.fail() } = await verifiers()
  const requirement: Record<string, unknown> = { allOf: ['orders:read'] }
  assert.equal(await codeOf(keyring.verify(secret, requirement)), 'accepted')
  ;(requirement['allOf'] as string[]).push('reports:read')
  assert.equal(await codeOf(keyring.verify(secret, requirement)), 'insufficient_scope')
  requirement['allOf'] = undefined
  assert.equal(await codeOf(keyring.verify(secret, requirement)), 'unavailable')
  const halfFrozen = Object.freeze({ allOf: ['orders:read'] as ['orders:read' | 'reports:read'] })
  assert.equal(await codeOf(keyring.verify(secret, halfFrozen)), 'accepted')
  halfFrozen.allOf[0] = 'reports:read'
  assert.equal(await codeOf(keyring.verify(secret, halfFrozen)), 'insufficient_scope')
})

test('an admin key is asked for scopes of its own, and other keys for the declared ones', async () => {
  const { keyring: [keyring, secret] = assert.fail(), admin: [admin, adminSecret] = assert.fail() } = await verifiers()
  assert.equal(await codeOf(keyring.verify(secret, { allOf: ['orders:read'], environment: 'live' })), 'accepted')
  assert.equal(await codeOf(keyring.verify(adminSecret, { allOf: ['keys:read'], environment: 'admin' })), 'accepted')
  assert.equal(await codeOf(keyring.verify(secret, { allOf: ['keys:read'] })), 'unavailable')
  assert.equal(await codeOf(admin.verify(adminSecret, { allOf: ['keys:read'] })), 'accepted')
  assert.equal(await codeOf(admin.verify(adminSecret, { allOf: ['keys:write'] })), 'insufficient_scope')
  assert.equal(await codeOf(admin.verify(adminSecret, { environment: 'live' })), 'unavailable')
  assert.equal(await codeOf(admin.verify(secret)), 'wrong_environment')
})

test('a misspelt scope does not compile', async () => {
  const { keyring } = await testKeyring({ scopes })
  // @ts-expect-error -- among those that are all needed
  assert.equal(await codeOf(keyring.verify('x', { allOf: ['orders:raed'] })), 'unavailable')
  // @ts-expect-error -- nor among alternatives
  assert.equal(await codeOf(keyring.verify('x', { anyOf: ['orders:read', 'orders:raed'] })), 'unavailable')
  // @ts-expect-error -- nor may it ask for a wildcard
  assert.equal(await codeOf(keyring.verify('x', { allOf: ['orders:*'] })), 'unavailable')
  // @ts-expect-error -- nor a member of another name
  assert.equal(await codeOf(keyring.verify('x', { scopes: ['orders:read'] })), 'unavailable')
  // @ts-expect-error -- admin keys have scopes of their own
  assert.equal(await codeOf(keyring.admin.verify('x', { allOf: ['orders:read'] })), 'unavailable')
})

test('the address of a call reaches the verdict also where an admin key asks, and is no text is none', async () => {
  const { keyring } = await testKeyring({ scopes })
  const bound = await keyring.issue({ ...shop, addresses: ['192.0.2.0/24'] })
  const admin = await keyring.issue({ ...shop, scopes: ['keys:verify'], environment: 'admin', delegation })
  class Lazy {
    get ip(): string {
      return '192.0.2.7'
    }
  }
  for (const verifier of [keyring, keyring.as(admin.key.id)]) {
    assert.equal(await codeOf(verifier.verify(bound.secret, undefined, new Lazy())), 'accepted')
    assert.equal(await codeOf(verifier.verify(bound.secret, undefined, { ip: '198.51.100.1' })), 'address_not_allowed')
    assert.equal(await codeOf(verifier.verify(bound.secret)), 'address_not_allowed')
    assert.equal(
      await codeOf(verifier.verify(bound.secret, undefined, { ip: ['192.0.2.7'] as never })),
      'address_not_allowed',
    )
  }
})
