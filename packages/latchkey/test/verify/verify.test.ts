import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Keyring, KeyringOptions } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { Store } from '../../src/ports.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { mint } from '../../src/secret/mint.ts'
import { settingsKey } from '../../src/source/settings.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { TestClock } from '../../src/testing.ts'
import { testClock } from '../../src/testing.ts'
import type { CountingStore } from '../keyring/counting-store.ts'
import { countingStore } from '../keyring/counting-store.ts'
import { lateStore } from '../keyring/late-store.ts'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Change orders', 'reports:read': 'Read reports' }
type Scope = keyof typeof scopes

/**
 * A clock for leases that goes on from call to call and stands still within one. Every call has to look at the journal,
 * and no machine is so busy that a look outlives its lease, which is a refusal of its own.
 */
let leases = 0
const standingMonotonic = (): number => leases * 1000

const stores: Record<string, (store: Store) => Store> = { 'at once': (store) => store, late: lateStore }

for (const [speed, shape] of Object.entries(stores)) {
  describe(`a store that answers ${speed}`, () => {
    async function open(
      options: Partial<KeyringOptions<Scope>> = {},
    ): Promise<{ keyring: Keyring<Scope>; store: CountingStore; clock: TestClock }> {
      const store = countingStore(sqliteStore({ file: ':memory:' }))
      const clock = { ...testClock(1_000_000), monotonic: standingMonotonic }
      return { keyring: await openKeyring({ store: shape(store), scopes, clock, ...options }), store, clock }
    }

    const live = { name: 'Shop', owner: 'acme', scopes: ['orders:read'] } as const

    async function codeOf(keyring: Keyring<Scope>, ...call: Parameters<Keyring<Scope>['verify']>): Promise<string> {
      leases++
      const verdict = await keyring.verify(...call)
      return verdict.ok ? 'accepted' : verdict.refusal.code
    }

    test('an issued key is accepted, with what it was issued with', async () => {
      const { keyring } = await open()
      const { key, secret } = await keyring.issue({ ...live, metadata: { plan: 'pro' } })
      const verdict = await keyring.verify(secret)
      assert.ok(verdict.ok)
      assert.deepEqual(verdict.key, {
        id: key.id,
        name: 'Shop',
        owner: 'acme',
        environment: 'live',
        scopes: ['orders:read'],
        metadata: { plan: 'pro' },
        expiresAt: null,
        delegation: null,
      })
    })

    test('the verified key cannot be changed by who gets it', async () => {
      const { keyring } = await open()
      const { secret } = await keyring.issue(live)
      const verdict = await keyring.verify(secret)
      assert.ok(verdict.ok)
      assert.throws(() => (verdict.key.scopes as string[]).push('orders:write'), TypeError)
      assert.throws(() => Object.assign(verdict.key, { owner: 'someone else' }), TypeError)
      assert.throws(() => Object.assign(verdict.key.metadata, { plan: 'x' }), TypeError)
      const limited = await keyring.issue({ ...live, metadata: { plan: 'pro' } })
      await keyring.rotate(limited.key.id)
      const old = await keyring.verify(limited.secret)
      assert.ok(old.ok)
      assert.throws(() => Object.assign(old.retiring ?? assert.fail(), { until: Infinity }), TypeError)
    })

    test('no key, an empty one and one that is not ours are refused without a read of the store', async () => {
      const { keyring, store } = await open()
      store.reads = 0
      const foreign = mint({ prefix: 'xy', environment: 'live' })
      const elsewhere = mint({ prefix: 'lk', environment: 'prod' })
      const expected = {
        missing: [undefined, ''],
        malformed: ['x', 'lk_live_', foreign, elsewhere, 'a'.repeat(100_000)],
      }
      for (const [code, credentials] of Object.entries(expected)) {
        for (const credential of credentials) assert.equal(await codeOf(keyring, credential), code)
      }
      assert.equal(store.reads, 0)
    })

    test('every key with one character substituted, deleted, swapped or in other case is refused without a read of the store', async () => {
      const { keyring, store } = await open()
      const { secret } = await keyring.issue(live)
      store.reads = 0
      const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_- .~'
      const wrong = new Set<string>()
      for (let index = 0; index < secret.length; index++) {
        const [before, here, after] = [secret.slice(0, index), secret[index] ?? '', secret.slice(index + 1)]
        for (const character of alphabet) wrong.add(before + character + after)
        wrong.add(before + after)
        wrong.add(before + after.slice(0, 1) + here + after.slice(1))
        wrong.add(before + (here === here.toLowerCase() ? here.toUpperCase() : here.toLowerCase()) + after)
      }
      wrong.delete(secret)
      assert.ok(wrong.size > 46 * 62)
      for (const credential of wrong)
        assert.match(await codeOf(keyring, credential), /^(?:malformed|mistyped)$/, credential)
      assert.equal(store.reads, 0)
      assert.equal(await codeOf(keyring, secret), 'accepted')
    })

    test('what is no text is refused and does not make verify throw', async () => {
      const { keyring } = await open()
      for (const credential of [1, ['lk_live_x'], {}, true]) {
        assert.equal(await codeOf(keyring, credential as never), 'malformed')
      }
      assert.equal(await codeOf(keyring, null as never), 'missing')
    })

    test('random text is never accepted and never makes verify throw', async () => {
      const { keyring } = await open()
      await keyring.issue(live)
      const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string(), fc.stringMatching(/^lk_live_[0-9A-Za-z]{38}$/))
      await fc.assert(
        fc.asyncProperty(text, async (credential) => {
          assert.notEqual(await codeOf(keyring, credential), 'accepted')
        }),
        { numRuns: 500 },
      )
    })

    test('a well-formed key that was never issued is unknown, and asked for in the store once', async () => {
      const { keyring, store } = await open()
      const credential = mint({ prefix: 'lk', environment: 'live' })
      store.reads = 0
      for (let call = 0; call < 5; call++) assert.equal(await codeOf(keyring, credential), 'unknown')
      assert.equal(store.reads, 1)
    })

    test('an accepted key is read from the store once', async () => {
      const { keyring, store } = await open()
      const { secret } = await keyring.issue(live)
      store.reads = 0
      for (let call = 0; call < 5; call++) assert.equal(await codeOf(keyring, secret), 'accepted')
      assert.equal(store.reads, 1)
    })

    test('made-up keys do not push real ones out of the cache', async () => {
      const { keyring, store } = await open({ cacheSize: 10 })
      const { secret } = await keyring.issue(live)
      await keyring.verify(secret)
      for (let call = 0; call < 100; call++) await keyring.verify(mint({ prefix: 'lk', environment: 'live' }))
      store.reads = 0
      assert.equal(await codeOf(keyring, secret), 'accepted')
      assert.equal(store.reads, 0)
    })

    test('a lifetime is kept to the millisecond', async () => {
      const { keyring, clock } = await open()
      const { secret } = await keyring.issue({ ...live, notBefore: 1_000_010, expiresAt: 1_000_020 })
      const codes: Record<number, string> = {}
      for (const now of [1_000_009, 1_000_010, 1_000_019, 1_000_020]) {
        clock.set(now)
        codes[now] = await codeOf(keyring, secret)
      }
      assert.deepEqual(Object.values(codes), ['not_yet_valid', 'accepted', 'accepted', 'expired'])
    })

    test('a key is taken in its own environment only, the first one unless told otherwise', async () => {
      const { keyring } = await open()
      const { secret } = await keyring.issue({ ...live, environment: 'test' })
      assert.equal(await codeOf(keyring, secret), 'wrong_environment')
      assert.equal(await codeOf(keyring, secret, { environment: 'test' }), 'accepted')
    })

    test('scopes: all of, any of, by resource, and none for a key that has none', async () => {
      const { keyring } = await open()
      const reader = (await keyring.issue(live)).secret
      const all = (await keyring.issue({ ...live, scopes: ['orders:*'] })).secret
      const none = (await keyring.issue({ ...live, scopes: [] })).secret
      const both = { allOf: ['orders:read', 'orders:write'] }
      const either = { anyOf: ['orders:write', 'orders:read'] }
      const codes = []
      for (const secret of [reader, all, none]) {
        for (const requirement of [{}, both, either, { allOf: ['reports:read'] }])
          codes.push(await codeOf(keyring, secret, requirement))
      }
      const [yes, no] = ['accepted', 'insufficient_scope']
      assert.deepEqual(codes, [yes, no, yes, no, yes, yes, yes, no, yes, no, no, no])
    })

    test('the steps are taken in their order: the first that fails gives the refusal', async () => {
      const { keyring, clock } = await open()
      const issued = await keyring.issue({ ...live, environment: 'test', notBefore: 2_000_000 })
      const requirement = { allOf: ['orders:write'] } as const
      const codes = [await codeOf(keyring, issued.secret, requirement)]
      clock.set(2_000_000)
      codes.push(await codeOf(keyring, issued.secret, requirement))
      codes.push(await codeOf(keyring, issued.secret, { ...requirement, environment: 'test' }))
      await keyring.revoke(issued.key.id, { reason: 'unused' })
      codes.push(await codeOf(keyring, issued.secret, requirement))
      assert.deepEqual(codes, ['not_yet_valid', 'wrong_environment', 'insufficient_scope', 'revoked'])
    })

    test('a store failure is a refusal of its own, neither yes nor no, and passes when the store is back', async () => {
      const { keyring, store } = await open()
      const { secret } = await keyring.issue(live)
      store.failing = true
      const verdict = await keyring.verify(secret)
      assert.ok(!verdict.ok)
      assert.equal(verdict.refusal.code, 'unavailable')
      assert.equal(verdict.refusal.answer.status, 503)
      assert.match(String(verdict.cause), /the disk is gone/)
      assert.equal(await codeOf(keyring, secret), 'unavailable', 'when it cannot be asked what has changed either')
      store.failing = false
      assert.equal(await codeOf(keyring, secret), 'accepted')
    })

    test('what cannot be a key of ours is refused as such while the store is gone, unless keys were imported', async () => {
      const { keyring, store } = await open()
      store.failing = true
      assert.equal(await codeOf(keyring, 'nonsense'), 'malformed')
      store.failing = false
      const hash = hashSecret('made elsewhere')
      await keyring.importMany([{ name: 'Old', owner: 'acme', scopes: [], algorithm: 'sha256', bits: 128, hash }])
      assert.equal(await codeOf(keyring, 'made elsewhere'), 'accepted')
      store.failing = true
      assert.equal(await codeOf(keyring, 'nonsense'), 'unavailable')
    })

    test('a key from the settings is not accepted while nobody can tell whether its owner is disabled', async () => {
      const secret = 'gT5mWq8vZr2xKd7p'
      const inner = sqliteStore({ file: ':memory:' })
      let failing = true
      const store: Store = {
        ...inner,
        owner(owner) {
          if (failing) throw new Error('the disk is gone')
          return inner.owner(owner)
        },
      }
      const source = settingsKey({ name: 'KEY', secret, scopes: [] })
      const keyring = await openKeyring({
        store: shape(store),
        scopes,
        sources: [source],
        clock: { ...testClock(), monotonic: standingMonotonic },
      })
      assert.equal(await codeOf(keyring, secret), 'unavailable')
      failing = false
      assert.equal(await codeOf(keyring, secret), 'accepted')
    })

    test('a cached key is not accepted on a lease that has run out while the store is gone', async () => {
      const store = countingStore(sqliteStore({ file: ':memory:' }))
      let monotonic = 0
      const clock = { now: () => 1000, monotonic: () => monotonic }
      const keyring = await openKeyring({ store: shape(store), scopes, clock })
      const { secret } = await keyring.issue(live)
      await keyring.verify(secret)
      store.failing = true
      monotonic = store.lease - 0.1
      assert.equal(await codeOf(keyring, secret), 'accepted')
      monotonic = store.lease
      assert.equal(await codeOf(keyring, secret), 'unavailable')
    })

    test('what is read while a change is made is not kept in the cache', async () => {
      const inner = sqliteStore({ file: ':memory:' })
      let whileReading: (() => Promise<unknown>) | undefined
      const store: Store = {
        ...inner,
        async bySecret(hash) {
          const found = await inner.bySecret(hash)
          const meanwhile = whileReading
          whileReading = undefined
          await meanwhile?.()
          return found
        },
      }
      const clock = { ...testClock(), monotonic: standingMonotonic }
      const keyring = await openKeyring({ store: shape(store), scopes, clock })
      const { key, secret } = await keyring.issue(live)
      whileReading = () => keyring.revoke(key.id, { reason: 'unused' })
      // It began before the revocation was answered, so either verdict is right; but the next one did not.
      await keyring.verify(secret)
      assert.equal(await codeOf(keyring, secret), 'revoked')
    })
  })
}

test('a look at the journal that takes longer than its lease is no licence to accept', async () => {
  const inner = sqliteStore({ file: ':memory:' })
  let monotonic = 0
  let slow = false
  const looks: (() => void)[] = []
  const store: Store = {
    ...inner,
    follow(wake) {
      const follower = inner.follow(wake)
      return {
        ...follower,
        async changesSince(after) {
          // What it saw is what was so when it began.
          const seen = await follower.changesSince(after)
          if (slow) await new Promise<void>((resolve) => looks.push(resolve))
          return seen
        },
      }
    },
  }
  const keyring = await openKeyring({ store, scopes, clock: { now: () => 1000, monotonic: () => monotonic } })
  const { secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  assert.equal((await keyring.verify(secret)).ok, true)
  slow = true
  monotonic = store.lease
  const early = keyring.verify(secret)
  // While it waits, another instance revokes the key, and has its answer one lease later.
  monotonic = 3 * store.lease
  const late = keyring.verify(secret)
  while (looks.length === 0) await Promise.resolve()
  for (const answer of looks) answer()
  for (const verdict of [await early, await late]) assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
})

test('a warm verify answers at once, without a promise', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  const { secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  assert.ok(!(keyring.verify(secret) instanceof Promise))
  assert.ok(!(keyring.verify('nonsense') instanceof Promise))
})

test('what cannot be one of ours costs no look at the store, however long ago the last one was', async () => {
  for (const shape of Object.values(stores)) {
    const store = countingStore(sqliteStore({ file: ':memory:' }))
    let monotonic = 0
    const clock = { now: () => 1000, monotonic: () => monotonic }
    const keyring = await openKeyring({ store: shape(store), scopes, clock })
    const { secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
    const mistyped = secret.slice(0, -1) + (secret.endsWith('0') ? '1' : '0')
    assert.equal((await keyring.verify(secret)).ok, true)
    store.looks = 0
    for (let call = 0; call < 3000; call++) {
      // Its lease runs out hundreds of times meanwhile.
      monotonic += 1
      for (const credential of ['nonsense', `lk_live_${'-'.repeat(38)}`, mistyped]) {
        const verdict = await keyring.verify(credential)
        assert.ok(!verdict.ok && ['malformed', 'mistyped'].includes(verdict.refusal.code))
      }
    }
    assert.ok(store.looks <= 30, `${store.looks} looks in three seconds, to learn of imported keys`)
  }
})
