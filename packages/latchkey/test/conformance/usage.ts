import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import type { Store, UsageCount, UsageFilter, UsagePlace, UsageSum, UsageSumsFilter } from '../../src/ports.ts'
import { recordUsage } from './record.ts'
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

const day = 24 * hour

const sumsFilter = fc.record({
  key: fc.option(fc.constantFrom('', 'key_a', 'key_none'), { nil: undefined, freq: 2 }),
  owner: fc.option(fc.constantFrom('acme', 'Globex'), { nil: undefined, freq: 2 }),
  environments: fc.option(fc.subarray(['live', 'test', 'admin'], { minLength: 1 }), { nil: undefined, freq: 2 }),
  outcome: fc.option(fc.constantFrom('accepted', 'over_limit_reported', 'expired'), { nil: undefined, freq: 2 }),
  step: fc.constantFrom<UsageSumsFilter['step']>('hour', 'day'),
  by: fc.constantFrom<UsageSumsFilter['by']>('outcome', 'environment', 'owner', 'key'),
  top: fc.integer({ min: 1, max: 4 }),
  from: fc.integer({ min: 0, max: 60 * hour }),
  to: fc.integer({ min: 0, max: 70 * hour }),
})

function floor(at: number, length: number): number {
  return at - (at % length)
}

/** Sums by their time and name. */
function byPlace(
  sums: readonly Omit<UsageSum, 'name'>[] | readonly UsageSum[],
): ReadonlyMap<string, readonly number[]> {
  return new Map(sums.map((sum) => [`${sum.at} ${'name' in sum ? sum.name : ''}`, [sum.count, sum.cost]]))
}

/** What the sums of rows must be. */
function sumsOf(
  rows: readonly UsageCount[],
  asked: UsageSumsFilter & UsageFilter,
): { readonly sums: ReturnType<typeof byPlace>; readonly totals: ReturnType<typeof byPlace> | undefined } {
  const { step, by, top, from, to, outcome } = asked
  const counted = rows.filter((one) => {
    const twice = one.outcome === 'over_limit_reported' && outcome === undefined && by !== 'outcome'
    return !twice && passes(one, { ...asked, from: 0, to: Number.MAX_SAFE_INTEGER })
  })
  const within = counted.filter((one) => one.hour >= from && one.hour < to)
  const add = (into: Map<string, number[]>, name: string, { count, cost }: UsageCount): void => {
    const [calls = 0, sum = 0] = into.get(name) ?? []
    into.set(name, [calls + count, sum + cost])
  }
  const length = step === 'day' ? day : hour
  const [sums, totals, ranks] = [new Map(), new Map(), new Map<string, number[]>()]
  for (const one of counted) {
    if (one.hour >= floor(from, day) && one.hour < floor(to + day - 1, day)) add(ranks, one[by], one)
  }
  const inOrder = [...ranks].toSorted(([one, [less = 0]], [other, [more = 0]]) => more - less || (one < other ? -1 : 1))
  const shown = new Set(inOrder.slice(0, by === 'key' || by === 'owner' ? top : undefined).map(([name]) => name))
  for (const one of within) {
    add(totals, `${floor(one.hour, length)} `, one)
    if (shown.has(one[by])) add(sums, `${floor(one.hour, length)} ${one[by]}`, one)
  }
  return { sums, totals: by === 'key' || by === 'owner' ? totals : undefined }
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
export function usageConformance(engine: string, make: () => StoreUnderTest): void {
  describe(`usage in the store: ${engine}`, () => {
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
      await recordUsage(store, { counts: [{ ...place, count: 2, cost: 20 }], lastUsed: new Map() })
      const refused = { ...place, outcome: 'over_limit', limitName: 'burst', count: 1, cost: 0 }
      await recordUsage(store, { counts: [{ ...place, count: 3, cost: 0 }, refused], lastUsed: new Map() })
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
              await recordUsage(store, { counts: [...summed(batch).values()], lastUsed: new Map() })
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

    test('sums by any step, group and filter are those of the rows, whatever was written in which batch', async () => {
      const store = await fresh()
      let run = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 4 }),
          fc.array(sumsFilter, { minLength: 1, maxLength: 8 }),
          async (drawn, asked) => {
            // Each run has days of its own.
            const first = run++ * 10 * day
            const batches = drawn.map((batch) => batch.map((one) => ({ ...one, hour: first + one.hour })))
            for (const batch of batches) {
              await recordUsage(store, { counts: [...summed(batch).values()], lastUsed: new Map() })
            }
            for (const one of asked) {
              const length = one.step === 'day' ? day : hour
              const [from, to] = [first + floor(one.from, length), first + floor(one.to, length) + length]
              const wanted = { ...everyUse, ...one, from, to }
              const { sums, totals } = await store.usageSums(wanted)
              const expected = sumsOf(batches.flat(), wanted)
              assert.deepEqual(byPlace(sums), expected.sums)
              assert.deepEqual(totals === undefined ? undefined : byPlace(totals), expected.totals)
            }
          },
        ),
        { numRuns: 60 },
      )
    })

    test('what is forgotten of a key or an owner is in no sum any more, however many pieces it takes', async () => {
      const store = await fresh()
      await fc.assert(
        fc.asyncProperty(
          fc.array(row, { minLength: 1, maxLength: 30 }),
          fc.constantFrom({ key: 'key_a' }, { owner: 'acme' }),
          async (drawn, of) => {
            for (const owner of ['', 'acme', 'Globex']) {
              while ((await store.forgetUse({ owner }, 1000)) > 0) continue
            }
            await recordUsage(store, { counts: [...summed(drawn).values()], lastUsed: new Map() })
            while ((await store.forgetUse(of, 2)) > 0) continue
            const left = drawn.filter((one) => ('key' in of ? one.key !== of.key : one.owner !== of.owner))
            assert.deepEqual(summed(await store.usage(everyUse)), summed(left))
            for (const step of ['hour', 'day'] as const) {
              for (const by of ['outcome', 'environment', 'owner', 'key'] as const) {
                const wanted = { ...everyUse, step, by, top: 9, from: 0, to: 3 * day }
                const { sums } = await store.usageSums(wanted)
                assert.deepEqual(byPlace(sums), sumsOf(left, wanted).sums)
              }
            }
          },
        ),
        { numRuns: 20 },
      )
    })

    test('of very many keys those that were used most are found, and the rest is counted', async () => {
      const store = await fresh()
      const keys = Array.from({ length: 500 }, (_, index) => `key_${String(index).padStart(3, '0')}`)
      for (const at of [0, day]) {
        const counts = keys.map((key, index) => ({
          hour: at,
          key,
          owner: `owner_${index % 300}`,
          environment: 'live',
          outcome: 'accepted',
          limitName: '',
          count: at === 0 ? index + 1 : 1000 - index,
          cost: 1,
        }))
        await recordUsage(store, { counts, lastUsed: new Map() })
      }
      const wanted = { ...everyUse, from: 0, to: 2 * day, step: 'day', by: 'key', top: 3 } as const
      const { sums, totals } = await store.usageSums({ ...wanted, to: day })
      const found = Object.fromEntries(sums.map(({ name: key, count }) => [key, count]))
      assert.deepEqual(found, { key_497: 498, key_498: 499, key_499: 500 })
      assert.deepEqual(totals, [{ at: 0, count: 125_250, cost: 500 }])
      const second = await store.usageSums({ ...wanted, from: day, by: 'owner', top: 1 })
      assert.deepEqual(second.sums, [{ at: day, name: 'owner_0', count: 1700, cost: 2 }])
    })
  })
}
