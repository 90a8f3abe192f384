import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openKeyring } from '../../src/keyring/open.ts'
import type { Store } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { codeOf, newFile, scopes, shop, speeds, stillClock, storeIn } from './workbench.ts'

const declaration = { scopes, prefix: 'acme', environments: ['prod', 'staging'] } as const

const clock = stillClock(Date.UTC(2030, 0, 15, 12))

for (const [speed, shape] of speeds) {
  describe(`declarations on a store that answers ${speed}`, () => {
    test('what an application has declared holds for whoever opens its store without knowing it', async () => {
      const file = newFile()
      const application = await openKeyring({ store: shape(storeIn(file)), clock, ...declaration })
      const { secret } = await application.issue(shop)
      const other = await openKeyring({ store: shape(storeIn(file)), clock })
      assert.deepEqual([other.scopes, other.environments], [scopes, ['prod', 'staging']])
      assert.equal(await codeOf(other.verify(secret, { allOf: ['orders:read'] })), 'accepted')
      const issued = await other.issue({ ...shop, scopes: ['orders:*'] })
      assert.match(issued.secret, /^acme_prod_/)
      assert.equal(await codeOf(application.verify(issued.secret, { allOf: ['orders:write'] })), 'accepted')
      await assert.rejects(other.issue({ ...shop, scopes: ['no:such'] }), { code: 'unknown_scope' })
      await application.close()
      await other.close()
    })

    test('each that is given wins over what was declared, and is declared from then on', async () => {
      const file = newFile()
      await (await openKeyring({ store: shape(storeIn(file)), ...declaration })).close()
      const renamed = await openKeyring({ store: shape(storeIn(file)), prefix: 'umbrella' })
      assert.deepEqual([renamed.scopes, renamed.environments], [scopes, ['prod', 'staging']])
      await renamed.close()
      const fewer = { 'orders:read': 'Read orders' }
      await (await openKeyring({ store: shape(storeIn(file)), scopes: fewer })).close()
      const store = storeIn(file)
      assert.deepEqual(await store.declared(), {
        scopes: fewer,
        prefix: 'umbrella',
        environments: ['prod', 'staging'],
      })
      await store.close()
    })

    test('what nobody has declared is not declared by whoever opens the store without', async () => {
      const file = newFile()
      const keyring = await openKeyring({ store: shape(storeIn(file)), clock })
      assert.deepEqual([keyring.scopes, keyring.environments], [{}, ['live', 'test']])
      const { secret } = await keyring.issue({ ...shop, scopes: [] })
      assert.match(secret, /^lk_live_/)
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      await assert.rejects(keyring.issue(shop), {
        message: /"orders:read" is not declared\. Nothing is: scopes are declared by/,
      })
      const verdict = await keyring.verify(secret, { allOf: ['orders:read'] })
      assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable', 'it cannot be told')
      await keyring.close()
      const store = storeIn(file)
      assert.equal(store.declared(), undefined)
      await store.close()
    })

    test('a member that is there must have a value', async () => {
      const store = shape(sqliteStore({ file: ':memory:' }))
      for (const name of ['scopes', 'prefix', 'environments']) {
        const forgotten = { store, scopes, [name]: undefined }
        const message = new RegExp(`^${name} must`)
        await assert.rejects(openKeyring(forgotten as never), { code: 'invalid_input', message })
        await assert.rejects(openKeyring({ store, [name]: null }), { code: 'invalid_input', message })
      }
    })

    test('scopes that keys hold and nobody declares any more are named', async () => {
      const file = newFile()
      const before = await openKeyring({ store: shape(storeIn(file)), scopes })
      assert.deepEqual(await before.lostScopes(), [])
      for (const granted of [['orders:read', 'orders:write'], ['reports:read'], ['reports:*']] as const)
        await before.issue({ ...shop, scopes: granted })
      const gone = await before.issue({ ...shop, scopes: ['orders:write'] })
      await before.close()
      const after = await openKeyring({ store: shape(storeIn(file)), scopes: { 'orders:read': 'Read orders' } })
      assert.deepEqual(await after.lostScopes(), ['orders:write', 'reports:*', 'reports:read'])
      for (const { id, scopes: granted } of (await after.list()).keys) {
        if (granted.length === 2 || id === gone.key.id) await after.revoke(id, { reason: 'unused' })
      }
      assert.deepEqual(await after.lostScopes(), ['reports:*', 'reports:read'])
      await after.close()
    })
  })
}

test('a declaration that cannot be kept is told, and keeps nobody from serving', async () => {
  const inner = sqliteStore({ file: ':memory:' })
  const store: Store = {
    ...inner,
    async declare() {
      throw new Error('the disk is full')
    },
  }
  const errors: unknown[] = []
  const keyring = await openKeyring({ store, scopes, onError: (error) => errors.push(error) })
  assert.deepEqual(errors.map(String), ['Error: the disk is full'])
  const { secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring.verify(secret, { allOf: ['orders:read'] })), 'accepted')
  await keyring.close()
})

test('only who brings a database up to date declares over what is declared', async () => {
  const file = newFile()
  const other = { 'reports:read': 'Read reports' }
  const declared = (): unknown => {
    const store = storeIn(file)
    const { scopes: found } = (store.declared() as { scopes?: unknown } | undefined) ?? {}
    void store.close()
    return found
  }
  await (await openKeyring({ store: sqliteStore({ file, mode: 'create' }), scopes })).close()
  assert.deepEqual(declared(), scopes)
  for (const mode of ['create', 'write', 'read'] as const) {
    const keyring = await openKeyring({ store: sqliteStore({ file, mode }), scopes: other })
    assert.deepEqual(keyring.scopes, other)
    await keyring.close()
    assert.deepEqual(declared(), scopes, mode)
  }
  await (await openKeyring({ store: storeIn(file), scopes: other })).close()
  assert.deepEqual(declared(), other)
})
