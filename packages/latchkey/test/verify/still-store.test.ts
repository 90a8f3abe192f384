import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKeyring } from '../../src/keyring/open.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { codeOf, newFile, scopes, shop, storeIn } from '../keyring/workbench.ts'

test('a keyring on a file that is read as it stood accepts nobody any more once somebody has written to it', async () => {
  const file = newFile()
  const first = await openKeyring({ store: storeIn(file), scopes })
  const { key, secret } = await first.issue(shop)
  await first.close()
  let monotonic = 0
  const clock = { now: () => Date.now(), monotonic: () => monotonic }
  const store = sqliteStore({ file, mode: 'read' })
  const reading = await openKeyring({ store, clock })
  assert.equal(await codeOf(reading.verify(secret, { allOf: ['orders:read'] })), 'accepted')
  const writing = await openKeyring({ store: storeIn(file) })
  await writing.revoke(key.id, { reason: 'compromised' })
  monotonic += store.lease
  assert.equal(await codeOf(reading.verify(secret)), 'unavailable')
  await assert.rejects(reading.find(key.id), { code: 'store_unusable' })
  await writing.close()
  monotonic += store.lease
  assert.equal(await codeOf(reading.verify(secret)), 'unavailable', 'for good')
  await reading.close()
  const again = await openKeyring({ store: sqliteStore({ file, mode: 'read' }) })
  assert.equal(await codeOf(again.verify(secret)), 'revoked')
  await again.close()
})
