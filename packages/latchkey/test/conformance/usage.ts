import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import type { Store, UsageCount, UsageFilter, UsagePlace } from '../../src/ports.ts'
import type { StoreUnderTest } from './store.ts'

const hour = 3_600_000

/** The filter that every row passes. */
export const everyUse: UsageFilter = {
  key: undefined,
  owner: undefined,
  environments: undefined,
  outcome: undefined,
  limitName: undefined,
  from: 0,
  to: Number.MAX_SAFE_INTEGER,
  order: 'oldest',
  after: undefined,
  limit: 10_000,
}

/** A row of usage: few of each, so that they meet. Texts are such that engines could order them in different ways. */
const row: fc.Arbitrary<UsageCount> = fc.record({
  hour: fc.integer({ min: 0, max: 60 }).map((hours) => hours * hour),
  key: fc.constantFrom('', 'key_a', 'key_B', 'key_é'),
  owner: fc.constantFrom('', 'acme', 'Globex'),
  environment: fc.constantFrom('', 'live', 'test'),
  outcome: fc.constantFrom('accepted', 'over_limit', 'over_limit_reported', 'expired'),
  limitName: fc.constantFrom('', 'burst', 'owner:day'),
  count: fc.integer({ min: 1, max: 1000 }),
  cost: fc.integer({ min: 0, max: 1_000_000 }),
})

const filter = fc.record({
  key: fc.option(fc.constantFrom('', 'key_a', 'key_none'), { nil: undefined }),
  owner: fc.option(fc.constantFrom('acme', 'Globex'), { nil: undefined }),
  environments: fc.option(fc.subarray(['live', 'test', 'admin'], { minLength: 1 }), { nil: undefined }),
  outcome: fc.option(fc.constantFrom('accepted', 'over_limit', 'expired'), { nil: undefined }),
  limitName: fc.option(fc.constantFrom('burst', 'owner:day'), { nil: undefined }),
  from: fc.integer({ min: 0, max: 30 * hour }),
  to: fc.integer({ min: 30 * hour, max: 70 * hour }),
  order: fc.constantFrom<UsageFilter['order']>('newest', 'oldest'),
})

function placeOf({ hour: at, key, owner, environment, outcome, limitName }: UsageCount): UsagePlace {
  return { hour: at, key, owner, environment, outcome, limitName }
}

function passes(one: UsageCount, asked: Omit<UsageFilter, 'order' | 'after' | 'limit'>): boolean {
  if (asked.environments?.includes(one.environment) === false) return false
  if (one.hour < asked.from || one.hour >= asked.to) return false
  return (['key', 'owner', 'outcome', 'limitName'] as const).every((member) => {
    return asked[member] === undefined || one[member] === asked[member]
  })
}

/** Counts by their place. */
function summed(rows: readonly UsageCount[]): ReadonlyMap<string, UsageCount> {
  const sums = new Map<string, UsageCount>()
  for (const one of rows) {
    const name = JSON.stringify(placeOf(one))
    const { count = 0, cost = 0 } = sums.get(name) ?? {}
    sums.set(name, { ...one, count: count + one.count, cost: cost + one.cost })
  }
  return sums
}

/** All rows that a filter asks for, page by page. */
async function walked(store: Store, asked: UsageFilter): Promise<readonly UsageCount[]> {
  const all: UsageCount[] = []
  let page: readonly UsageCount[] = []
  do {
    const last = all.at(-1)
    page = await store.usage({ ...asked, after: last === undefined ? undefined : placeOf(last) })
    assert.ok(page.length <= asked.limit)
    all.push(...page)
  } while (page.length === asked.limit)
  return all
}

/** What every store must keep about usage. Run over each of them. */
export function usageConformance(name: string, make: () => StoreUnderTest): void {
  describe(`usage in the store: ${name}`, () => {
    const closing: (() => unknown)[] = []

    async function fresh(): Promise<Store> {
      const underTest = make()
      const store = await underTest.open()
      closing.push(
        () => store.close(),
        () => underTest.remove(),
      )
      return store
    }
    after(async () => {
      for (const close of closing) await close()
    })

    test('what is counted at one place adds up, calls and their cost', async () => {
      const store = await fresh()
      const place = { hour, key: 'key_a', owner: 'acme', environment: 'live', outcome: 'accepted', limitName: '' }
      await store.recordUsage({ counts: [{ ...place, count: 2, cost: 20 }], lastUsed: new Map() })
      const refused = { ...place, outcome: 'over_limit', limitName: 'burst', count: 1, cost: 0 }
      await store.recordUsage({ counts: [{ ...place, count: 3, cost: 0 }, refused], lastUsed: new Map() })
      assert.deepEqual(await store.usage(everyUse), [{ ...place, count: 5, cost: 20 }, refused])
    })

    test('a walk through the pages of any filter, in either order, gives each row once and no other', async () => {
      const store = await fresh()
      let run = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 4 }),
          fc.array(fc.tuple(filter, fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 8 }),
          async (drawn, walks) => {
            // Each run has hours of its own.
            const first = run++ * 100 * hour
            const batches = drawn.map((batch) => batch.map((one) => ({ ...one, hour: first + one.hour })))
            for (const batch of batches) {
              await store.recordUsage({ counts: [...summed(batch).values()], lastUsed: new Map() })
            }
            const rows = summed(batches.flat())
            for (const [within, limit] of walks) {
              const asked = { ...within, from: first + within.from, to: first + within.to }
              const told = await walked(store, { ...everyUse, ...asked, limit })
              const expected = summed([...rows.values()].filter((one) => passes(one, asked)))
              assert.equal(told.length, expected.size)
              assert.deepEqual(summed(told), expected)
              const turned = await walked(store, {
                ...everyUse,
                ...asked,
                limit,
                order: asked.order === 'oldest' ? 'newest' : 'oldest',
              })
              assert.deepEqual(turned, told.toReversed())
              const hours = told.map((one) => one.hour)
              const ordered = hours.toSorted((one, other) => one - other)
              assert.deepEqual(hours, asked.order === 'oldest' ? ordered : ordered.toReversed())
            }
          },
        ),
        { numRuns: 50 },
      )
    })
  })
}
