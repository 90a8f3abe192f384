import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '../../src/keyring/clock.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { memoryLimiter } from '../../src/limiter/memory.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Verdict } from '../../src/verify/verdict.ts'
import { openOn, scopes, shop, speeds } from './workbench.ts'

const codesOf = (verdicts: readonly Verdict[]): readonly string[] => {
  return verdicts.map((verdict) => (verdict.ok ? 'accepted' : verdict.refusal.code))
}

for (const [speed, shape] of speeds) {
  describe(`many calls verified with one, on a store that answers ${speed}`, () => {
    test('a quota is spent in order, and only by the calls that are accepted', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 3 } })
      const verdicts = await keyring.verifyMany([
        { credential: secret, requirement: { allOf: ['orders:write'] } },
        { credential: secret, requirement: { cost: 2 } },
        { credential: secret, requirement: { cost: 2 } },
        { credential: secret },
        { credential: secret },
      ])
      const remaining = verdicts.map((verdict) => verdict.limits?.[0]?.remaining)
      assert.deepEqual(codesOf(verdicts), [
        'insufficient_scope',
        'accepted',
        'quota_exhausted',
        'accepted',
        'quota_exhausted',
      ])
      assert.deepEqual(remaining, [undefined, 1, 1, 0, 0])
      assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 0)
    })

    test('an admin key verifies those keys only that it sees, and none without keys:verify', async () => {
      const { keyring } = await openOn(shape)
      const ours = await keyring.issue(shop)
      const theirs = await keyring.issue({ ...shop, owner: 'globex' })
      const calls = [ours, theirs].map(({ secret }) => ({ credential: secret }))
      const adminOf = async (permission: 'keys:verify' | 'keys:read') =>
        keyring.issue({
          name: 'Gateway',
          owner: 'ops',
          environment: 'admin',
          scopes: [permission],
          delegation: { owner: 'acme', environments: ['live'], scopes: [] },
        })
      for (const [permission, expected] of [
        ['keys:verify', ['accepted', 'unknown']],
        ['keys:read', ['unavailable', 'unavailable']],
      ] as const) {
        const { key, secret } = await adminOf(permission)
        const verified = await keyring.admin.verify(secret)
        assert.ok(verified.ok)
        for (const admin of [key.id, verified.key]) {
          assert.deepEqual(codesOf(await keyring.as(admin).verifyMany(calls)), expected)
        }
      }
    })
  })
}

test('when the store hangs, what was spent before stands, and the calls wait for it together and not each', async () => {
  let hangs = false
  let asked = 0
  const store = sqliteStore({ file: ':memory:' })
  const { keyring } = await openOn(() => ({
    ...store,
    spend(id, spending) {
      asked++
      if (hangs) return new Promise<never>(() => undefined)
      hangs = true
      return store.spend(id, spending)
    },
  }))
  const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 9 } })
  const calls = Array.from({ length: 10 }, () => ({ credential: secret }))
  const codes = codesOf(await keyring.verifyMany(calls))
  assert.deepEqual(codes, ['accepted', ...Array.from({ length: 9 }, () => 'unavailable')])
  // A timer may fire a little before its time, and then one call more is asked.
  assert.ok(asked === 2 || asked === 3, String(asked))
  assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 8)
})

test('a call for which the limiter fails takes no other call with it', async () => {
  const keyring = await openKeyring({
    store: sqliteStore({ file: ':memory:' }),
    scopes,
    limiter: {
      ...memoryLimiter({ clock: systemClock }),
      take() {
        throw new Error('The limiter is gone.')
      },
    },
  })
  const limited = await keyring.issue({ ...shop, limits: [{ name: 'burst', limit: 5, window: 60 }] })
  const plain = await keyring.issue(shop)
  const credentials = [limited.secret, plain.secret, 'bad', undefined, plain.secret]
  const verdicts = await keyring.verifyMany(credentials.map((credential) => ({ credential })))
  assert.deepEqual(codesOf(verdicts), ['unavailable', 'accepted', 'malformed', 'missing', 'accepted'])
  await keyring.close()
})

test('a hundred calls that each take a while leave turns for other work', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const keyring = await openKeyring({
    scopes,
    store: {
      ...store,
      spend(id, spending) {
        const until = performance.now() + 2
        while (performance.now() < until);
        return store.spend(id, spending)
      },
    },
  })
  const { secret } = await keyring.issue({ ...shop, quota: { amount: 1000 } })
  let turns = 0
  let other = setImmediate(function again() {
    turns++
    other = setImmediate(again)
  })
  await keyring.verifyMany(Array.from({ length: 100 }, () => ({ credential: secret })))
  clearImmediate(other)
  await keyring.close()
  // 200 ms of work in turns of 5 ms and one call more; on a busy machine there are more turns.
  assert.ok(turns > 20, `${turns} turns`)
})
