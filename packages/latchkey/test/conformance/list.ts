import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { chain } from '../../src/journal/chain.ts'
import type { KeyListPage, ListFilter, ListOrder, ListPosition, Store, StoredKey } from '../../src/ports.ts'
import { everything, inserting, newKey } from './store.ts'

/** A key as a list shows it, for a model that knows nothing of databases. */
interface Listed {
  readonly key: Omit<StoredKey, 'revision'>
  readonly place: number
  readonly lastUsedAt: number | null
}

/** In each order: whether one key comes before another. The whole of what an order means. */
const model: Readonly<Record<ListOrder, (one: Listed, other: Listed) => number>> = {
  oldest: (one, other) => one.place - other.place,
  newest: (one, other) => other.place - one.place,
  name: (one, other) =>
    Buffer.compare(Buffer.from(one.key.name), Buffer.from(other.key.name)) || one.place - other.place,
  expires: (one, other) =>
    (one.key.expiresAt ?? Infinity) - (other.key.expiresAt ?? Infinity) || one.place - other.place,
  last_used(one, other) {
    if (one.lastUsedAt !== null && other.lastUsedAt !== null) {
      return other.lastUsedAt - one.lastUsedAt || other.place - one.place
    }
    if (one.lastUsedAt !== null || other.lastUsedAt !== null) return one.lastUsedAt === null ? 1 : -1
    return other.key.createdAt - one.key.createdAt || other.place - one.place
  },
}

const orders = Object.keys(model) as readonly ListOrder[]

/** Infinity minus itself is no number: two keys that never expire are alike. */
function before(order: ListOrder, one: Listed, other: Listed): number {
  return model[order](one, other) || (order === 'expires' ? one.place - other.place : 0)
}

/** All pages of a list, one after the other. */
export async function walkThrough(store: Store, filter: Partial<ListFilter>): Promise<readonly string[]> {
  const ids: string[] = []
  let next: ListPosition | undefined
  do {
    const page: KeyListPage = await store.list({ ...everything, ...filter, after: next })
    assert.ok(page.items.length <= (filter.limit ?? everything.limit))
    ids.push(...page.items.map(({ key }) => key.id))
    ;({ next } = page)
  } while (next !== undefined)
  return ids
}

/**
 * What the list of every store must keep. Run over each of them.
 *
 * @param open - opens a store that is new and empty.
 */
export function listConformance(name: string, open: () => Store | Promise<Store>): void {
  describe(`lists of a store: ${name}`, () => {
    const opened: Store[] = []

    async function fresh(): Promise<Store> {
      const store = await open()
      opened.push(store)
      return store
    }

    after(async () => {
      for (const store of opened) await store.close()
    })

    const kept = fc.record({
      name: fc.constantFrom('Z', '_', 'a', 'ä', '-', '😀', '\uffee', 'aa', 'A'),
      owner: fc.constantFrom('acme', 'umbrella', 'Acme'),
      environment: fc.constantFrom('live', 'test', 'admin'),
      expiresAt: fc.constantFrom(null, 0, 1600, 8.64e15),
      createdAt: fc.constantFrom(0, 1000, 8.64e15),
      lastUsedAt: fc.constantFrom(null, 0, 1200, 8.64e15),
    })
    const asked = fc.record({
      limit: fc.integer({ min: 1, max: 7 }),
      owner: fc.constantFrom(undefined, 'acme', 'umbrella', 'nobody'),
      environments: fc.constantFrom(undefined, ['live'], ['test', 'live'], ['none', 'admin']),
    })

    test('each order is that of the model, nulls and names in any writing included, on pages of any size', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(kept, { maxLength: 30 }), asked, async (rows, { limit, owner, environments }) => {
          const store = await fresh()
          const listed = rows.map(
            ({ lastUsedAt, ...row }, index): Listed & { readonly made: ReturnType<typeof newKey> } => {
              const made = newKey(row)
              return { made, key: made.key, lastUsedAt, place: index + 1 }
            },
          )
          if (listed.length > 0)
            await store.commit(
              listed.map(({ made }) => inserting(made)),
              chain,
            )
          const lastUsed = new Map(
            listed.flatMap(({ made, lastUsedAt }) =>
              lastUsedAt === null ? [] : [[made.secret.hash, lastUsedAt] as const],
            ),
          )
          await store.recordUsage({ counts: [], lastUsed })
          for (const order of orders) {
            const expected = listed
              .filter(({ key }) => owner === undefined || key.owner === owner)
              .filter(({ key }) => environments?.some((one) => one === key.environment) ?? true)
              .toSorted((one, other) => before(order, one, other))
              .map(({ key }) => key.id)
            assert.deepEqual(await walkThrough(store, { order, limit, owner, environments }), expected, order)
          }
        }),
        { numRuns: 40 },
      )
    })

    test('the last use of a key is that of the secret used last, never moves back, and changes no revision', async () => {
      const store = await fresh()
      const [used, imported, unused] = [newKey(), newKey(), newKey()]
      const known = { ...imported, secret: { ...imported.secret, lastUsedAt: 700 } }
      await store.commit([inserting(used), inserting(known), inserting(unused)], chain)
      const shown = async (): Promise<readonly unknown[]> =>
        (await store.list({ ...everything, order: 'last_used' })).items.map(({ key, lastUsedAt }) => [
          key.id,
          lastUsedAt,
        ])
      const [a, b, c] = [used.key.id, imported.key.id, unused.key.id]
      assert.deepEqual(await shown(), [
        [b, 700],
        [c, null],
        [a, null],
      ])
      await store.noteFirstUse(used.secret.hash, 600)
      assert.deepEqual(await shown(), [
        [b, 700],
        [a, 600],
        [c, null],
      ])
      await store.recordUsage({
        counts: [],
        lastUsed: new Map([
          [used.secret.hash, 800],
          [imported.secret.hash, 500],
        ]),
      })
      await store.recordUsage({ counts: [], lastUsed: new Map([[used.secret.hash, 100]]) })
      await store.noteFirstUse(used.secret.hash, 900)
      assert.deepEqual(await shown(), [
        [a, 800],
        [b, 700],
        [c, null],
      ])
      const revisions = (await store.list(everything)).items.map(({ key }) => key.revision)
      assert.deepEqual(revisions, [1, 2, 3])
    })
  })
}
