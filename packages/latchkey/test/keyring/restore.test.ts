import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { kill } from '../../../../test/kill.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { newFile, storeIn } from './workbench.ts'

const scopes = { 'orders:read': 'Read orders' }
const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const

/** Puts what a backup has in place of what the file has, in one transaction, as an operator may do beside a server. */
function restore(copy: string, file: string): void {
  const database = new DatabaseSync(file, { timeout: 5000 })
  database.prepare('ATTACH $1 AS copy').run({ 1: copy })
  // Triggers keep the index of texts, whose own tables nobody may write.
  const tables = database
    .prepare(`SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name LIKE 'latchkey_%'`)
    .all()
  database.exec('PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE')
  for (const name of tables.map((table) => String(table['name']))) {
    database.exec(`DELETE FROM ${name}; INSERT INTO ${name} SELECT * FROM copy.${name}`)
  }
  database.exec('COMMIT')
  database.close()
}

test('a process that served before a backup was restored under it accepts no key that was revoked since', async (context) => {
  const file = newFile()
  const store = storeIn(file)
  const keyring = await openKeyring({ store, scopes })
  const server = fork(new URL('serving-process.ts', import.meta.url), [file])
  context.after(() => kill(server))
  const told = async (): Promise<unknown> => (await once(server, 'message'))[0]
  assert.equal(await told(), 'open')
  for (let round = 0; round < 10; round++) {
    const { key, secret } = await keyring.issue(shop)
    await store.backup(`${file}.${round}`)
    // What the server sees of the journal goes beyond what the backup has, and beyond what comes after it.
    await keyring.issueMany(Array.from({ length: 20 }, () => shop))
    server.send(secret)
    assert.equal(await told(), 'serving')
    restore(`${file}.${round}`, file)
    for (let more = 0; more < round; more++) await keyring.issueMany([shop, shop])
    await keyring.revoke(key.id, { reason: 'compromised' })
    const answered = process.hrtime.bigint()
    const { lastAccepted, refused } = (await told()) as { readonly lastAccepted: string; readonly refused: string }
    assert.equal(refused, 'revoked')
    assert.ok(BigInt(lastAccepted) < answered, `accepted ${BigInt(lastAccepted) - answered} ns after the answer`)
  }
  server.disconnect()
  await once(server, 'exit')
  await keyring.close()
})

test('a key that came after the backup is unknown once it is restored, to whoever had verified it', async () => {
  const file = newFile()
  const store = storeIn(file)
  let monotonic = 0
  const clock = { now: () => 1000, monotonic: () => monotonic }
  const keyring = await openKeyring({ store, scopes, clock })
  await store.backup(`${file}.copy`)
  const { secret } = await keyring.issue(shop)
  assert.equal((await keyring.verify(secret)).ok, true)
  restore(`${file}.copy`, file)
  monotonic += store.lease
  const verdict = await keyring.verify(secret)
  assert.equal(verdict.ok ? 'accepted' : verdict.refusal.code, 'unknown')
  // What is issued now has the number that the lost one had.
  const again = await keyring.issue(shop)
  assert.equal(again.key.revision, 1)
  assert.equal((await keyring.verify(again.secret)).ok, true)
  await keyring.close()
})
