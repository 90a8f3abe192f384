import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { kill } from '../../../../test/kill.ts'
import { beforeRemoval, temporaryFolder } from '../../../../test/temporary-folder.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'

/** What the other process tells: how the last verify that accepted a secret began, in nanoseconds of the machine's monotonic clock. */
interface Told {
  readonly lastAccepted: string
  readonly refused: string
}

test('a process that serves a key all the time accepts it in no call that began after another process had revoked it', async (context) => {
  const folder = temporaryFolder('processes', { context })
  const file = join(folder, 'keys.db')
  const scopes = { 'orders:read': 'Read orders' }
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  const server = fork(new URL('serving-process.ts', import.meta.url), [file])
  beforeRemoval(folder, () => kill(server))
  const told = async (): Promise<unknown> => (await once(server, 'message'))[0]
  assert.equal(await told(), 'open')
  for (let round = 0; round < 25; round++) {
    const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
    server.send(secret)
    assert.equal(await told(), 'serving')
    await keyring.revoke(key.id, { reason: 'unused' })
    // CLOCK_MONOTONIC is one for all processes of a machine.
    const answered = process.hrtime.bigint()
    const { lastAccepted, refused } = (await told()) as Told
    assert.equal(refused, 'revoked')
    assert.ok(BigInt(lastAccepted) < answered, `accepted ${BigInt(lastAccepted) - answered} ns after the answer`)
  }
  server.disconnect()
  await once(server, 'exit')
  await keyring.close()
})
