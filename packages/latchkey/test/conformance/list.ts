import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import fc from 'fast-check'
import { chain } from '../../src/journal/chain.ts'
import { stateOf } from '../../src/keyring/key.ts'
import type { Metadata } from '../../src/policy/metadata.ts'
import type {
  Change,
  KeyListItem,
  KeyListPage,
  ListFilter,
  ListOrder,
  ListPosition,
  MetadataMember,
  Store,
  StoredKey,
} from '../../src/ports.ts'
import { recordUsage } from './record.ts'
import { everything, inserting, newKey, newSecret } from './store.ts'

/** A key as a list shows it, for a model that knows nothing of databases. */
interface Listed {
  readonly key: Omit<StoredKey, 'revision'>
  readonly place: number
  readonly lastUsedAt: number | null
  readonly rotating: boolean
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
    const alike = Buffer.compare(Buffer.from(other.key.owner), Buffer.from(one.key.owner)) || other.place - one.place
    if (one.lastUsedAt !== null && other.lastUsedAt !== null) return other.lastUsedAt - one.lastUsedAt || alike
    if (one.lastUsedAt !== null || other.lastUsedAt !== null) return one.lastUsedAt === null ? 1 : -1
    return other.key.createdAt - one.key.createdAt || alike
  },
}

const orders = Object.keys(model) as readonly ListOrder[]

/** Infinity minus itself is no number: two keys that never expire are alike. */
function before(order: ListOrder, one: Listed, other: Listed): number {
  return model[order](one, other) || (order === 'expires' ? one.place - other.place : 0)
}

/** Of the same type, and `null` for one that is not there. */
function hasMember(metadata: Metadata, [name, value]: MetadataMember): boolean {
  return value === null ? !Object.hasOwn(metadata, name) : metadata[name] === value
}

/** The whole of what a filter means, but for owners and admin keys. */
function meets({ key, lastUsedAt, rotating }: Listed, filter: Partial<ListFilter>): boolean {
  const { owner, environments, states, text, expiresBefore, neverExpires, unusedSince } = filter
  const state = stateOf({ ...key, revision: 0 }, false, everything.now)
  const lower = (value: string): string => value.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
  const { id, name, start } = key
  const has = (asked: string): boolean =>
    Array.from(asked).length < 3
      ? [name, key.owner, start].some((value) => lower(value).startsWith(lower(asked)))
      : [id, name, key.owner, start].some((value) => lower(value).includes(lower(asked)))
  return (
    (owner === undefined || key.owner === owner) &&
    (environments?.some((one) => one === key.environment) ?? true) &&
    (states?.includes(state) ?? true) &&
    (text === undefined || has(text)) &&
    (expiresBefore === undefined || (key.expiresAt !== null && key.expiresAt < expiresBefore)) &&
    (neverExpires === undefined || (key.expiresAt === null) === neverExpires) &&
    (unusedSince === undefined || (lastUsedAt ?? key.createdAt) < unusedSince) &&
    (filter.rotating === undefined || rotating === filter.rotating) &&
    (filter.metadata ?? []).every((member) => hasMember(key.metadata, member))
  )
}

/** The old secret works until after the moment of the filter. */
function rotation({ key, secret }: ReturnType<typeof newKey>, revision: number): Change {
  return {
    kind: 'update',
    key: { ...key, revision },
    secrets: [{ ...secret, retiredAt: 1400, endsAt: everything.now + 1 }, newSecret()],
    draft: { at: 1400, actor: 'test', action: 'rotate', subject: key.id, change: '{}' },
  }
}

/** The keys of all pages of a list, one page after the other. */
async function itemsOf(store: Store, filter: Partial<ListFilter>): Promise<readonly KeyListItem[]> {
  const items: KeyListItem[] = []
  let next: ListPosition | undefined
  do {
    const page: KeyListPage = await store.list({ ...everything, ...filter, after: next })
    assert.ok(page.items.length <= (filter.limit ?? everything.limit))
    items.push(...page.items)
    if (page.next !== undefined) assert.notDeepEqual(page.next, next, 'a page leads on')
    ;({ next } = page)
  } while (next !== undefined)
  return items
}

/** Their ids. */
export async function walkThrough(store: Store, filter: Partial<ListFilter>): Promise<readonly string[]> {
  return (await itemsOf(store, filter)).map(({ key }) => key.id)
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
      name: fc.constantFrom(
        'Z',
        '_',
        'a',
        'ä',
        '-',
        '😀',
        '\uffee',
        'aa',
        'A',
        'a_b',
        'axb',
        'a%b',
        '"a" OR b',
        "it's",
        'NEAR(a',
        'Ä*',
      ),
      owner: fc.constantFrom('acme', 'umbrella', 'Acme'),
      environment: fc.constantFrom('live', 'test', 'admin'),
      expiresAt: fc.constantFrom(null, 0, 1600, 8.64e15),
      createdAt: fc.constantFrom(0, 1000, 8.64e15),
      lastUsedAt: fc.constantFrom(null, 0, 1200, 8.64e15),
      notBefore: fc.constantFrom(null, 1500, 1501),
      disabledAt: fc.constantFrom(null, null, 1),
      revokedAt: fc.constantFrom(null, null, 1),
      rotating: fc.boolean(),
      metadata: fc.constantFrom<Metadata>(
        {},
        { plan: 'gold' },
        { plan: 'gold', seats: 5 },
        { plan: 'silver', seats: '5' },
        { plan: ['gold'], seats: { seats: 5 } },
        { Plan: 'gold', 'seats.5': true },
      ),
    })
    const wholeFilter = fc.record({
      owner: fc.constantFrom('acme', 'umbrella', 'nobody'),
      environments: fc.constantFrom(['live'], ['test', 'live'], ['none', 'admin']),
      states: fc.subarray(['active', 'pending', 'expired', 'disabled', 'revoked'] as const, { minLength: 1 }),
      text: fc.constantFrom(
        'a',
        'Z',
        'ä',
        'Ä',
        '😀',
        'acm',
        'ACME',
        'mbr',
        'a_b',
        'a%b',
        '"a" OR',
        'NEAR(a',
        'key_',
        '*',
        'aC',
        'ke',
        'LK',
        'A_',
        '%',
        '\uffee',
      ),
      expiresBefore: fc.constantFrom(0, 1600, 1601, 8.64e15),
      neverExpires: fc.boolean(),
      unusedSince: fc.constantFrom(0, 1, 1001, 1200, 8.64e15),
      rotating: fc.boolean(),
      metadata: fc.constantFrom<readonly MetadataMember[]>(
        [['plan', 'gold']],
        [['plan', null]],
        [
          ['seats', 5],
          ['plan', 'gold'],
        ],
        [['seats', '5']],
        [['seats.5', true]],
      ),
    })
    // Few questions at once: most keys meet none of many.
    const names = ['owner', 'environments', 'states', 'text', 'expiresBefore', 'neverExpires', 'unusedSince'] as const
    const filters = fc
      .tuple(wholeFilter, fc.subarray([...names, 'rotating', 'metadata'] as const, { minLength: 1, maxLength: 3 }))
      .map(([whole, some]) => Object.fromEntries(some.map((one) => [one, whole[one]])) as Partial<ListFilter>)

    test('each order and each filter is that of the model, with every name, on pages of any size', async () => {
      const limit = fc.integer({ min: 1, max: 7 })
      await fc.assert(
        fc.asyncProperty(
          fc.array(kept, { maxLength: 30 }),
          fc.array(filters, { maxLength: 5 }),
          limit,
          async (rows, asked, size) => {
            const store = await fresh()
            const listed = rows.map(
              ({ lastUsedAt, rotating, ...row }, index): Listed & { readonly made: ReturnType<typeof newKey> } => {
                const made = newKey(row)
                return { made, key: made.key, lastUsedAt, rotating, place: index + 1 }
              },
            )
            if (listed.length > 0)
              await store.commit(
                listed.map(({ made }) => inserting(made)),
                chain,
              )
            const rotations = listed.filter(({ rotating }) => rotating).map(({ made, place }) => rotation(made, place))
            if (rotations.length > 0) await store.commit(rotations, chain)
            const uses = listed.flatMap(({ made, lastUsedAt }) =>
              lastUsedAt === null ? [] : [[made.secret.hash, lastUsedAt] as const],
            )
            await recordUsage(store, { counts: [], lastUsed: new Map(uses) })
            for (const filter of [{}, ...asked]) {
              for (const order of orders) {
                const expected = listed
                  .filter((one) => meets(one, filter))
                  .toSorted((one, other) => before(order, one, other))
                  .map(({ key, lastUsedAt, rotating }) => [
                    key.id,
                    rotating ? { oldEndsAt: everything.now + 1, oldLastUsedAt: lastUsedAt } : null,
                  ])
                const found = await itemsOf(store, { ...filter, order, limit: size })
                const pages = found.map(({ key, rotation: shown }) => [key.id, shown])
                assert.deepEqual(pages, expected, `${order} ${JSON.stringify(filter)}`)
                const { total } = await store.list({ ...everything, ...filter, order, limit: 1, count: true })
                assert.deepEqual(total, { count: expected.length, more: false })
              }
            }
            await store.close()
          },
        ),
        { numRuns: 60 },
      )
    })

    test('a member of metadata is found by its name and its value, as they are, and by no others', async () => {
      const someName = fc.oneof(
        fc.constantFrom('$', '$.plan', '[0]', '0', '-1', 'a.b', "it's", '*', '#', '__proto__', ' ', '%', 'ä'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }).filter((text) => !/["\\\p{Cc}]/u.test(text)),
      )
      const someValue = fc.oneof(
        fc.constantFrom('', '0', 'null', 'true', '"', '\\', '\n', '\0', '\u2028', "'", 'ä', 'a\u0308', '😀'),
        fc.constantFrom(0, -0, 0.1 + 0.2, 1e21, 5e-324, 2 ** 53, 1.7976931348623157e308, 123456789012345680000),
        fc.string({ unit: 'binary', maxLength: 8 }),
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.boolean(),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(someName, someValue), { minLength: 1, maxLength: 20 }), async (members) => {
          const store = await fresh()
          const keys = members.map((member) => newKey({ metadata: Object.fromEntries([member, ['other', 1]]) }))
          await store.commit(keys.map(inserting), chain)
          for (const member of members) {
            for (const asked of [member, [member[0], null] as const]) {
              const expected = keys.filter(({ key }) => hasMember(key.metadata, asked)).map(({ key }) => key.id)
              assert.deepEqual(await walkThrough(store, { metadata: [asked] }), expected, JSON.stringify(asked))
            }
          }
          await store.close()
        }),
        { numRuns: 15 },
      )
    })

    test('the rotation of a key is that of its old secret, with the last use of it, for as long as it works', async () => {
      const store = await fresh()
      const [ending, ended, replaced] = [newKey(), newKey(), newKey()]
      const made = [ending, ended, replaced].map((one, index) => ({ ...one, revision: index + 1 }))
      await store.commit(made.map(inserting), chain)
      await store.commit(
        made.map((one) => rotation(one, one.revision)),
        chain,
      )
      const old = { ...ended.secret, retiredAt: 1400, endsAt: 1501, ended: true }
      const rotated = await store.byId(ended.key.id)
      assert.ok(rotated !== undefined)
      const { key } = rotated
      const draft = { at: 1400, actor: 'test', action: 'retire', subject: key.id, change: '{}' } as const
      await store.commit([{ kind: 'update', key, secrets: [old], draft }], chain)
      await recordUsage(store, { counts: [], lastUsed: new Map([[ending.secret.hash, 1450]]) })
      const rotations = async (now: number): Promise<readonly unknown[]> =>
        (await store.list({ ...everything, now })).items.map((item) => item.rotation)
      const never = { oldEndsAt: 1501, oldLastUsedAt: null }
      assert.deepEqual(await rotations(1500), [{ oldEndsAt: 1501, oldLastUsedAt: 1450 }, null, never])
      assert.deepEqual(await rotations(1501), [null, null, null])
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
      await recordUsage(store, {
        counts: [],
        lastUsed: new Map([
          [used.secret.hash, 800],
          [imported.secret.hash, 500],
        ]),
      })
      await recordUsage(store, { counts: [], lastUsed: new Map([[used.secret.hash, 100]]) })
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
