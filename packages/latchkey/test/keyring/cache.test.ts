import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hashSecret } from '../../src/key/hash.ts'
import { mint } from '../../src/key/mint.ts'
import { seal } from '../../src/keyring/journal.ts'
import type { Keyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/keyring.ts'
import type { Change, Store } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { inserting, newKey, newSecret } from '../conformance/store.ts'
import type { CountingStore } from './counting-store.ts'
import { countingStore } from './counting-store.ts'

const scopes = { 'orders:read': 'Read orders' }
const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const
const folder = mkdtempSync(join(tmpdir(), 'latchkey-cache-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

interface Instances {
  readonly ours: Keyring<'orders:read'>
  /** What our keyring stands on. */
  readonly store: CountingStore
  /** What another instance works on. */
  readonly theirs: Store
  /** Ends the lease of our keyring; until then it stands. */
  readonly endLease: () => void
}

async function instances(context: { after: (close: () => void) => void }): Promise<Instances> {
  const file = join(folder, `${files++}.db`)
  const [store, theirs] = [countingStore(sqliteStore({ file })), sqliteStore({ file })]
  context.after(() => [store, theirs].forEach((opened) => void opened.close()))
  let monotonic = 0
  const clock = { now: () => 1000, monotonic: () => monotonic }
  const ours = await openKeyring({ store, scopes, clock })
  return { ours, store, theirs, endLease: () => (monotonic += store.lease) }
}

async function revoking(store: Store, id: string): Promise<Change> {
  const found = await store.byId(id)
  assert.ok(found)
  const draft = { at: 1000, actor: 'them', action: 'revoke', subject: id, change: '{}' } as const
  return { kind: 'update', key: { ...found.key, revokedAt: 1000, revokedReason: 'unused' }, draft }
}

async function codeOf(keyring: Keyring<'orders:read'>, secret: string): Promise<string> {
  const verdict = await keyring.verify(secret)
  return verdict.ok ? 'accepted' : verdict.refusal.code
}

test('a secret that was unknown is accepted once a key has it', async (context) => {
  const { ours, theirs, endLease } = await instances(context)
  const secret = mint({ prefix: 'lk', environment: 'live' })
  assert.equal(await codeOf(ours, secret), 'unknown')
  await theirs.commit([inserting({ ...newKey(), secret: newSecret({ hash: hashSecret(secret) }) })], seal)
  endLease()
  assert.equal(await codeOf(ours, secret), 'accepted')
})

test('a key that others revoked is refused, also when more has changed than a look names', async (context) => {
  const { ours, theirs, endLease } = await instances(context)
  const { key, secret } = await ours.issue(shop)
  assert.equal(await codeOf(ours, secret), 'accepted')
  const others = Array.from({ length: 1000 }, () => inserting(newKey()))
  await theirs.commit([...others, await revoking(theirs, key.id)], seal)
  endLease()
  assert.equal(await codeOf(ours, secret), 'revoked')
})

test('what others changed is forgotten once, not once a lease', async (context) => {
  const { ours, theirs, endLease, store } = await instances(context)
  const secret = mint({ prefix: 'lk', environment: 'live' })
  await theirs.commit([inserting({ ...newKey(), secret: newSecret({ hash: hashSecret(secret) }) })], seal)
  for (let lease = 0; lease < 3; lease++) {
    endLease()
    assert.equal(await codeOf(ours, secret), 'accepted')
  }
  assert.equal(store.reads, 1)
})

test('a change of our own does not hide one that others made before it', async (context) => {
  const { ours, theirs, endLease } = await instances(context)
  const { key, secret } = await ours.issue(shop)
  assert.equal(await codeOf(ours, secret), 'accepted')
  await theirs.commit([await revoking(theirs, key.id)], seal)
  await ours.issue(shop)
  endLease()
  assert.equal(await codeOf(ours, secret), 'revoked')
})

test('a revocation of our own counts for us at once: the store waits for the leases of others, not for ours', async () => {
  const store: Store = { ...sqliteStore({ file: ':memory:' }), settled: async () => undefined }
  const keyring = await openKeyring({ store, scopes, clock: { now: () => 1000, monotonic: () => 0 } })
  const { key, secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring, secret), 'accepted')
  await keyring.revoke(key.id, { reason: 'unused' })
  assert.equal(await codeOf(keyring, secret), 'revoked')
})
