import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { refusalAnswer } from '../../src/guard/answer.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { memoryLimiter } from '../../src/limiter/memory.ts'
import type { Limiter, Store } from '../../src/ports.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { testClock } from '../../src/testing.ts'
import type { LimitState, Verdict } from '../../src/verify/verdict.ts'
import { codeOf, newFile, openOn, scopes, shop, speeds, counter, storeIn } from '../keyring/workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const limit = (name: string, most: number, window = 60): { name: string; limit: number; window: number } => ({
  name,
  limit: most,
  window,
})

/** What is left, by name. */
function leftOf(verdict: Verdict): Readonly<Record<string, number>> {
  return Object.fromEntries((verdict.limits ?? []).map(({ name, remaining }: LimitState) => [name, remaining]))
}

for (const [speed, shape] of speeds) {
  describe(`limits on a store that answers ${speed}`, () => {
    test('of many calls at once as many are accepted as the limit says, and more when the window has passed', async () => {
      const { keyring, clock } = await openOn(shape)
      const { secret } = await keyring.issue({ ...shop, limits: [limit('burst', 5)] })
      const calls = async (): Promise<object> =>
        counter(await Promise.all(Array.from({ length: 20 }, () => codeOf(keyring.verify(secret)))))
      assert.deepEqual(await calls(), { accepted: 5, over_limit: 15 })
      clock.advance(59_999)
      assert.deepEqual(await calls(), { over_limit: 20 })
      clock.advance(1)
      assert.deepEqual(await calls(), { accepted: 5, over_limit: 15 })
    })

    test('a call that one of several windows refuses is counted in none of them, nor spent from the quota', async () => {
      const { keyring, clock } = await openOn(shape)
      const limits = [limit('second', 2, 1), limit('hour', 10, 3600)]
      const { key, secret } = await keyring.issue({ ...shop, limits, quota: { amount: 100 } })
      for (let call = 0; call < 2; call++) await keyring.verify(secret)
      for (let call = 0; call < 50; call++) assert.equal(await codeOf(keyring.verify(secret)), 'over_limit')
      clock.advance(1000)
      assert.deepEqual(leftOf(await keyring.verify(secret)), { second: 1, hour: 7, quota: 97 })
      assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 97)
    })

    test('a clock that jumps to the next month and back leaves the real month its own quota', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 3, refill: 'month' } })
      const [january, february] = [clock.now(), Date.UTC(2030, 1, 3)]
      const left = async (): Promise<number | undefined> => (await keyring.find(key.id))?.quotaLeft?.remaining
      await keyring.verify(secret)
      clock.set(february)
      for (const code of ['accepted', 'accepted', 'accepted', 'quota_exhausted'])
        assert.equal(await codeOf(keyring.verify(secret)), code)
      assert.equal(await left(), 0)
      clock.set(january)
      assert.equal(await left(), 2)
      assert.equal(await codeOf(keyring.verify(secret, { cost: 2 })), 'accepted')
      assert.equal(await codeOf(keyring.verify(secret)), 'quota_exhausted')
      // And February, when it comes, has been spent.
      clock.set(february + 1)
      assert.equal(await codeOf(keyring.verify(secret)), 'quota_exhausted')
      clock.set(Date.UTC(2030, 2, 1))
      assert.equal(await left(), 3)
    })

    test('a call that the quota refuses is counted in no window, and the answer says what is left without it', async () => {
      const { keyring } = await openOn(shape)
      const limits = [limit('burst', 10)]
      const { key, secret } = await keyring.issue({ ...shop, limits, quota: { amount: 3 } })
      await keyring.verify(secret)
      for (let call = 0; call < 30; call++) {
        const verdict = await keyring.verify(secret, { cost: 3 })
        assert.equal(await codeOf(verdict), 'quota_exhausted')
        assert.deepEqual(leftOf(verdict), { burst: 9, quota: 2 })
      }
      assert.deepEqual(leftOf(await keyring.verify(secret, { cost: 2 })), { burst: 7, quota: 0 })
      await keyring.change(key.id, { quota: null })
      assert.deepEqual(leftOf(await keyring.verify(secret)), { burst: 6 })
    })

    test('a call that is refused for any earlier reason spends nothing', async () => {
      const { keyring, clock } = await openOn(shape)
      const expiresAt = clock.now() + 10_000
      const limits = [limit('burst', 1)]
      const { key, secret } = await keyring.issue({
        ...shop,
        limits,
        quota: { amount: 1 },
        addresses: ['192.0.2.1'],
        expiresAt,
        notBefore: clock.now() + 1000,
      })
      const call = { ip: '192.0.2.1' }
      const codes = [await codeOf(keyring.verify(secret, {}, call))]
      clock.advance(1000)
      codes.push(await codeOf(keyring.verify(secret, { environment: 'test' }, call)))
      codes.push(await codeOf(keyring.verify(secret, {}, { ip: '192.0.2.2' })))
      codes.push(await codeOf(keyring.verify(secret, { allOf: ['orders:write'] }, call)))
      await keyring.disable(key.id)
      codes.push(await codeOf(keyring.verify(secret, {}, call)))
      await keyring.enable(key.id)
      codes.push(await codeOf(keyring.verify(secret, {}, call)))
      assert.deepEqual(codes, [
        'not_yet_valid',
        'wrong_environment',
        'address_not_allowed',
        'insufficient_scope',
        'disabled',
        'accepted',
      ])
    })

    test('both secrets of a key that is being rotated draw on the same limits and the same quota', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, limits: [limit('burst', 4)], quota: { amount: 6 } })
      const { secret: fresh } = await keyring.rotate(key.id)
      const all = await Promise.all(
        [secret, fresh, secret, fresh, secret, fresh].map((each) => codeOf(keyring.verify(each))),
      )
      assert.deepEqual(counter(all), { accepted: 4, over_limit: 2 })
      assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 2)
    })

    test('the limits of an owner are shared by all its keys, come on top of their own, and are named so', async () => {
      const { keyring } = await openOn(shape)
      const issued = [await keyring.issue({ ...shop, limits: [limit('burst', 3)] }), await keyring.issue(shop)] as const
      const other = await keyring.issue({ ...shop, owner: 'umbrella' })
      await keyring.changeOwner('acme', { limits: [limit('burst', 5)] })
      const [one, two] = issued
      for (let call = 0; call < 3; call++) assert.equal(await codeOf(keyring.verify(one.secret)), 'accepted')
      assert.equal(await codeOf(keyring.verify(one.secret)), 'over_limit', 'its own')
      assert.deepEqual(leftOf(await keyring.verify(two.secret)), { 'owner:burst': 1 })
      assert.deepEqual(leftOf(await keyring.verify(two.secret)), { 'owner:burst': 0 })
      assert.equal(await codeOf(keyring.verify(two.secret)), 'over_limit', 'the shared one')
      assert.equal(await codeOf(keyring.verify(other.secret)), 'accepted')
      await keyring.changeOwner('acme', { limits: null })
      assert.equal(await codeOf(keyring.verify(two.secret)), 'accepted', 'when the change has answered')
    })

    test('a call takes what it costs; what costs more than the limit is never told to wait', async () => {
      const { keyring } = await openOn(shape)
      const { secret } = await keyring.issue({ ...shop, limits: [limit('burst', 10)], quota: { amount: 20 } })
      assert.deepEqual(leftOf(await keyring.verify(secret, { cost: 7 })), { burst: 3, quota: 13 })
      const refused = await keyring.verify(secret, { cost: 4 })
      assert.ok(!refused.ok)
      assert.deepEqual([refused.refusal.code, refused.retryAfter], ['over_limit', 60])
      const never = await keyring.verify(secret, { cost: 11 })
      assert.deepEqual([await codeOf(never), !never.ok && never.retryAfter], ['over_limit', undefined])
      assert.deepEqual(leftOf(await keyring.verify(secret, { cost: 0 })), { burst: 3, quota: 13 })
      assert.equal(await codeOf(keyring.verify(secret, { cost: 3 })), 'accepted')
    })

    test('a cost that cannot be is neither a yes nor a refill', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, limits: [limit('burst', 10)], quota: { amount: 9 } })
      for (const cost of [-1, 0.5, NaN, Infinity, 1_000_001, '1' as never]) {
        const verdict = await keyring.verify(secret, { cost })
        assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable', String(cost))
        assert.match(String(verdict.cause), /cost must be a whole number/)
      }
      assert.deepEqual((await keyring.find(key.id))?.quotaLeft?.remaining, 9)
      assert.deepEqual(leftOf(await keyring.verify(secret)), { burst: 9, quota: 8 })
    })

    test('a limit that only reports counts whom it would have refused, and refuses nobody', async () => {
      const { keyring } = await openOn(shape)
      const limits = [{ ...limit('trial', 2), reportOnly: true }, limit('burst', 4)]
      const { key, secret } = await keyring.issue({ ...shop, limits })
      const exceeded: (boolean | undefined)[] = []
      for (let call = 0; call < 4; call++) {
        const verdict = await keyring.verify(secret)
        assert.ok(verdict.ok)
        exceeded.push(verdict.limits?.[0]?.exceeded)
      }
      assert.deepEqual(exceeded, [false, false, true, true])
      assert.equal(await codeOf(keyring.verify(secret)), 'over_limit')
      await keyring.flushUsage()
      const { usage } = await keyring.usage({ key: key.id })
      assert.deepEqual(
        usage.map(({ outcome, limitName, count }) => [outcome, limitName, count]),
        [
          ['accepted', '', 4],
          ['over_limit', 'burst', 1],
          ['over_limit_reported', 'trial', 2],
        ],
      )
    })

    test('of several limits that refuse, the verdict, Retry-After, usage and the refusal name the one to be waited for longest', async () => {
      const { keyring, clock } = await openOn(shape)
      // Of these the first refuses first, `wide` has the longest window, and `slow` has room last.
      const limits = [limit('brief', 5, 10), limit('wide', 6, 100), limit('slow', 5, 60)]
      const { key, secret } = await keyring.issue({ ...shop, limits })
      await keyring.verify(secret, { cost: 1 })
      clock.advance(50_000)
      await keyring.verify(secret, { cost: 4 })
      const refused = await keyring.verify(secret, { cost: 2 })
      assert.ok(!refused.ok)
      const named = { name: 'slow', limit: 5, window: 60 }
      assert.ok(refused.limits?.every(({ exceeded }) => exceeded))
      assert.deepEqual([refused.limit, refused.retryAfter], [named, 60])
      assert.equal(refusalAnswer(refused, { requestId: 'x', credential: 'header' }).headers['retry-after'], '60')
      keyring.noteRefusal?.(refused, { requestId: 'request-1' })
      const kept = await keyring.refusal('request-1')
      assert.deepEqual(kept?.code === 'over_limit' && kept.limit, named)
      await keyring.flushUsage()
      const { usage } = await keyring.usage({ key: key.id, outcome: 'over_limit' })
      assert.deepEqual(
        usage.map(({ limitName, count }) => [limitName, count]),
        [['slow', 1]],
      )
    })

    test('usage names the limit that had no room, and counts what accepted calls cost, once', async () => {
      const { keyring } = await openOn(shape)
      const limits = [
        { ...limit('trial', 3), reportOnly: true },
        { ...limit('other', 3), reportOnly: true },
        limit('burst', 9),
        limit('day', 100),
      ]
      const { key, secret } = await keyring.issue({ ...shop, limits, quota: { amount: 7 } })
      for (const cost of [3, 2, 0, 4, 6, 1]) await keyring.verify(secret, { cost })
      await keyring.changeOwner('acme', { limits: [limit('burst', 1)] })
      await keyring.verify(secret, { cost: 0 })
      await keyring.verify(secret, { cost: 1 })
      await keyring.verify(secret, { cost: 2 })
      await keyring.flushUsage()
      const told = async (options: object): Promise<unknown> => {
        const { usage } = await keyring.usage({ key: key.id, ...options })
        return usage.map(({ outcome, limitName, count, cost }) => [outcome, limitName, count, cost])
      }
      const ofTheOwner = ['over_limit', 'owner:burst', 1, 0]
      assert.deepEqual(await told({}), [
        ['accepted', '', 6, 7],
        ['over_limit', 'burst', 1, 0],
        ofTheOwner,
        ['over_limit_reported', 'other', 3, 0],
        ['over_limit_reported', 'trial', 3, 0],
        ['quota_exhausted', '', 1, 0],
      ])
      assert.deepEqual(await told({ limitName: 'owner:burst' }), [ofTheOwner])
    })

    test('a dry run says what would be, and spends, counts and marks nothing', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, limits: [limit('burst', 2)], quota: { amount: 4 } })
      const dry = { dryRun: true }
      for (let call = 0; call < 20; call++) {
        assert.deepEqual(leftOf(await keyring.verify(secret, {}, dry)), { burst: 1, quota: 3 })
      }
      const tooMuch = await keyring.verify(secret, { cost: 5 }, dry)
      assert.deepEqual([await codeOf(tooMuch), leftOf(tooMuch)], ['over_limit', { burst: 2 }])
      assert.equal(await codeOf(keyring.verify('nonsense', {}, dry)), 'malformed')
      await keyring.change(key.id, { limits: null })
      const beyond = await keyring.verify(secret, { cost: 5 }, dry)
      assert.deepEqual([await codeOf(beyond), leftOf(beyond)], ['quota_exhausted', { quota: 4 }])
      await keyring.flushUsage()
      assert.deepEqual((await keyring.usage()).usage, [])
      const found = await keyring.find(key.id)
      assert.deepEqual([found?.lastUsedAt, found?.quotaLeft?.remaining], [null, 4])
      assert.equal((await entriesOf(keyring)).length, 2)
    })

    test('a limiter that fails is neither a yes nor a no, also for a dry run; keys without limits do not notice', async () => {
      const broken = (): never => {
        throw new Error('no limiter')
      }
      for (const fail of [broken, async () => Promise.resolve().then(broken)]) {
        const limiter: Limiter = { take: fail, peek: fail, giveBack: fail, close() {} }
        const { keyring } = await openOn(shape, { limiter })
        const { key, secret } = await keyring.issue({ ...shop, limits: [limit('burst', 2)], quota: { amount: 2 } })
        for (const call of [{}, { dryRun: true }]) {
          const verdict = await keyring.verify(secret, {}, call)
          assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
          assert.match(String(verdict.cause), /no limiter/)
        }
        assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 2)
        assert.equal(await codeOf(keyring.verify((await keyring.issue(shop)).secret)), 'accepted')
      }
    })

    test('a limiter across a network is waited for, and counts as one at hand', async () => {
      const near = memoryLimiter()
      const limiter: Limiter = {
        take: async (...call) => Promise.resolve(near.take(...call)),
        peek: async (...call) => Promise.resolve(near.peek(...call)),
        giveBack: async (...call) => Promise.resolve(near.giveBack(...call)),
        close: () => near.close(),
      }
      const { keyring } = await openOn(shape, { limiter })
      const { key, secret } = await keyring.issue({ ...shop, limits: [limit('burst', 5)], quota: { amount: 3 } })
      const all = await Promise.all(Array.from({ length: 20 }, () => codeOf(keyring.verify(secret))))
      assert.equal(counter(all)['accepted'], 3)
      // Those that the quota refused, the window has not counted.
      await keyring.change(key.id, { quota: null })
      assert.deepEqual(leftOf(await keyring.verify(secret)), { burst: 1 })
    })
  })

  describe(`quota on a store that answers ${speed}`, () => {
    test('it is spent as often as it says by calls at once through two stores on one file, and not once more', async () => {
      const file = newFile()
      const one = await openOn(shape, { file })
      const other = await openOn(shape, { file })
      const { key, secret } = await one.keyring.issue({ ...shop, quota: { amount: 50 } })
      const keyrings = [one.keyring, other.keyring]
      const all = await Promise.all(
        Array.from({ length: 200 }, (_, call) => codeOf(keyrings[call % 2]?.verify(secret) ?? assert.fail())),
      )
      assert.deepEqual(counter(all), { accepted: 50, quota_exhausted: 150 })
      assert.equal((await other.keyring.find(key.id))?.quotaLeft?.remaining, 0)
      for (const keyring of keyrings) await keyring.close()
    })

    test('it is filled up at the first millisecond of the next day or month, in UTC, and says when', async () => {
      const { keyring, clock } = await openOn(shape)
      const moments = {
        day: [Date.UTC(2030, 11, 31, 23, 59, 59, 998), Date.UTC(2031, 0, 1)],
        month: [Date.UTC(2032, 1, 29, 23, 59, 59, 998), Date.UTC(2032, 2, 1)],
      } as const
      for (const [refill, [start, next]] of Object.entries(moments)) {
        clock.set(start)
        const { key, secret } = await keyring.issue({
          ...shop,
          quota: { amount: 2, refill: refill as 'day' | 'month' },
        })
        assert.equal(await codeOf(keyring.verify(secret, { cost: 2 })), 'accepted')
        clock.set(next - 1)
        const refused = await keyring.verify(secret)
        assert.deepEqual([await codeOf(refused), !refused.ok && refused.retryAfter], ['quota_exhausted', 1])
        const never = await keyring.verify(secret, { cost: 3 })
        assert.equal(!never.ok && never.retryAfter, undefined, 'more than it will ever be')
        assert.deepEqual((await keyring.find(key.id))?.quotaLeft, { remaining: 0, refillsAt: next })
        clock.set(next)
        assert.equal((await keyring.find(key.id))?.quotaLeft?.remaining, 2)
        assert.deepEqual(leftOf(await keyring.verify(secret)), { quota: 1 })
        assert.deepEqual(leftOf(await keyring.verify(secret)), { quota: 0 })
        assert.equal(await codeOf(keyring.verify(secret)), 'quota_exhausted')
      }
    })

    test('one that is never filled up stays spent, and nobody is told to wait', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 5, remaining: 1 } })
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      clock.advance(400 * 86_400_000)
      const refused = await keyring.verify(secret)
      assert.deepEqual([await codeOf(refused), !refused.ok && refused.retryAfter], ['quota_exhausted', undefined])
      await keyring.change(key.id, { quota: { amount: 5 } })
      assert.equal(await codeOf(keyring.verify(secret)), 'quota_exhausted')
      await keyring.change(key.id, { quota: { amount: 5, remaining: 5 } })
      assert.deepEqual(leftOf(await keyring.verify(secret)), { quota: 4 })
    })

    test('a quota that is sent back as it was read is no change; of another size it keeps what was spent', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 10, refill: 'month' } })
      const left = async (): Promise<number | undefined> => (await keyring.find(key.id))?.quotaLeft?.remaining
      await keyring.verify(secret, { cost: 7 })
      const read = await keyring.find(key.id)
      const same = await keyring.change(key.id, { quota: read?.quota ?? null, name: key.name })
      assert.equal(same.key.revision, key.revision)
      assert.equal(await left(), 3)
      await keyring.change(key.id, { quota: { amount: 20, refill: 'month' } })
      assert.equal(await left(), 13)
      await keyring.change(key.id, { quota: { amount: 5, refill: 'month' } })
      assert.equal(await left(), 0)
      await keyring.change(key.id, { quota: { amount: 5, refill: 'month', remaining: 4 } })
      assert.equal(await left(), 4)
      // Another period has not begun yet, so nothing of it is spent.
      await keyring.change(key.id, { quota: { amount: 5, refill: 'day' } })
      assert.equal(await left(), 5)
      const told = (await entriesOf(keyring)).map(({ change }) => change)
      assert.deepEqual(
        told.slice(1).map((one) => Object.entries(one).filter(([name]) => name.startsWith('quota'))),
        [[['quotaMore', 10]], [['quotaMore', -15]], [['quotaLeft', 4]], [['quotaLeft', 5]]],
      )
    })

    test('what is spent while a quota is changed is not given back', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 100 } })
      const calls = Array.from({ length: 40 }, async (_, index) => {
        if (index % 10 === 0) await keyring.change(key.id, { quota: { amount: 100 + index } })
        return keyring.verify(secret)
      })
      const verdicts = await Promise.all(calls)
      const accepted = verdicts.filter(({ ok }) => ok).length
      assert.ok(accepted > 30, String(accepted))
      const { quota, quotaLeft } = (await keyring.find(key.id)) ?? {}
      assert.equal(quotaLeft?.remaining, (quota?.amount ?? 0) - accepted)
    })

    test('a store that cannot spend is neither a yes nor a no, and the limits get back what they counted', async () => {
      let failing = false
      const breakable = (store: Store): Store => {
        const shaped = shape(store)
        return {
          ...shaped,
          spend(...spending) {
            if (!failing) return shaped.spend(...spending)
            if (speed === 'late') return Promise.reject(new Error('the disk is full'))
            throw new Error('the disk is full')
          },
        }
      }
      const { keyring } = await openOn(breakable)
      const { secret } = await keyring.issue({ ...shop, limits: [limit('burst', 3)], quota: { amount: 10 } })
      failing = true
      for (let call = 0; call < 10; call++) {
        const verdict = await keyring.verify(secret)
        assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
        assert.match(String(verdict.cause), /the disk is full/)
      }
      failing = false
      assert.deepEqual(leftOf(await keyring.verify(secret)), { burst: 2, quota: 9 })
    })

    /** A method of a port that fails while `fails` says so, as late as the store does. */
    function breaking<Method extends (...given: never[]) => unknown>(
      method: Method,
      fails: () => boolean,
      reason: string,
    ): Method {
      const broken = (...given: never[]): unknown => {
        if (!fails()) return method(...given)
        if (speed === 'late') return Promise.reject(new Error(reason))
        throw new Error(reason)
      }
      return broken as Method
    }

    test('whatever fails after the limits have counted a call, they get back what they counted', async () => {
      let failing = false
      const breakable = (store: Store): Store => {
        const shaped = shape(store)
        return { ...shaped, byId: breaking(shaped.byId, () => failing, 'the disk is gone') }
      }
      const { keyring } = await openOn(breakable)
      const { key, secret } = await keyring.issue({ ...shop, limits: [limit('burst', 3)], quota: { amount: 1 } })
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      failing = true
      for (let call = 0; call < 10; call++) {
        const verdict = await keyring.verify(secret)
        assert.ok(!verdict.ok && verdict.refusal.code === 'unavailable')
        assert.match(String(verdict.cause), /the disk is gone/)
      }
      failing = false
      await keyring.change(key.id, { quota: { amount: 10 } })
      assert.equal(leftOf(await keyring.verify(secret))['burst'], 1)
    })

    test('where the limits cannot give back either, the first reason stays the reason', async () => {
      let [noBack, noSpend] = [false, false]
      const limiter = memoryLimiter()
      const giveBack = breaking(limiter.giveBack, () => noBack, 'the counters are gone')
      const breakable = (store: Store): Store => {
        const shaped = shape(store)
        return { ...shaped, spend: breaking(shaped.spend, () => noSpend, 'the disk is full') }
      }
      const { keyring } = await openOn(breakable, { limiter: { ...limiter, giveBack } })
      const { secret } = await keyring.issue({ ...shop, limits: [limit('burst', 9)], quota: { amount: 1 } })
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      noBack = true
      const refused = await keyring.verify(secret)
      assert.ok(!refused.ok && refused.refusal.code === 'quota_exhausted')
      assert.match(String(refused.cause), /the counters are gone/, 'and the operator is told')
      assert.deepEqual(leftOf(refused), { burst: 7, quota: 0 }, 'as it stands')
      noSpend = true
      const failed = await keyring.verify(secret)
      assert.ok(!failed.ok && failed.refusal.code === 'unavailable')
      assert.match(String(failed.cause), /the disk is full/)
    })

    test('a call that costs exactly what a limit or a quota admits is told to wait, one more is not', async () => {
      const { keyring } = await openOn(shape)
      const { secret } = await keyring.issue({ ...shop, limits: [limit('burst', 5)] })
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      const full = await keyring.verify(secret, { cost: 5 })
      const beyond = await keyring.verify(secret, { cost: 6 })
      assert.ok(!full.ok && !beyond.ok)
      assert.deepEqual([full.retryAfter !== undefined, beyond.retryAfter], [true, undefined])
      const spent = await keyring.issue({ ...shop, quota: { amount: 5, refill: 'day' } })
      assert.equal(await codeOf(keyring.verify(spent.secret)), 'accepted')
      const whole = await keyring.verify(spent.secret, { cost: 5 })
      const more = await keyring.verify(spent.secret, { cost: 6 })
      assert.ok(!whole.ok && !more.ok)
      assert.deepEqual([whole.refusal.code, more.refusal.code], ['quota_exhausted', 'quota_exhausted'])
      assert.deepEqual([whole.retryAfter, more.retryAfter], [43_200, undefined])
    })
  })
}

test('a key without limits and quota is answered at once, and nobody is told of any', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  const { secret } = await keyring.issue(shop)
  const verdict = keyring.verify(secret)
  assert.ok(!(verdict instanceof Promise) && verdict.ok && verdict.limits === undefined)
})

test('a key with limits and a quota is answered at once where the store and the limiter do', async () => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  const { secret } = await keyring.issue({ ...shop, limits: [limit('burst', 1)], quota: { amount: 2 } })
  for (const expected of ['accepted', 'over_limit']) {
    const verdict = keyring.verify(secret)
    assert.ok(!(verdict instanceof Promise))
    assert.equal(await codeOf(verdict), expected)
  }
})

test('a quota that was changed a moment ago is spent as it is now, by an instance that has not heard of it', async () => {
  const file = newFile()
  const clock = testClock(Date.UTC(2030, 4, 17))
  // Its lease never ends: it goes on by what it has cached.
  const stale = { ...clock, monotonic: () => 0 }
  const [ours, theirs] = [
    await openKeyring({ store: storeIn(file), scopes, clock: stale }),
    await openKeyring({ store: storeIn(file), scopes, clock }),
  ]
  const { key, secret } = await ours.issue({ ...shop, quota: { amount: 1_000_000, refill: 'month' } })
  assert.equal(await codeOf(ours.verify(secret)), 'accepted')
  await theirs.change(key.id, { quota: { amount: 2 } })
  const codes = [
    await codeOf(ours.verify(secret)),
    await codeOf(ours.verify(secret)),
    await codeOf(ours.verify(secret)),
  ]
  assert.deepEqual(codes, ['accepted', 'accepted', 'quota_exhausted'])
  assert.deepEqual((await theirs.find(key.id))?.quotaLeft, { remaining: 0, refillsAt: null })
  await theirs.change(key.id, { quota: null })
  assert.equal(await codeOf(ours.verify(secret)), 'accepted')
  await ours.close()
  await theirs.close()
})
