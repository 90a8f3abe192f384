import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { testClock } from 'latchkey/testing'
import { workplace } from './running.ts'

test('purge deletes what is older than the settings say, says how much, and the journal tells of it', async () => {
  const { folder, done, run } = workplace()
  const store = sqliteStore({ file: join(folder, 'data', 'latchkey.db') })
  const clock = testClock(Date.now() - 400 * 86_400_000)
  const keyring = await openKeyring({ store, scopes: { 'orders:read': 'Read orders' }, clock })
  const { key } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
  await keyring.revoke(key.id, { reason: 'unused' })
  await keyring.close()
  const kept = await run(['purge', '--retention-revoked-keys', 'forever'])
  assert.match(kept.stderr, /^Purged 0 revoked keys, /)
  assert.equal(JSON.parse(await done(['purge', '--json', '--actor', 'clerk'])).keys, 1)
  assert.match(
    (await done(['journal', 'show', '--last', '1'])).replace(/\s+/g, ' '),
    /clerk purged key_\w+, which was revoked long ago/,
  )
  assert.match(await done(['journal', 'verify', '--rows']), /intact/)
  assert.equal((await run(['purge', '--retention-usage', '0'])).code, 78)
})
