import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { entriesOf } from '../../../../../test/entries.ts'
import { kill } from '../../../../../test/kill.ts'
import { beforeRemoval, temporaryFolder } from '../../../../../test/temporary-folder.ts'
import { openKeyring } from '../../../src/keyring/open.ts'
import type { OpenKeyring } from '../../../src/keyring/keyring.ts'
import { hashSecret } from '../../../src/secret/hash.ts'
import { sqliteStore } from '../../../src/store/sqlite.ts'
import { testClock } from '../../../src/testing.ts'
import type { Scope } from '../workbench.ts'
import { codeOf, scopes, shop } from '../workbench.ts'

const day = 86_400_000
const longAgo = { from: 0, to: Date.now() - 400 * day, limit: 1000 }

/** Milliseconds for which a purge that has died keeps others waiting, and some more. */
const claimed = 61_000

interface Population {
  readonly revoked: readonly string[]
  /** The secrets of the keys that were revoked. */
  readonly ended: readonly string[]
  /** By id, the old secret and the new one. */
  readonly rotated: ReadonlyMap<string, readonly [string, string]>
}

/** Keys that were revoked, keys with an ended secret, usage and refusals: all of it more than a year ago. */
async function populate(file: string): Promise<Population> {
  const clock = testClock(Date.now() - 500 * day)
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes, clock })
  const revoked: string[] = []
  const ended: string[] = []
  const rotated = new Map<string, readonly [string, string]>()
  for (let count = 0; count < 24; count++) {
    const { key, secret } = await keyring.issue({ ...shop, owner: `owner-${count}` })
    await keyring.verify(secret)
    const refused = await keyring.verify(secret, { allOf: ['reports:read'] })
    if (!refused.ok) keyring.noteRefusal?.(refused, { requestId: `request ${count}` })
    if (count % 2 === 0) {
      await keyring.revoke(key.id, { reason: 'unused' })
      revoked.push(key.id)
      ended.push(secret)
    } else {
      rotated.set(key.id, [secret, (await keyring.rotate(key.id)).secret])
      await keyring.retire(key.id)
    }
  }
  await keyring.close()
  return { revoked, ended, rotated }
}

/** Purges in a process of its own, and kills it once it has told so often of what is gone. */
async function purgeAndKill(file: string, { after, ahead }: { readonly after: number; readonly ahead: number }) {
  const child = fork(new URL('purging-process.ts', import.meta.url), [file, String(ahead)])
  const exited = once(child, 'exit')
  const gone = Promise.withResolvers<void>()
  let told = 0
  child.on('message', () => {
    if (++told === after) gone.resolve()
  })
  void exited.then(() => gone.resolve())
  await gone.promise
  await kill(child)
}

test('whenever a purge is killed, the journal tells of all that is gone, and of nothing that is there', async (context) => {
  const folder = temporaryFolder('purge-killed', { context })
  const file = join(folder, 'keys.db')
  const { revoked, ended, rotated } = await populate(file)
  let ahead = 0
  const open = async (): Promise<OpenKeyring<Scope>> => {
    const clock = { now: () => Date.now() + ahead, monotonic: () => performance.now() }
    const keyring = await openKeyring({ store: sqliteStore({ file }), scopes, clock })
    beforeRemoval(folder, keyring.close)
    return keyring
  }
  const left: number[] = []
  for (const after of [2, 3, 5, 7]) {
    await purgeAndKill(file, { after, ahead })
    ahead += claimed
    const keyring = await open()
    const report = await keyring.verifyJournal({ rows: true })
    assert.ok(report.intact, JSON.stringify(report))
    const entries = await entriesOf(keyring)
    const told = entries.filter(({ action }) => action === 'purge').map(({ subject }) => subject)
    const found = await Promise.all(
      revoked.map(async (id) => ((await keyring.find(id)) === undefined ? id : undefined)),
    )
    const gone = found.filter((id) => id !== undefined)
    assert.deepEqual(told.filter((subject) => subject !== 'retention').toSorted(), gone.toSorted())
    const losing = entries.filter(({ change }) => change['purgedSecrets'] !== undefined)
    const purged = new Set(losing.map(({ subject }) => subject))
    for (const [id, [old, secret]] of rotated) {
      assert.equal(await codeOf(keyring.verify(old)), purged.has(id) ? 'unknown' : 'secret_ended')
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
    }
    const [usage, refusals] = [(await keyring.usage(longAgo)).usage.length, (await keyring.refusals()).refusals.length]
    if (!told.includes('retention')) assert.deepEqual([usage, refusals], [48, 24])
    left.push(revoked.length - gone.length)
    await keyring.close()
  }
  assert.ok(
    left.some((count) => count > 0 && count < revoked.length),
    `killed in the middle: ${left.join(', ')}`,
  )

  const keyring = await open()
  const told = await keyring.purge({ dryRun: true })
  assert.deepEqual(await keyring.purge(), told)
  assert.deepEqual((await keyring.usage(longAgo)).usage, [])
  assert.equal((await keyring.counts()).states.revoked, 0)
  assert.ok((await keyring.verifyJournal({ rows: true })).intact)
  // Purged by processes that are gone, and refused by one that never knew them.
  for (const secret of ended) {
    assert.equal(await codeOf(keyring.verify(secret)), 'unknown')
    const again = { ...shop, hash: hashSecret(secret), algorithm: 'sha256', bits: 122 } as const
    await assert.rejects(keyring.importMany([again]), { code: 'conflict' })
  }
})
