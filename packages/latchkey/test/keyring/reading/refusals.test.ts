import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Keyring, OpenKeyring } from '../../../src/keyring/keyring.ts'
import { openKeyring } from '../../../src/keyring/open.ts'
import type { RefusalOrder } from '../../../src/keyring/reading/refusals.ts'
import type { RefusalRecord } from '../../../src/verify/refusal-record.ts'
import type { RefusedCall } from '../../../src/verify/verdict.ts'
import { newFile, openOn, scopes, shop, speeds, stillClock, storeIn } from '../workbench.ts'

type Any = OpenKeyring<keyof typeof scopes>

/** Refuses a call with a secret, for a scope that its key has not, and notes that. */
async function refuse(keyring: Any, secret: string, call: Partial<RefusedCall> = {}): Promise<void> {
  const requirement = { allOf: ['orders:write'] } as const
  const verdict = await keyring.verify(secret, requirement)
  assert.ok(!verdict.ok)
  keyring.noteRefusal?.(verdict, { requestId: 'request-1', route: 'POST /orders', requirement, ...call })
}

const idsOf = (refusals: readonly RefusalRecord[]): readonly string[] => refusals.map(({ requestId }) => requestId)

for (const [speed, shape] of speeds) {
  describe(`refusals on a store that answers ${speed}`, () => {
    test('a refusal is found after a restart and from another process, with all that was known of it', async () => {
      const file = newFile()
      const clock = stillClock(Date.UTC(2030, 0, 15, 12))
      const open = (instance: string): Promise<Any> =>
        openKeyring({ store: shape(storeIn(file)), scopes, clock, instance })
      const [first, other] = [await open('first'), await open('other')]
      const { key, secret } = await first.issue(shop)
      await refuse(first, secret, { address: '192.0.2.7' })
      const before = await first.refusal('request-1')
      await first.close()
      const found = await other.refusal('request-1')
      assert.deepEqual(found, {
        requestId: 'request-1',
        at: clock.now(),
        count: 1,
        instance: 'first',
        address: '192.0.2.7',
        route: 'POST /orders',
        requirement: { scopes: ['orders:write'], anyOf: [], environments: ['live'], cost: 1 },
        code: 'insufficient_scope',
        step: 'scopes',
        why: found?.why,
        keyId: key.id,
        owner: 'acme',
        environment: 'live',
        missing: ['orders:write'],
      })
      assert.deepEqual(found, before, 'and it was the same before it was written')
      assert.deepEqual(await other.refusals(), { refusals: [found], cursor: null })
      await other.close()
    })

    test('equal refusals of one second are one, with their number, and found by the ids of the first ten', async () => {
      const { keyring, clock } = await openOn(shape)
      const { secret } = await keyring.issue(shop)
      for (let call = 0; call < 12; call++) await refuse(keyring, secret, { requestId: `request-${call}` })
      await refuse(keyring, secret, { requestId: 'elsewhere', route: 'POST /reports' })
      clock.advance(1000)
      await refuse(keyring, secret, { requestId: 'later' })
      await keyring.flushUsage()
      const { refusals } = await keyring.refusals({ order: 'oldest' })
      const counted = refusals.map(({ requestId, count }) => [requestId, count])
      assert.deepEqual(counted, [
        ['request-0', 12],
        ['elsewhere', 1],
        ['later', 1],
      ])
      assert.equal((await keyring.refusal('request-9'))?.requestId, 'request-9')
    })

    test('a limit that refuses is named, and so is the quota', async () => {
      const { keyring } = await openOn(shape)
      const limits = [
        { name: 'wide', limit: 100, window: 60 },
        { name: 'burst', limit: 1, window: 60 },
      ]
      const limited = await keyring.issue({ ...shop, limits })
      const spent = await keyring.issue({ ...shop, quota: { amount: 1 } })
      for (const { secret } of [limited, spent]) {
        await keyring.verify(secret)
        const verdict = await keyring.verify(secret)
        assert.ok(!verdict.ok)
        keyring.noteRefusal?.(verdict, { requestId: verdict.refusal.code })
      }
      await keyring.flushUsage()
      const { refusals } = await keyring.refusals({ order: 'oldest' })
      const named = refusals.map((one) => ('limit' in one ? one.limit : undefined))
      assert.deepEqual(named, [
        { name: 'burst', limit: 1, window: 60 },
        { name: 'quota', limit: 1, window: null },
      ])
    })

    test('an admin key sees the refusals of the keys that it sees, and strangers only if it sees all', async () => {
      const { keyring } = await openOn(shape)
      const mine = await keyring.issue(shop)
      const theirs = await keyring.issue({ ...shop, owner: 'globex' })
      const testing = await keyring.issue({ ...shop, environment: 'test' })
      for (const { secret, key } of [mine, theirs, testing]) await refuse(keyring, secret, { requestId: key.id })
      const nobody = await keyring.verify('nonsense')
      assert.ok(!nobody.ok)
      keyring.noteRefusal?.(nobody, { requestId: 'nobody' })
      const ids = [mine.key.id, theirs.key.id, testing.key.id, 'nobody']
      const all = ['live', 'test', 'admin']
      const views = [
        [{ owner: null, environments: all }, ids],
        [{ owner: 'acme', environments: all }, [ids[0], ids[2]]],
        [{ owner: null, environments: ['live'] }, ids.slice(0, 2)],
        [{ owner: 'globex', environments: ['test'] }, []],
        [{ owner: null, environments: [] }, []],
      ] as const
      const admin = { name: 'Support', owner: 'ops', environment: 'admin', scopes: ['refusals:read'] } as const
      const asked: (readonly [Keyring<keyof typeof scopes>, readonly string[]])[] = []
      for (const [delegation, expected] of views) {
        const { key } = await keyring.issue({ ...admin, delegation: { ...delegation, scopes: [] } })
        asked.push([keyring.as(key.id), expected.map(String)])
      }
      const check = async (): Promise<void> => {
        for (const [view, expected] of asked) {
          const found = await Promise.all(ids.map(async (id) => (await view.refusal(id))?.requestId))
          const seen = found.filter((id) => id !== undefined)
          assert.deepEqual(seen, expected)
        }
      }
      await check()
      await keyring.flushUsage()
      await check()
      for (const [view, expected] of asked) {
        assert.deepEqual(idsOf((await view.refusals({ order: 'oldest' })).refusals), expected)
        const { refusals, cursor } = await view.refusals({ owner: 'globex' })
        assert.deepEqual([idsOf(refusals), cursor], [expected.filter((id) => id === ids[1]), null])
      }
    })
  })
}

test('a walk through the pages tells every refusal once, in either order, while others are written', async () => {
  const { keyring, clock } = await openOn((store) => store)
  const { secret } = await keyring.issue(shop)
  let number = 0
  const write = async (count: number): Promise<void> => {
    for (let call = 0; call < count; call++) {
      await refuse(keyring, secret, { requestId: `request-${number++}`, route: `GET /${call % 3}` })
      if (call % 2 === 0) clock.advance(700)
    }
    await keyring.flushUsage()
  }
  await write(30)
  const orders = fc.constantFrom<RefusalOrder>('newest', 'oldest')
  await fc.assert(
    fc.asyncProperty(orders, fc.integer({ min: 1, max: 9 }), async (order, limit) => {
      const { refusals: before } = await keyring.refusals({ order, limit: 1000 })
      const walked: string[] = []
      let cursor: string | null = null
      let more = 20
      do {
        const page = await keyring.refusals({ order, limit, ...(cursor === null ? {} : { cursor }) })
        walked.push(...idsOf(page.refusals))
        ;({ cursor } = page)
        // In the order of time the walk would not end.
        if (more-- > 0) await write(1)
      } while (cursor !== null)
      assert.equal(new Set(walked).size, walked.length, 'none twice')
      const there = new Set(walked)
      for (const id of idsOf(before)) assert.ok(there.has(id), `${id} is left out`)
    }),
    { numRuns: 10 },
  )
})

test('a filter that is not understood is refused, and never left out', async () => {
  const { keyring } = await openOn((store) => store)
  const first = { order: 'newest', limit: 1 } as const
  const wrong: readonly object[] = [
    { keyId: 'x' },
    { code: 'no such code' },
    { order: 'last' },
    { limit: 0 },
    { limit: 1001 },
    { from: 1.5 },
    { to: '2030' },
    { route: '' },
    { owner: 'a\nb' },
    { ...first, cursor: 'nonsense' },
  ]
  for (const options of wrong) {
    await assert.rejects(keyring.refusals(options), { code: 'invalid_input' }, JSON.stringify(options))
  }
})

test('what a caller puts into a call is kept in bounds, and without a secret', async () => {
  const { keyring } = await openOn((store) => store)
  const { secret, key } = await keyring.issue(shop)
  const long = 'x'.repeat(5000)
  const calls = [
    { requestId: secret, address: secret },
    { requestId: `${long} ${secret}` },
    { requestId: long, address: long, route: long },
    { requestId: 'a\u0000b\ud800', address: 'c\u001b[2J' },
  ]
  for (const call of calls) await refuse(keyring, secret, call)
  await keyring.flushUsage()
  const { refusals } = await keyring.refusals({ order: 'oldest', key: key.id })
  assert.equal(refusals.length, 4)
  const text = JSON.stringify(refusals)
  assert.ok(!text.includes(secret) && !text.includes(secret.slice(8, 30)))
  assert.ok(text.length < 4000)
  assert.equal(idsOf(refusals)[3], 'a\ufffdb\ufffd')
})
