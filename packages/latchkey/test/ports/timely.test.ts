import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { openKeyring } from '../../src/keyring/open.ts'
import { memoryLimiter } from '../../src/limiter/memory.ts'
import type { Limiter, Store } from '../../src/ports.ts'
import { settingsKey } from '../../src/source/settings.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import type { Refused } from '../../src/verify/verdict.ts'
import { codeOf, scopes, shop, stillClock, counter, withStillClock } from '../keyring/workbench.ts'

const ForeignPromise = runInNewContext('Promise') as PromiseConstructor

/** What drivers answer with that is no promise of this realm, but may be waited for. */
/* oxlint-disable unicorn/no-thenable -- such objects are what this is about */
const kinds: Readonly<Record<string, (value: Promise<unknown>) => unknown>> = {
  'a thenable': (value) => ({ then: value.then.bind(value) }),
  'a promise of another realm': (value) => new ForeignPromise((resolve, reject) => void value.then(resolve, reject)),
  'a function with then': (value) => Object.assign(() => undefined, { then: value.then.bind(value) }),
}
/* oxlint-enable unicorn/no-thenable */

/** The same port, whose every method answers with another kind of promise. */
function answering<Port extends object>(port: Port, kind: (value: Promise<unknown>) => unknown): Port {
  return new Proxy(port, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name === 'follow') return (wake: () => void) => answering((member as Store['follow'])(wake), kind)
      return (...values: readonly unknown[]) =>
        kind((async () => (member as (...given: readonly unknown[]) => unknown)(...values))())
    },
  })
}

for (const [name, kind] of Object.entries(kinds)) {
  test(`a store and a limiter that answer with ${name} are waited for: limits and quotas are kept, revoked is revoked`, async () => {
    const clock = stillClock(Date.UTC(2030, 0, 1))
    const store = answering(withStillClock(sqliteStore({ file: ':memory:' }), clock), kind)
    const limiter = answering<Limiter>(memoryLimiter({ clock }), kind)
    const keyring = await openKeyring({ store, limiter, scopes, clock })
    const quota = await keyring.issue({ ...shop, quota: { amount: 2 } })
    const limits = await keyring.issue({ ...shop, limits: [{ name: 'burst', limit: 3, window: 60 }] })
    const calls = (secret: string): readonly Promise<string>[] =>
      Array.from({ length: 20 }, async () => codeOf(keyring.verify(secret)))
    assert.deepEqual(counter(await Promise.all(calls(quota.secret))), { accepted: 2, quota_exhausted: 18 })
    assert.deepEqual(counter(await Promise.all(calls(limits.secret))), { accepted: 3, over_limit: 17 })
    await keyring.revoke(limits.key.id, { reason: 'unused' })
    assert.equal(await codeOf(keyring.verify(limits.secret)), 'revoked')
    assert.equal(await codeOf(keyring.verify(quota.secret, { allOf: ['orders:write'] })), 'insufficient_scope')
    assert.equal((await keyring.list()).keys.length, 2)
    await keyring.close()
  })
}

test('a source that does not answer at once is a fault of the source, and accepts nobody', async () => {
  const secret = 'gT5mWq8vZr2xKd7p'
  const source = settingsKey({ name: 'KEY', secret, scopes: [] })
  for (const kind of Object.values(kinds)) {
    const late = { ...source, bySecret: (hash: string) => kind(Promise.resolve(source.bySecret(hash))) as never }
    const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes, sources: [late] })
    const verdict = await keyring.verify(secret)
    assert.equal(await codeOf(verdict), 'unavailable')
    assert.match(String((verdict as Refused).cause), /at once/)
  }
})

describe('a store that does not answer', () => {
  type Hanging = Store & { hanging: boolean; readonly hung: number; readonly release: () => void }

  /** A store across a network that is gone while it is told so; what was asked meanwhile is answered when it is released. */
  function hangingStore(inner: Store): Hanging {
    const waiting: (() => void)[] = []
    let hung = 0
    const state = { hanging: false }
    const hangs = (target: object, name: PropertyKey): unknown => {
      const member: unknown = Reflect.get(target, name)
      if (typeof member !== 'function') return member
      if (name === 'follow') {
        return (wake: () => void) => new Proxy((member as Store['follow'])(wake), { get: hangs })
      }
      return async (...values: readonly unknown[]) => {
        if (state.hanging) {
          hung++
          await new Promise<void>((resolve) => waiting.push(resolve))
        }
        return (member as (...given: readonly unknown[]) => unknown)(...values)
      }
    }
    const port = new Proxy(inner, { get: hangs })
    return Object.defineProperties({ ...inner } as Hanging, {
      ...Object.fromEntries(
        Object.keys(inner).map((name) => [name, { get: () => Reflect.get(port, name) as unknown }]),
      ),
      hanging: {
        get: () => state.hanging,
        set(value: boolean) {
          state.hanging = value
        },
      },
      hung: { get: () => hung },
      release: {
        value() {
          state.hanging = false
          for (const go of waiting.splice(0)) go()
        },
      },
    })
  }

  async function open(): Promise<{
    readonly keyring: Awaited<ReturnType<typeof openKeyring<keyof typeof scopes>>>
    readonly store: Hanging
    readonly pass: () => void
  }> {
    const store = hangingStore(sqliteStore({ file: ':memory:' }))
    let monotonic = 0
    const clock = { now: () => Date.UTC(2030, 0, 1), monotonic: () => monotonic }
    const keyring = await openKeyring({ store, scopes, clock, storeTimeout: 50 })
    return { keyring, store, pass: () => void (monotonic += 10_000) }
  }

  test('gives no verdict for ever: the refusal is unavailable, and says how long it was waited', async () => {
    const { keyring, store, pass } = await open()
    const { secret } = await keyring.issue(shop)
    pass()
    store.hanging = true
    const verdict = await keyring.verify(secret)
    assert.equal(await codeOf(verdict), 'unavailable')
    assert.match(String((verdict as Refused).cause), /store has not answered for 0\.05 s/)
    store.release()
  })

  test('does not keep a credential waiting that cannot be one of ours', async () => {
    const { keyring, store } = await open()
    store.hanging = true
    for (const credential of ['nonsense', 'lk_live_', `lk_live_${'a'.repeat(38)}`, '', undefined]) {
      const verdict = keyring.verify(credential)
      assert.ok(!('then' in verdict), 'at once')
      assert.match(await codeOf(verdict), /^(?:malformed|mistyped|missing)$/)
    }
    assert.equal(store.hung, 0)
    store.release()
  })

  test('is asked anew when it is back, though what it was asked before is never answered', async () => {
    const { keyring, store, pass } = await open()
    const { key, secret } = await keyring.issue(shop)
    pass()
    store.hanging = true
    const lost = await Promise.all(Array.from({ length: 5 }, async () => codeOf(keyring.verify(secret))))
    assert.deepEqual(lost, Array(5).fill('unavailable'))
    assert.equal(store.hung, 1, 'one look for all of them')
    // The network is back, and the old questions are lost for good.
    store.hanging = false
    assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
    await keyring.revoke(key.id, { reason: 'unused' })
    assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
  })

  test('and answers after all, too late, takes nothing back of what was learnt meanwhile', async () => {
    const { keyring, store, pass } = await open()
    const { key, secret } = await keyring.issue(shop)
    pass()
    store.hanging = true
    assert.equal(await codeOf(keyring.verify(secret)), 'unavailable')
    store.hanging = false
    await keyring.revoke(key.id, { reason: 'unused' })
    assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
    store.release()
    await sleep(0)
    assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
  })

  test('fails a change and a list as unavailable, and says that the change may be done', async () => {
    const { keyring, store } = await open()
    store.hanging = true
    await assert.rejects(keyring.list(), { code: 'unavailable', message: /has not answered for 0\.5 s/ })
    await assert.rejects(keyring.issue(shop), { code: 'unavailable', message: /may be done all the same/ })
    store.release()
  })
})

test('a limiter that does not answer is unavailable, and what cannot be a timeout is refused', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const limiter: Limiter = { ...memoryLimiter(), take: () => new Promise(() => {}) }
  const keyring = await openKeyring({ store, limiter, scopes, storeTimeout: 20 })
  const { secret } = await keyring.issue({ ...shop, limits: [{ name: 'burst', limit: 1, window: 60 }] })
  const verdict = await keyring.verify(secret)
  assert.match(String((verdict as Refused).cause), /limiter has not answered/)
  for (const storeTimeout of [0, -1, 0.5, NaN, '20' as never]) {
    await assert.rejects(openKeyring({ store, scopes, storeTimeout }), {
      code: 'invalid_input',
      message: /storeTimeout/,
    })
  }
})

test(
  'what a limiter counts for a call that was given up is given back when it answers, and only that',
  { timeout: 10_000 },
  async () => {
    const clock = stillClock(Date.UTC(2030, 0, 1))
    const counting = memoryLimiter({ clock })
    const taken = Promise.withResolvers<void>()
    const back = Promise.withResolvers<void>()
    let late = true
    let asked = 0
    const limiter: Limiter = {
      ...counting,
      take(windows, cost) {
        if (!late) return counting.take(windows, cost)
        const then = async (...waiting: Parameters<Promise<unknown>['then']>): Promise<unknown> =>
          taken.promise.then(() => (asked++, counting.take(windows, cost))).then(...waiting)
        // Works anew for everybody who waits for it, as query builders do.
        // oxlint-disable-next-line unicorn/no-thenable -- such objects are what this is about
        return { then } as never
      },
      async giveBack(windows, cost, answer) {
        counting.giveBack(windows, cost, answer)
        back.resolve()
        throw new Error('the limiter is gone')
      },
    }
    const store = withStillClock(sqliteStore({ file: ':memory:' }), clock)
    const keyring = await openKeyring({ store, limiter, scopes, clock, storeTimeout: 20 })
    const { secret } = await keyring.issue({ ...shop, limits: [{ name: 'burst', limit: 2, window: 60 }] })
    assert.equal(await codeOf(keyring.verify(secret)), 'unavailable')
    taken.resolve()
    await back.promise
    assert.equal(asked, 1)
    late = false
    const calls = Array.from({ length: 3 }, async () => codeOf(keyring.verify(secret)))
    assert.deepEqual(await Promise.all(calls), ['accepted', 'accepted', 'over_limit'])
    await keyring.close()
  },
)
