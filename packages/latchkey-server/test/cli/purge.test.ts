import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { testClock } from 'latchkey/testing'
import { noTerminal } from '../../../../test/machine.ts'
import { workplace } from './running.ts'
import { inTerminal } from './terminal.ts'

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
  const file = join(folder, 'data', 'latchkey.db')
  const before = readFileSync(file)
  assert.match((await run(['purge', '--dry-run'])).stderr, /^Would purge 1 revoked key, 0 ended secrets, /)
  const told = JSON.parse(await done(['purge', '--dry-run', '--json']))
  assert.deepEqual(told, { keys: 1, secrets: 0, usage: 0, usageSums: 0, refusals: 0 })
  assert.ok(readFileSync(file).equals(before), 'a dry run changes nothing')
  assert.deepEqual(JSON.parse(await done(['purge', '--json', '--actor', 'clerk'])), told)
  assert.match(
    (await done(['journal', 'show', '--last', '1'])).replace(/\s+/g, ' '),
    /clerk purged key_\w+, which was revoked long ago/,
  )
  assert.match(await done(['journal', 'verify', '--rows']), /intact/)
  assert.equal((await run(['purge', '--retention-usage', '0'])).code, 78)
})

test('in a terminal, purge and scrub show how far they have come', { skip: noTerminal() }, async () => {
  const here = workplace()
  await here.done(['keys', 'issue', '--create', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read'])
  const purged = await inTerminal(here, ['purge'])
  assert.match(purged.screen, /Purging … 0 revoked keys, [^\n]*\r[^\n]*Purged 0 revoked keys/)
  const scrubbed = await inTerminal(here, ['scrub'])
  assert.match(scrubbed.screen, /Writing … 0 of 0 MB\r[^\n]*Nothing of what was erased or purged is left/)
  assert.deepEqual([purged.code, scrubbed.code], [0, 0])
})
