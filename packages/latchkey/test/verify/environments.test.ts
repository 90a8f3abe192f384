import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openKeyring } from '../../src/keyring/open.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { codeOf, newFile, openOn, scopes, shop, speeds } from '../keyring/workbench.ts'

const admin = { name: 'Support', owner: 'ops', environment: 'admin', scopes: ['keys:read'] } as const

for (const [speed, shape] of speeds) {
  describe(`environments on a store that answers ${speed}`, () => {
    test('an admin key is accepted by what administers the keyring, and on no route of the application', async () => {
      const { keyring } = await openOn(shape)
      const { secret } = await keyring.issue(admin)
      assert.match(secret, /^lk_admin_/)
      for (const requirement of [{}, { environment: 'live' }, { environment: 'test' }]) {
        assert.equal(await codeOf(keyring.verify(secret, requirement)), 'wrong_environment')
      }
      assert.equal(await codeOf(keyring.verify(secret, { allOf: ['keys:read' as never] })), 'unavailable')
      assert.equal(await codeOf(keyring.admin.verify(secret, { allOf: ['keys:read'] })), 'accepted')
      assert.equal(await codeOf(keyring.admin.verify(secret, { allOf: ['keys:write'] })), 'insufficient_scope')
    })

    test('several environments are taken, or whichever, and an admin key is in none of them', async () => {
      const { keyring } = await openOn(shape)
      const { secret: live } = await keyring.issue(shop)
      const { secret: tested } = await keyring.issue({ ...shop, environment: 'test' })
      const { secret: administers } = await keyring.issue(admin)
      for (const environment of [null, ['live', 'test'], Object.freeze(['test', 'live'])]) {
        const requirement = Object.freeze({ environment, allOf: Object.freeze(['orders:read'] as const) })
        for (let call = 0; call < 3; call++) {
          for (const [secret, name] of [
            [live, 'live'],
            [tested, 'test'],
          ] as const) {
            const verdict = await keyring.verify(secret, requirement)
            assert.equal(verdict.ok && verdict.key.environment, name)
          }
          assert.equal(await codeOf(keyring.verify(administers, requirement)), 'wrong_environment')
        }
      }
      assert.equal(await codeOf(keyring.verify(tested, { environment: ['live'] })), 'wrong_environment')
      const list = ['live']
      const frozen = Object.freeze({ environment: list })
      assert.equal(await codeOf(keyring.verify(tested, frozen)), 'wrong_environment')
      list.push('test')
      assert.equal(await codeOf(keyring.verify(tested, frozen)), 'accepted', 'a list that is not frozen is read anew')
      list.pop()
      assert.equal(await codeOf(keyring.verify(tested, frozen)), 'wrong_environment')
      for (const wrong of [
        [],
        ['live', 'prod'],
        ['live', 'admin'],
        [null],
        ['live', undefined],
        new Set(['live']),
        7,
      ]) {
        assert.equal(await codeOf(keyring.verify(live, { environment: wrong } as never)), 'unavailable')
      }
      assert.equal(await codeOf(keyring.admin.verify(administers, { environment: null })), 'accepted')
      assert.equal(await codeOf(keyring.admin.verify(live, { environment: null })), 'wrong_environment')
    })

    test('what an admin key may give cannot be changed by who gets the verified key', async () => {
      const { keyring } = await openOn(shape)
      const delegation = { owner: null, environments: ['live'], scopes: ['orders:read'] }
      const { secret } = await keyring.issue({ ...admin, delegation })
      const verdict = await keyring.admin.verify(secret)
      assert.ok(verdict.ok)
      const given = verdict.key.delegation ?? assert.fail()
      assert.throws(() => (given.environments as string[]).push('admin'), TypeError)
      assert.throws(() => (given.scopes as string[]).push('orders:write'), TypeError)
      assert.throws(() => Object.assign(given, { owner: 'someone else' }), TypeError)
    })

    test('a key of the application is accepted by nothing that administers the keyring, whatever is demanded there', async () => {
      const { keyring } = await openOn(shape)
      for (const environment of ['live', 'test']) {
        const { secret } = await keyring.issue({ ...shop, environment })
        assert.equal(await codeOf(keyring.verify(secret, { environment })), 'accepted')
        for (const requirement of [undefined, {}]) {
          assert.equal(await codeOf(keyring.admin.verify(secret, requirement)), 'wrong_environment')
        }
        for (const requirement of [{ environment }, { environment: undefined as never }]) {
          assert.equal(await codeOf(keyring.admin.verify(secret, requirement)), 'unavailable')
        }
      }
    })

    test('a key that was imported into an environment is of that one', async () => {
      const { keyring } = await openOn(shape)
      await keyring.importMany([{ ...admin, hash: hashSecret('an older key'), algorithm: 'sha256', bits: 128 }])
      assert.equal(await codeOf(keyring.verify('an older key')), 'wrong_environment')
      assert.equal(await codeOf(keyring.admin.verify('an older key')), 'accepted')
    })

    test('scopes are those of the environment: admin keys have none of the application’s, and the other way round', async () => {
      const { keyring } = await openOn(shape)
      await assert.rejects(keyring.issue({ ...admin, scopes: ['orders:read'] }), { code: 'unknown_scope' })
      await assert.rejects(keyring.issue({ ...shop, scopes: ['keys:read'] as never }), { code: 'unknown_scope' })
      const { key } = await keyring.issue(shop)
      await assert.rejects(keyring.change(key.id, { scopes: ['keys:*'] as never }), { code: 'unknown_scope' })
    })

    test('admin is reserved, and an environment that nobody knows has no keys', async () => {
      const store = shape(sqliteStore({ file: ':memory:' }))
      await assert.rejects(openKeyring({ store, scopes, environments: ['live', 'admin'] }), {
        code: 'invalid_input',
        message: /reserved/,
      })
      const { keyring } = await openOn(shape)
      await assert.rejects(keyring.issue({ ...shop, environment: 'prod' }), { code: 'invalid_input' })
      await assert.rejects(keyring.list({ environment: 'prod' }), { code: 'invalid_input' })
    })

    test('keys of an environment that is no longer configured are still listed, and can be revoked', async () => {
      const file = newFile()
      const before = await openOn(shape, { file, environments: ['live', 'staging'] })
      const { key, secret } = await before.keyring.issue({ ...shop, environment: 'staging' })
      await before.keyring.close()
      const { keyring } = await openOn(shape, { file, environments: ['live'] })
      assert.equal(await codeOf(keyring.verify(secret)), 'malformed')
      assert.deepEqual(
        (await keyring.list()).keys.map(({ id }) => id),
        [key.id],
      )
      assert.equal((await keyring.revoke(key.id, { reason: 'unused' })).key.state, 'revoked')
      await keyring.close()
    })
  })
}
