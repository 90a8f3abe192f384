import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { join } from 'node:path'
import { entriesOf } from '../../../../../test/entries.ts'
import { temporaryFolder } from '../../../../../test/temporary-folder.ts'
import type { LatchkeyError } from '../../../src/error.ts'
import { openKeyring } from '../../../src/keyring/open.ts'
import type { OpenKeyring } from '../../../src/keyring/keyring.ts'
import { hashSecret } from '../../../src/secret/hash.ts'
import type { TestClock } from '../../../src/testing.ts'
import type { Scope } from '../workbench.ts'
import { codeOf, openOn, scopes, shop, speeds, stillClock, toldOf, withStillClock, storeIn } from '../workbench.ts'

const folder = temporaryFolder('purge')

const day = 86_400_000
const short = { usage: 2, usageSums: 4, refusals: 2, endedSecrets: 3, revokedKeys: 5 }

async function mustBeIntact(keyring: OpenKeyring<Scope>): Promise<void> {
  assert.deepEqual(faultsOf(await keyring.verifyJournal({ rows: true })), [])
}

function faultsOf(report: Awaited<ReturnType<OpenKeyring['verifyJournal']>>): readonly unknown[] {
  return report.intact ? [] : [report]
}

/** Takes over a key under its hash, as after a dump of another system. */
async function importedCode(keyring: OpenKeyring<Scope>, secret: string): Promise<string> {
  const hash = hashSecret(secret)
  return keyring.importMany([{ ...shop, hash, algorithm: 'sha256', bits: 122 }]).then(
    () => 'imported',
    (error: unknown) => (error as LatchkeyError).code,
  )
}

/** A day of an application: a new key is used and refused, rotated, and the one of the day before revoked. */
async function live(
  keyring: OpenKeyring<Scope>,
  { clock, before }: { readonly clock: TestClock; readonly before: string | undefined },
): Promise<{ readonly id: string; readonly secret: string }> {
  const { key, secret } = await keyring.issue({ ...shop, owner: 'acme', quota: { amount: 5 } })
  assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  await codeOf(keyring.verify(secret, { allOf: ['orders:write'] }))
  await keyring.flushUsage()
  await keyring.rotate(key.id)
  if (before !== undefined) await keyring.revoke(before, { reason: 'unused' })
  clock.advance(day)
  return { id: key.id, secret }
}

for (const [speed, shape] of speeds) {
  test(`a revoked key is purged with its secrets, its hashes stay refused, and the rows are as the journal says (store: ${speed})`, async () => {
    const { keyring, clock } = await openOn(shape, { retention: short })
    const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 5 } })
    const other = await keyring.issue(shop)
    await keyring.rotate(key.id)
    await keyring.revoke(key.id, { reason: 'unused' })
    clock.advance(5 * day)
    const { keys, secrets } = await keyring.purge()
    assert.deepEqual([keys, secrets], [0, 1], 'not yet')
    clock.advance(1)
    const purged = await keyring.purge({ actor: 'clerk' })
    assert.deepEqual(purged, { keys: 1, secrets: 0, usage: 0, usageSums: 0, refusals: 0 })
    assert.equal(await keyring.find(key.id), undefined)
    assert.equal(await codeOf(keyring.verify(secret)), 'unknown')
    assert.equal(await codeOf(keyring.verify(other.secret)), 'accepted')
    assert.equal(await importedCode(keyring, secret), 'conflict')
    const [entry] = (await keyring.journal({ key: key.id })).entries
    assert.deepEqual([entry?.action, entry?.actor, entry?.subject], ['purge', 'clerk', key.id])
    assert.equal(entry?.change['secrets'], 1)
    assert.equal((await keyring.counts()).states.revoked, 0)
    await mustBeIntact(keyring)
    await keyring.close()
  })

  test(`a secret that has ended is purged from its key, which stays, and stays refused (store: ${speed})`, async () => {
    const { keyring, clock } = await openOn(shape, { retention: short })
    const { key, secret } = await keyring.issue(shop)
    const rotated = await keyring.rotate(key.id)
    await keyring.retire(key.id)
    clock.advance(3 * day + 1)
    assert.equal((await keyring.purge()).secrets, 1)
    assert.equal((await keyring.purge()).secrets, 0)
    assert.equal(await codeOf(keyring.verify(rotated.secret)), 'accepted')
    assert.equal(await codeOf(keyring.verify(secret)), 'unknown')
    assert.equal(await importedCode(keyring, secret), 'conflict')
    const [entry] = (await keyring.journal({ key: key.id })).entries
    assert.deepEqual([entry?.action, toldOf(entry)], ['change', { purgedSecrets: 1 }])
    await mustBeIntact(keyring)
    await keyring.close()
  })

  test(`a dry run counts what a purge deletes, and changes nothing (store: ${speed})`, async () => {
    const { keyring, clock } = await openOn(shape, { retention: short })
    let before: string | undefined
    const refused = await keyring.verify('nobody has this one')
    if (!refused.ok) keyring.noteRefusal?.(refused, { requestId: 'request-1' })
    // Of the keys that are revoked, some go themselves and some stay without their ended secrets.
    for (let count = 0; count < 8; count++) before = (await live(keyring, { clock, before })).id
    const { key } = await keyring.issue(shop)
    await keyring.rotate(key.id)
    await keyring.retire(key.id)
    clock.advance(4 * day)
    const [state, journal] = [await keyring.counts(), (await entriesOf(keyring)).length]
    const told = await keyring.purge({ dryRun: true })
    assert.deepEqual(await keyring.purge({ dryRun: true }), told)
    assert.deepEqual([await keyring.counts(), (await entriesOf(keyring)).length], [state, journal])
    for (const [kind, count] of Object.entries(told)) assert.ok(count > 0, kind)
    assert.deepEqual(await keyring.purge(), told)
    const nothing = { keys: 0, secrets: 0, usage: 0, usageSums: 0, refusals: 0 }
    assert.deepEqual(await keyring.purge({ dryRun: true }), nothing)
    await keyring.close()
  })

  test(`old usage goes before its sums, and the journal has an entry a day that says so (store: ${speed})`, async () => {
    const { keyring, clock } = await openOn(shape, { retention: short })
    const { secret } = await keyring.issue(shop)
    await keyring.verify(secret)
    await keyring.verify(`${secret.slice(0, -1)}!`)
    await keyring.flushUsage()
    const all = { from: 0, to: Date.UTC(2031, 0) }
    const sums = async (): Promise<number> => {
      const { series } = await keyring.usageSeries({ from: clock.now() - 10 * day, to: clock.now(), step: 'day' })
      return series.length
    }
    clock.advance(3 * day)
    assert.equal(await sums(), 2)
    const first = await keyring.purge()
    assert.deepEqual([first.usage, first.usageSums], [4, 0])
    assert.deepEqual((await keyring.usage(all)).usage, [])
    assert.equal(await sums(), 2)
    assert.equal((await keyring.purge()).usage, 0)
    clock.advance(2 * day)
    const second = await keyring.purge()
    assert.ok(second.usageSums > 0)
    assert.equal(await sums(), 0)
    const entries = (await entriesOf(keyring)).filter(({ subject }) => subject === 'retention')
    assert.equal(entries.length, 2)
    assert.deepEqual(entries[0]?.change, {
      before: { usage: Date.UTC(2030, 0, 16), usageSums: Date.UTC(2030, 0, 14), refusals: Date.UTC(2030, 0, 16) },
    })
    await mustBeIntact(keyring)
    await keyring.close()
  })
}

test('at a steady load and the usual retention, nothing of the file grows but the journal and the hashes of purged secrets', async () => {
  const file = join(folder, 'steady.db')
  const { keyring, clock } = await openOn((store) => store, { file })
  const counts: Record<string, number>[] = []
  const others: number[] = []
  let before: string | undefined
  // Three years, of which a day in fifteen has calls: what is kept longest is kept for 400 days.
  for (let count = 0; count < 73; count++) {
    before = (await live(keyring, { clock, before })).id
    clock.advance(14 * day)
    await keyring.purge()
    counts.push(rowsOf(file))
    others.push(bytesBesides(file))
  }
  const [middle = {}, end = {}] = [counts[36], counts[72]]
  const growing = Object.keys(end).filter((table) => (end[table] ?? 0) > (middle[table] ?? 0))
  assert.deepEqual(growing, ['latchkey_erased_secrets', 'latchkey_journal', 'latchkey_journal_owners'])
  assert.ok((end['latchkey_usage'] ?? 0) > 0 && (end['latchkey_keys'] ?? 0) > 0)
  // With all indexes, that of texts too.
  assert.ok(Math.max(...others.slice(36)) < 1.2 * Math.max(...others.slice(0, 36)), others.join(', '))
  await mustBeIntact(keyring)
  await keyring.close()
})

/** Bytes of all tables and indexes but those that may grow. */
function bytesBesides(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true })
  const { bytes } = database
    .prepare(
      `SELECT SUM(pgsize - unused) AS bytes FROM dbstat WHERE name NOT LIKE '%journal%' AND name NOT LIKE '%erased_secrets%'`,
    )
    .get() as { bytes: number }
  database.close()
  return bytes
}

function rowsOf(file: string): Record<string, number> {
  const database = new DatabaseSync(file, { readOnly: true })
  const tables = database
    .prepare(
      `SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'latchkey%' AND name NOT LIKE '%text%' ORDER BY name`,
    )
    .all() as { name: string }[]
  const counted = tables.map(({ name }) => {
    const { count } = database.prepare(`SELECT COUNT(*) AS count FROM ${name}`).get() as { count: number }
    return [name, count] as const
  })
  database.close()
  return Object.fromEntries(counted)
}

test('of two processes one purges, and one that died keeps the other waiting for a minute', async () => {
  const file = join(folder, 'two.db')
  const clock = stillClock(Date.UTC(2030, 0, 15, 12))
  const open = async (): Promise<OpenKeyring<Scope>> =>
    openKeyring({ store: withStillClock(storeIn(file), clock), scopes, clock, retention: short })
  const [one, two] = [await open(), await open()]
  for (let count = 0; count < 10; count++) {
    const { key } = await one.issue(shop)
    await one.revoke(key.id, { reason: 'unused' })
  }
  clock.advance(6 * day)
  const both = await Promise.allSettled([one.purge(), two.purge()])
  const keys = both.map((done) => (done.status === 'fulfilled' ? done.value.keys : (done.reason as LatchkeyError).code))
  assert.deepEqual(new Set(keys), new Set([10, 'conflict']))
  assert.equal((await entriesOf(one)).filter(({ action }) => action === 'purge').length, 10)

  const dead = storeIn(file)
  assert.equal(await dead.claimPurge({ holder: 'dead', now: clock.now(), until: clock.now() + 60_000 }), true)
  await dead.close()
  await assert.rejects(two.purge(), { code: 'conflict' })
  clock.advance(60_000)
  await two.purge()
  clock.advance(-day)
  await two.purge()
  await mustBeIntact(one)
  await Promise.all([one.close(), two.close()])
})

test('a purge that is interrupted leaves everything intact, and the next one goes on', async () => {
  const { keyring, clock } = await openOn((store) => store, { retention: short })
  for (let count = 0; count < 10; count++) {
    const { key } = await keyring.issue(shop)
    await keyring.revoke(key.id, { reason: 'unused' })
  }
  clock.advance(6 * day)
  const progress = ({ keys }: { readonly keys: number }): void => {
    if (keys > 0) throw new Error('interrupted')
  }
  await assert.rejects(keyring.purge({ progress }), { message: 'interrupted' })
  await mustBeIntact(keyring)
  const left = (await keyring.counts()).states.revoked
  assert.ok(left > 0 && left < 10)
  assert.equal((await keyring.purge()).keys, left)
  await mustBeIntact(keyring)
  await keyring.close()
})

test('keys that are changed while their ended secrets are purged are as the journal says, and lose none that works', async () => {
  const { keyring, clock } = await openOn((store) => store, { retention: short })
  const secrets = new Map<string, string>()
  for (let count = 0; count < 10; count++) {
    const { key } = await keyring.issue(shop)
    secrets.set(key.id, (await keyring.rotate(key.id)).secret)
    await keyring.retire(key.id)
  }
  clock.advance(4 * day)
  const changes: Promise<unknown>[] = []
  const progress = (): void => {
    for (const id of secrets.keys()) changes.push(keyring.change(id, { name: `Shop ${changes.length}` }))
  }
  const purged = await keyring.purge({ progress })
  await Promise.all(changes)
  assert.equal(purged.secrets + (await keyring.purge()).secrets, 10)
  for (const secret of secrets.values()) assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
  await mustBeIntact(keyring)
  await keyring.close()
})

test('an owner whose keys were purged is erased with what the journal says of them', async () => {
  const { keyring, clock } = await openOn((store) => store, { retention: short })
  const { key } = await keyring.issue({ ...shop, owner: 'quisenberry-4711' })
  await keyring.revoke(key.id, { reason: 'unused' })
  clock.advance(6 * day)
  await keyring.purge()
  await keyring.changeOwner('quisenberry-4711', { disabled: true, limits: [] })
  await keyring.eraseOwner('quisenberry-4711')
  assert.ok(!JSON.stringify(await entriesOf(keyring)).includes('quisenberry'))
  await mustBeIntact(keyring)
  await keyring.close()
})

test('a keyring that acts as an admin key cannot purge, whatever its scopes', async () => {
  const { keyring } = await openOn((store) => store)
  const { key } = await keyring.issue({
    name: 'Admin',
    owner: 'operations',
    environment: 'admin',
    scopes: ['keys:erase', 'owners:erase'],
    delegation: { owner: null, environments: ['live', 'test', 'admin'], scopes: ['*'] },
  })
  assert.ok(!('purge' in keyring.as(key.id)))
  await keyring.close()
})
