import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { test } from 'node:test'
import { beforeRemoval, temporaryFolder } from '../../../../test/temporary-folder.ts'
import { chain } from '../../src/journal/chain.ts'
import type { Keyring, KeyringOptions } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { Change, Propagation, Store } from '../../src/ports.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { mint } from '../../src/secret/mint.ts'
import { settingsKey } from '../../src/source/settings.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { inserting, newKey, newSecret } from '../conformance/store.ts'
import type { CountingStore } from '../keyring/counting-store.ts'
import { countingStore } from '../keyring/counting-store.ts'
import { unknownInstances, storeIn } from '../keyring/workbench.ts'

const scopes = { 'orders:read': 'Read orders' }
const shop = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const

interface Instances {
  readonly ours: Keyring<'orders:read'>
  /** What our keyring stands on. */
  readonly store: CountingStore
  /** What another instance works on. */
  readonly theirs: Store
  /** Ends the lease of our keyring; until then it stands. */
  readonly endLease: () => void
}

async function instances(
  context: { after: (close: () => void) => void },
  options: Partial<KeyringOptions<'orders:read'>> = {},
): Promise<Instances> {
  const folder = temporaryFolder('cache', { context })
  const file = join(folder, 'keys.db')
  const [store, theirs] = [countingStore(storeIn(file)), storeIn(file)]
  for (const opened of [store, theirs]) beforeRemoval(folder, () => opened.close())
  let monotonic = 0
  const clock = { now: () => 1000, monotonic: () => monotonic }
  const ours = await openKeyring({ store, scopes, clock, ...options })
  return { ours, store, theirs, endLease: () => (monotonic += store.lease) }
}

async function revoking(store: Store, id: string): Promise<Change> {
  const found = await store.byId(id)
  assert.ok(found)
  const draft = { at: 1000, actor: 'them', action: 'revoke', subject: id, change: '{}' } as const
  return { kind: 'update', key: { ...found.key, revokedAt: 1000, revokedReason: 'unused' }, draft }
}

async function codeOf(keyring: Keyring<'orders:read'>, secret: Parameters<Keyring['verify']>[0]): Promise<string> {
  const verdict = await keyring.verify(secret)
  return verdict.ok ? 'accepted' : verdict.refusal.code
}

test('a secret that was unknown is accepted once a key has it', async (context) => {
  const { ours, theirs, endLease } = await instances(context)
  const secret = mint({ prefix: 'lk', environment: 'live' })
  assert.equal(await codeOf(ours, secret), 'unknown')
  // Only an import gives a key a secret that anyone may have presented before.
  const inserted = inserting({ ...newKey(), secret: newSecret({ hash: hashSecret(secret) }) })
  await theirs.commit([{ ...inserted, draft: { ...inserted.draft, action: 'import' } }], chain)
  endLease()
  assert.equal(await codeOf(ours, secret), 'accepted')
})

for (const who of ['ours', 'theirs'] as const) {
  test(`only what changed is read again, and nothing when a key is issued: ${who}`, async (context) => {
    const { ours, theirs, endLease, store } = await instances(context)
    const keyring = who === 'ours' ? ours : await openKeyring({ store: theirs, scopes })
    const [changed, still] = [await ours.issue(shop), await ours.issue(shop)]
    const [ofOwner, another] = [await ours.issue({ ...shop, owner: 'zeta' }), await ours.issue(shop)]
    const disabled = await ours.issue(shop)
    await ours.disable(disabled.key.id)
    const unknown = mint({ prefix: 'lk', environment: 'live' })
    const presented = [changed, still, ofOwner, another, disabled].map(({ secret }) => secret)
    /** The verdicts, and how many of them were read from the store. */
    const present = async (): Promise<readonly unknown[]> => {
      endLease()
      store.reads = 0
      const codes: string[] = []
      for (const secret of [...presented, unknown]) codes.push(await codeOf(ours, secret))
      return [...codes, store.reads]
    }
    const accepted = Array.from({ length: 4 }, () => 'accepted')
    assert.deepEqual(await present(), [...accepted, 'disabled', 'unknown', 6])
    await keyring.issue(shop)
    assert.deepEqual(await present(), [...accepted, 'disabled', 'unknown', 0])
    await keyring.change(changed.key.id, { name: 'Renamed' })
    assert.deepEqual(await present(), [...accepted, 'disabled', 'unknown', 1])
    await keyring.enable(disabled.key.id)
    assert.deepEqual(await present(), [...accepted, 'accepted', 'unknown', 1])
    await keyring.changeOwner('zeta', { disabled: true })
    const [one, two, three, four] = ['accepted', 'accepted', 'owner_disabled', 'accepted']
    // Refusals are read again too: they may be of the same owner.
    assert.deepEqual(await present(), [one, two, three, four, 'accepted', 'unknown', 2])
    await keyring.changeOwner('zeta', { disabled: false })
    assert.deepEqual(await present(), [...accepted, 'accepted', 'unknown', 2])
  })
}

test('a key that others revoked is refused, also when more has changed than a look names', async (context) => {
  const { ours, theirs, endLease } = await instances(context)
  const { key, secret } = await ours.issue(shop)
  assert.equal(await codeOf(ours, secret), 'accepted')
  const others = Array.from({ length: 1000 }, () => inserting(newKey()))
  await theirs.commit([...others, await revoking(theirs, key.id)], chain)
  endLease()
  assert.equal(await codeOf(ours, secret), 'revoked')
})

test('what others changed is forgotten once, not once a lease', async (context) => {
  const { ours, theirs, endLease, store } = await instances(context)
  const secret = mint({ prefix: 'lk', environment: 'live' })
  await theirs.commit([inserting({ ...newKey(), secret: newSecret({ hash: hashSecret(secret) }) })], chain)
  for (let lease = 0; lease < 3; lease++) {
    endLease()
    assert.equal(await codeOf(ours, secret), 'accepted')
  }
  assert.equal(store.reads, 1)
})

test('a credential that was accepted again and again is refused within a lease of a change that others made', async (context) => {
  const { ours, theirs, endLease } = await instances(context)
  const { key, secret } = await ours.issue(shop)
  const credential = ours.credential?.(secret)
  for (let call = 0; call < 3; call++) assert.equal(await codeOf(ours, credential), 'accepted')
  await theirs.commit([await revoking(theirs, key.id)], chain)
  endLease()
  assert.equal(await codeOf(ours, credential), 'revoked')
})

test('a change of our own does not hide one that others made before it', async (context) => {
  const { ours, theirs, endLease } = await instances(context)
  const { key, secret } = await ours.issue(shop)
  assert.equal(await codeOf(ours, secret), 'accepted')
  await theirs.commit([await revoking(theirs, key.id)], chain)
  await ours.issue(shop)
  endLease()
  assert.equal(await codeOf(ours, secret), 'revoked')
})

test('a revocation of our own counts for us at once: the store waits for the leases of others, not for ours', async () => {
  const settled = async (): Promise<Propagation> => ({ ...unknownInstances, waitedMs: 0 })
  const store: Store = { ...sqliteStore({ file: ':memory:' }), settled }
  const keyring = await openKeyring({ store, scopes, clock: { now: () => 1000, monotonic: () => 0 } })
  const { key, secret } = await keyring.issue(shop)
  assert.equal(await codeOf(keyring, secret), 'accepted')
  await keyring.revoke(key.id, { reason: 'unused' })
  assert.equal(await codeOf(keyring, secret), 'revoked')
})

/** A secret that two keys may come to have, as long as nobody can tell that it is the same. */
const shared = 'q7Tn2VxW9pLk4sBz8RmC1fYd6hJe3gUa'
const importing = { name: 'Imported', owner: 'acme', scopes: [], start: 'a secret' } as const
const bySha512 = { ...importing, algorithm: 'sha512', bits: 128, hash: hash('sha512', shared) } as const
const bySha256 = { ...importing, algorithm: 'sha256', bits: 128, hash: hashSecret(shared) } as const

for (const who of ['ours', 'theirs'] as const) {
  test(`a key found by another hash gives way to the one that is looked for first, whoever imported it: ${who}`, async (context) => {
    const { ours, theirs, endLease } = await instances(context)
    const other = await openKeyring({ store: theirs, scopes })
    const first = await ours.importMany([bySha512])
    endLease()
    const before = await ours.verify(shared)
    assert.ok(!first.repeated && before.ok)
    assert.equal(before.key.id, first.created[0]?.id)
    const second = await (who === 'ours' ? ours : other).importMany([bySha256])
    endLease()
    const verdict = await ours.verify(shared)
    assert.ok(!second.repeated && verdict.ok)
    assert.equal(verdict.key.id, second.created[0]?.id)
  })

  test(`a key from the settings gives way to one with the same secret that is imported and revoked, whoever did it: ${who}`, async (context) => {
    const source = settingsKey({ name: 'SERVICE_API_KEY', secret: shared, scopes: [] })
    const { ours, theirs, endLease } = await instances(context, { sources: [source] })
    const other = await openKeyring({ store: theirs, scopes })
    assert.equal(await codeOf(ours, shared), 'accepted')
    const keyring = who === 'ours' ? ours : other
    const made = await keyring.importMany([bySha256])
    assert.ok(!made.repeated)
    await keyring.revoke(made.created[0]?.id ?? '', { reason: 'compromised' })
    endLease()
    assert.equal(await codeOf(ours, shared), 'revoked')
  })
}

test('an import leaves alone what was found by the hash that is looked for first', async (context) => {
  const { ours, store, theirs, endLease } = await instances(context)
  const { secret } = await ours.issue(shop)
  assert.equal(await codeOf(ours, secret), 'accepted')
  const { reads } = store
  const other = await openKeyring({ store: theirs, scopes })
  await other.importMany([bySha256])
  endLease()
  assert.equal(await codeOf(ours, secret), 'accepted')
  assert.equal(store.reads, reads)
})

test('keys with much metadata are held in smaller numbers, so that memory is bounded and not only their number', async (context) => {
  const { ours, store } = await instances(context, { cacheBytes: 400_000 })
  const issue = async (count: number, metadata: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const done = await ours.issueMany(Array.from({ length: count }, () => ({ ...shop, metadata })))
    assert.ok(!done.repeated)
    return done.created.map(({ secret }) => secret)
  }
  /** How many of them are read from the store when all are verified once more. */
  const readAgain = async (secrets: readonly string[]): Promise<number> => {
    for (const secret of secrets) assert.equal(await codeOf(ours, secret), 'accepted')
    store.reads = 0
    for (const secret of secrets.toReversed()) assert.equal(await codeOf(ours, secret), 'accepted')
    return store.reads
  }
  assert.equal(await readAgain(await issue(100, { plan: 'pro' })), 0)
  const heavy = await issue(
    100,
    Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`m${index}`, 'x'.repeat(500)])),
  )
  // A key of these takes some 33,000 bytes.
  const again = await readAgain(heavy)
  assert.ok(again >= 100 - 12 && again < 100, `${again} of 100 were read again`)
})

test('what cannot be a bound of memory is refused', async () => {
  const store = sqliteStore({ file: ':memory:' })
  for (const cacheBytes of [0, -1, 0.5, NaN, Infinity, '64 MB' as never]) {
    await assert.rejects(openKeyring({ store, scopes, cacheBytes }), { code: 'invalid_input', message: /cacheBytes/ })
  }
})
