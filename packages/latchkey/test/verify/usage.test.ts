import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Store, UsageBatch } from '../../src/ports.ts'
import { settingsKey } from '../../src/source/settings.ts'
import { recordUsage } from '../conformance/record.ts'
import { codeOf, newFile, openOn, shop, speeds } from '../keyring/workbench.ts'

/** Between a keyring and its store: keeps what is written, and fails while it is told to. */
interface Written {
  readonly batches: UsageBatch[]
  failing: boolean
}

function watching(shape: (store: Store) => Store): {
  readonly watched: (store: Store) => Store
  readonly written: Written
} {
  const written: Written = { batches: [], failing: false }
  return {
    written,
    watched(store) {
      const shaped = shape(store)
      return {
        ...shaped,
        async recordUsage(batch) {
          if (written.failing) throw new Error('the disk is full')
          written.batches.push(batch)
          await recordUsage(shaped, batch)
          return { counts: [], lastUsed: new Map() }
        },
      }
    },
  }
}

/** Lets all that is on its way arrive, however many turns a late store takes for it. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn()
}

/** Handlers of errors that are themselves wrong, each in its own way. */
const failingHandlers: readonly (readonly [how: string, onError: (error: unknown) => void])[] = [
  [
    'throws',
    () => {
      throw new Error('nobody to tell')
    },
  ],
  ['answers a promise that is rejected', async () => Promise.reject(new Error('nobody to tell'))],
]

const hour = 3_600_000
const noon = Date.UTC(2030, 0, 15, 12)

const nobody = { hour: noon, key: '', owner: '', environment: '', limitName: '', cost: 0 }

for (const [speed, shape] of speeds) {
  describe(`usage on a store that answers ${speed}`, () => {
    test('a check never waits for a write: a thousand of them are one batch, written when it is time', async () => {
      const { watched, written } = watching(shape)
      const { keyring } = await openOn(watched)
      const { key, secret } = await keyring.issue(shop)
      for (let call = 0; call < 1000; call++) await keyring.verify(secret)
      for (let call = 0; call < 1000; call++) await keyring.verify('nonsense')
      assert.equal(written.batches.length, 0)
      await keyring.flushUsage()
      assert.equal(written.batches.length, 1)
      assert.deepEqual((await keyring.usage()).usage, [
        { ...nobody, outcome: 'malformed', count: 1000 },
        { ...nobody, key: key.id, owner: 'acme', environment: 'live', outcome: 'accepted', count: 1000, cost: 1000 },
      ])
      await keyring.flushUsage()
      assert.equal(written.batches.length, 1, 'nothing to write is not written')
    })

    test('a writing ends though calls go on being counted, and the next one writes those', async () => {
      const { watched, written } = watching(shape)
      const { keyring } = await openOn(watched)
      const limits = [{ name: 'burst', limit: 1, window: 60, reportOnly: true }]
      const { secret } = await keyring.issue({ ...shop, limits })
      await keyring.verify(secret)
      let calls = 0
      const ended = new AbortController()
      const traffic = (async () => {
        while (!ended.signal.aborted && calls < 2000) {
          await keyring.verify(secret)
          calls++
          await nextTurn()
        }
      })()
      await keyring.flushUsage()
      const during = written.batches.length
      ended.abort()
      await traffic
      assert.ok(calls < 2000 && during <= 2, `${calls} calls, ${during} batches`)
      await keyring.flushUsage()
      const reported = (await keyring.usage()).usage.find(({ outcome }) => outcome === 'over_limit_reported')
      assert.equal(reported?.count, calls)
    })

    test('usage is written by itself when the interval is over, and not before', async (context) => {
      context.mock.timers.enable({ apis: ['setTimeout'] })
      const { watched, written } = watching(shape)
      const { keyring } = await openOn(watched, { usageInterval: 10_000 })
      await keyring.verify('nonsense')
      context.mock.timers.tick(9_999)
      await turns()
      assert.equal(written.batches.length, 0)
      context.mock.timers.tick(1)
      await turns()
      assert.equal(written.batches.length, 1)
    })

    test('what cannot be written is told, and tried again when the interval is over', async (context) => {
      context.mock.timers.enable({ apis: ['setTimeout'] })
      const { watched, written } = watching(shape)
      const errors: unknown[] = []
      const { keyring } = await openOn(watched, { usageInterval: 10_000, onError: (error) => errors.push(error) })
      written.failing = true
      await keyring.verify('nonsense')
      for (let round = 1; round <= 3; round++) {
        context.mock.timers.tick(10_000)
        await turns()
        assert.equal(errors.length, round)
      }
      written.failing = false
      context.mock.timers.tick(10_000)
      await turns()
      assert.deepEqual(
        written.batches[0]?.counts.map(({ count }) => count),
        [1],
      )
    })

    for (const [how, onError] of failingHandlers) {
      test(`a handler of errors that ${how} loses no counts, refuses nobody and is warned of`, async (context) => {
        context.mock.timers.enable({ apis: ['setTimeout'] })
        const warned = context.mock.method(process, 'emitWarning', () => {})
        const { watched, written } = watching(shape)
        const withoutNote = (store: Store): Store => ({ ...watched(store), noteFirstUse: () => false })
        const { keyring, clock } = await openOn(withoutNote, { usageInterval: 10_000, onError })
        const { key } = await keyring.issue(shop)
        clock.advance(1)
        const { secret } = await keyring.rotate(key.id)
        written.failing = true
        assert.equal(await codeOf(keyring.verify(secret)), 'accepted', 'its first use could not be written')
        context.mock.timers.tick(10_000)
        await turns()
        written.failing = false
        context.mock.timers.tick(10_000)
        await turns()
        assert.deepEqual(
          (await keyring.usage()).usage.map(({ outcome, count }) => [outcome, count]),
          [['accepted', 1]],
        )
        const once = [
          'Usage or a declaration could not be written: the disk is full',
          'onError itself failed: nobody to tell',
        ]
        assert.deepEqual(
          warned.mock.calls.map(({ arguments: [warning] }) => warning),
          [...once, ...once],
        )
      })
    }

    test('each outcome is counted for its key and owner, and when the secret was used last is moved', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      await keyring.verify(secret)
      clock.advance(1000)
      await keyring.verify(secret)
      clock.advance(1000)
      await keyring.verify(secret, { environment: 'test' })
      await keyring.verify(secret, { allOf: ['orders:write'] })
      await keyring.verify(undefined)
      await keyring.disable(key.id)
      await keyring.verify(secret)
      await keyring.flushUsage()
      const { usage: told } = await keyring.usage({ key: key.id })
      assert.deepEqual(
        told.map(({ owner, outcome, count }) => [owner, outcome, count]),
        [
          ['acme', 'accepted', 2],
          ['acme', 'disabled', 1],
          ['acme', 'insufficient_scope', 1],
          ['acme', 'wrong_environment', 1],
        ],
      )
      assert.deepEqual((await keyring.usage({ owner: 'acme', outcome: 'disabled' })).usage, [told[1]])
      assert.equal((await keyring.usage({ outcome: 'missing' })).usage[0]?.key, '')
      assert.equal((await keyring.find(key.id))?.lastUsedAt, noon + 1000)
      assert.equal((await keyring.list()).keys[0]?.lastUsedAt, noon + 1000)
    })

    test('what cannot be written is kept and written next time, and nothing is counted twice', async () => {
      const { watched, written } = watching(shape)
      const { keyring, clock } = await openOn(watched)
      const { key, secret } = await keyring.issue(shop)
      await keyring.verify(secret)
      written.failing = true
      await assert.rejects(keyring.flushUsage(), /the disk is full/)
      await assert.rejects(keyring.flushUsage(), /the disk is full/)
      clock.advance(1000)
      await keyring.verify(secret)
      written.failing = false
      await Promise.all([keyring.flushUsage(), keyring.flushUsage(), keyring.flushUsage()])
      assert.deepEqual(
        (await keyring.usage()).usage.map(({ count }) => count),
        [2],
      )
      assert.equal((await keyring.find(key.id))?.lastUsedAt, noon + 1000)
    })

    test('what is counted while a batch is being written is in the next one', async () => {
      let meanwhile: (() => Promise<unknown>) | undefined
      const { keyring } = await openOn((store) => {
        const shaped = shape(store)
        return {
          ...shaped,
          async recordUsage(batch) {
            const now = meanwhile
            meanwhile = undefined
            await now?.()
            return shaped.recordUsage(batch)
          },
        }
      })
      const { secret } = await keyring.issue(shop)
      await keyring.verify(secret)
      meanwhile = async () => {
        await keyring.verify(secret)
        await keyring.verify('nonsense')
      }
      await keyring.flushUsage()
      await keyring.flushUsage()
      const counts = (await keyring.usage()).usage.map(({ outcome, count }) => [outcome, count])
      assert.deepEqual(counts, [
        ['malformed', 1],
        ['accepted', 2],
      ])
    })

    test('an hour ends at its last millisecond, for accepted and for refused calls, however long nobody called', async () => {
      const { keyring, clock } = await openOn(shape)
      const { secret } = await keyring.issue(shop)
      clock.set(noon + hour - 1)
      await keyring.verify(secret)
      await keyring.verify(undefined)
      clock.set(noon + hour)
      await keyring.verify(undefined)
      await keyring.verify(secret)
      clock.set(noon + 7 * hour)
      await keyring.verify(undefined)
      await keyring.flushUsage()
      const range = { from: noon, to: noon + 24 * hour }
      const rows = (await keyring.usage(range)).usage.map((row) => [(row.hour - noon) / hour, row.outcome, row.count])
      assert.deepEqual(rows, [
        [0, 'missing', 1],
        [0, 'accepted', 1],
        [1, 'missing', 1],
        [1, 'accepted', 1],
        [7, 'missing', 1],
      ])
      const { usage: later } = await keyring.usage({ from: noon + 1, to: noon + 7 * hour })
      assert.deepEqual(new Set(later.map((row) => row.hour)), new Set([noon + hour]), 'from and to, half open')
      assert.equal((await keyring.usage({ ...range, limit: 2 })).usage.length, 2)
    })

    test('closing writes what is left; afterwards nothing is tried any more', async (context) => {
      context.mock.timers.enable({ apis: ['setTimeout'] })
      const file = newFile()
      const errors: unknown[] = []
      const first = await openOn(shape, { file, usageInterval: 10_000, onError: (error) => errors.push(error) })
      const { key, secret } = await first.keyring.issue(shop)
      await first.keyring.verify(secret)
      await first.keyring.close()
      const next = await openOn(shape, { file, usageInterval: 10_000, onError: (error) => errors.push(error) })
      assert.deepEqual(
        (await next.keyring.usage({ key: key.id })).usage.map(({ count }) => count),
        [1],
      )
      await next.keyring.close()
      for (const { keyring } of [first, next]) assert.equal(await codeOf(keyring.verify(undefined)), 'missing')
      context.mock.timers.tick(60_000)
      await turns()
      assert.deepEqual(errors, [])
    })

    test('a keyring whose last batch cannot be written says so when it is closed, and closes', async (context) => {
      context.mock.timers.enable({ apis: ['setTimeout'] })
      const { watched, written } = watching(shape)
      const errors: unknown[] = []
      const { keyring } = await openOn(watched, { usageInterval: 10_000, onError: (error) => errors.push(error) })
      const { secret } = await keyring.issue({ ...shop, limits: [{ name: 'burst', limit: 9, window: 1 }] })
      written.failing = true
      await keyring.verify(secret)
      await assert.rejects(keyring.close(), /the disk is full/)
      assert.equal(await codeOf(keyring.verify(secret)), 'unavailable')
      context.mock.timers.tick(60_000)
      await turns()
      assert.deepEqual(errors, [])
    })

    test('a store that stays away is not filled up in memory: a key counts on, and is written once', async () => {
      const { watched, written } = watching(shape)
      const { keyring } = await openOn(watched, { cacheSize: 2 })
      const issued = await keyring.issueMany(Array.from({ length: 600 }, () => shop))
      assert.ok(!issued.repeated)
      written.failing = true
      for (const { secret } of issued.created) await keyring.verify(secret)
      await assert.rejects(keyring.flushUsage())
      for (const { secret } of issued.created) await keyring.verify(secret)
      written.failing = false
      await keyring.flushUsage()
      const { usage: rows } = await keyring.usage({ limit: 10_000 })
      assert.deepEqual([rows.length, new Set(rows.map(({ count }) => count))], [600, new Set([2])])
      assert.ok(written.batches.every(({ counts, lastUsed }) => counts.length <= 500 && lastUsed.size <= 500))
      const pages = await keyring.list({ limit: 1000 })
      assert.ok(pages.keys.every(({ lastUsedAt }) => lastUsedAt === noon))
    })

    test('while the usage of many keys is written, everything else gets its turn after each batch', async () => {
      const events: string[] = []
      const { keyring } = await openOn((store) => {
        const shaped = shape(store)
        return {
          ...shaped,
          async recordUsage(batch) {
            setImmediate(() => events.push('turn'))
            events.push('batch')
            return shaped.recordUsage(batch)
          },
        }
      })
      const issued = await keyring.issueMany(Array.from({ length: 600 }, () => shop))
      assert.ok(!issued.repeated)
      for (const { secret } of issued.created) await keyring.verify(secret)
      await keyring.flushUsage()
      const batches = events.filter((event) => event === 'batch').length
      assert.ok(batches >= 6, `${batches} batches`)
      assert.deepEqual(events, Array.from({ length: batches }, () => ['batch', 'turn']).flat())
      assert.equal((await keyring.usage({ limit: 10_000 })).usage.length, 600)
    })

    test('a last use is known to the second, and is not before its secret was created', async () => {
      const { keyring, clock } = await openOn(shape)
      clock.advance(2300)
      const { key, secret } = await keyring.issue(shop)
      const lastUse = async (after: number): Promise<number | null | undefined> => {
        clock.advance(after)
        await keyring.verify(secret)
        await keyring.flushUsage()
        const { keys } = await keyring.list()
        const found = await keyring.find(key.id)
        assert.deepEqual([keys[0]?.lastUsedAt, found?.secrets[0]?.lastUsedAt], [found?.lastUsedAt, found?.lastUsedAt])
        return found?.lastUsedAt
      }
      assert.equal(await lastUse(100), noon + 2300)
      assert.equal(await lastUse(1000), noon + 3000)
      assert.equal(await lastUse(500), noon + 3000)
      assert.equal(await lastUse(100), noon + 4000)
    })

    test('a store that takes a part of a batch is given the rest, and a failure in between loses and repeats nothing', async () => {
      let calls = 0
      const { keyring } = await openOn((store) => {
        const shaped = shape(store)
        return {
          ...shaped,
          async recordUsage({ counts, lastUsed }) {
            if (++calls === 4) throw new Error('the disk is full')
            const some = { counts: counts.slice(0, 3), lastUsed: new Map([...lastUsed].slice(0, 2)) }
            await recordUsage(shaped, some)
            return { counts: counts.slice(3), lastUsed: new Map([...lastUsed].slice(2)) }
          },
        }
      })
      const issued = await keyring.issueMany(Array.from({ length: 120 }, () => shop))
      assert.ok(!issued.repeated)
      for (const { secret } of issued.created) await keyring.verify(secret)
      await assert.rejects(keyring.flushUsage(), /the disk is full/)
      for (const { secret } of issued.created) await keyring.verify(secret)
      await keyring.flushUsage()
      const { usage: rows } = await keyring.usage({ limit: 10_000 })
      assert.equal(rows.length, 120)
      assert.ok(rows.every(({ count }) => count === 2))
      const { keys } = await keyring.list({ limit: 1000 })
      assert.ok(keys.every(({ lastUsedAt }) => lastUsedAt === noon))
    })

    test('a key from the settings is counted too', async () => {
      const secret = 'n7Qd0Zr5Lw2Kx9Vb3Tc8'
      const source = settingsKey({ name: 'SERVICE_API_KEY', secret, scopes: ['orders:read'] })
      const { keyring } = await openOn(shape, { sources: [source] })
      assert.equal(await codeOf(keyring.verify(secret, { allOf: ['orders:read'] })), 'accepted')
      await keyring.flushUsage()
      assert.deepEqual((await keyring.usage()).usage, [
        {
          ...nobody,
          key: 'settings:SERVICE_API_KEY',
          owner: 'settings',
          environment: 'live',
          outcome: 'accepted',
          count: 1,
          cost: 1,
        },
      ])
    })
  })
}
