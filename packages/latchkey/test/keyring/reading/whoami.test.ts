import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openOn, shop, speeds } from '../workbench.ts'

for (const [speed, shape] of speeds) {
  describe(`who asks, on a store that answers ${speed}`, () => {
    const admin = { name: 'Support', owner: 'operations', environment: 'admin' }
    const delegation = { owner: 'acme', environments: ['live'], scopes: ['orders:read'] }

    test('the holder of the keyring itself holds all rights', async () => {
      const { keyring } = await openOn(shape)
      const { key, allRights, scopes, environments } = await keyring.whoami()
      assert.deepEqual([key, allRights, environments], [null, true, ['live', 'test', 'admin']])
      assert.ok(scopes.includes('metrics:read'))
    })

    test('an admin key is told its own rights as they are now, whatever its scopes', async () => {
      const { keyring, clock } = await openOn(shape)
      const expiresAt = clock.now() + 1000
      const { key } = await keyring.issue({ ...admin, scopes: ['keys:*'], delegation, expiresAt })
      const { id, name, owner } = key
      assert.deepEqual(await keyring.as(id).whoami(), {
        key: { id, name, owner, expiresAt },
        allRights: false,
        scopes: ['keys:read', 'keys:write', 'keys:erase', 'keys:verify'],
        environments: ['live'],
        delegation,
      })
      await keyring.change(id, { scopes: [], delegation: null })
      const { scopes, environments, delegation: none } = await keyring.as(id).whoami()
      assert.deepEqual([scopes, environments, none], [[], [], null])
      clock.advance(1000)
      await assert.rejects(keyring.as(id).whoami(), { code: 'beyond_delegation' })
    })

    test('a key of the application is no admin key', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      await assert.rejects(keyring.as(key.id).whoami(), { code: 'beyond_delegation' })
    })
  })
}
