import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Issued, Keyring, ListOptions } from '../../../src/index.ts'
import { listOrders } from '../../../src/index.ts'
import { testKeyring } from '../../../src/testing.ts'

const scopes = { 'orders:read': 'Read orders', 'orders:write': 'Write orders' }

/** All pages, and what is done between two of them. */
async function walk(
  keyring: Pick<Keyring, 'list'>,
  options: ListOptions,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Awaited<ReturnType<Keyring['list']>> = await keyring.list({ ...options, ...(cursor && { cursor }) })
    ids.push(...page.keys.map(({ id }) => id))
    if (page.cursor !== null) assert.notEqual(page.cursor, cursor, 'a page leads on')
    ;({ cursor } = page)
    await meanwhile()
  }
  return ids
}

const order = fc.constantFrom(...listOrders)
const someNames = fc.array(fc.constantFrom('a', 'b', 'Z', 'ä', '😀'), { minLength: 1, maxLength: 20 })
const filter: fc.Arbitrary<ListOptions> = fc.constantFrom(
  {},
  { owner: 'acme' },
  { environment: 'live' },
  { scope: 'orders:read' },
  { state: ['active', 'revoked'] as const },
  { neverExpires: true },
)
const steps = fc.array(
  fc.record({
    what: fc.constantFrom('issue', 'rename', 'revoke', 'end', 'use', 'widen'),
    which: fc.nat(),
    name: fc.constantFrom('0', 'c', '\u{1f601}'),
  }),
  { maxLength: 20 },
)

test('a walk gives each key once, whatever happens meanwhile; only a key that moves may come twice or not at all', async () => {
  await fc.assert(
    fc.asyncProperty(order, filter, someNames, steps, async (by, asked, names, happening) => {
      const { keyring, clock } = await testKeyring({ scopes })
      const made: Issued<keyof typeof scopes>[] = []
      for (const name of names) {
        clock.advance(1)
        made.push(await keyring.issue({ name, owner: 'acme', scopes: ['orders:read'] }))
      }
      const moved = new Set<string>()
      const left = [...happening]
      const found = await walk(keyring, { ...asked, order: by, limit: 3 }, async () => {
        for (const { what, which, name } of left.splice(0, 3)) {
          const one = made[which % made.length]
          if (one === undefined) return
          const { id } = one.key
          const state = (await keyring.find(id))?.state
          if (what === 'issue') await keyring.issue({ name, owner: 'acme', scopes: ['orders:read'] })
          if (state === 'revoked') continue
          if (what === 'rename') await keyring.change(id, { name })
          if (what === 'end') await keyring.change(id, { expiresAt: clock.now() + 1_000_000 })
          if (what === 'revoke') await keyring.revoke(id, { reason: 'unused' })
          if (what === 'widen') await keyring.change(id, { scopes: ['orders:read', 'orders:write'] })
          if (what === 'use') {
            await keyring.verify(one.secret, { allOf: ['orders:read'] })
            await keyring.flushUsage()
          }
          const moves = { rename: 'name', end: 'expires', use: 'last_used' } as const
          if (what in moves && moves[what as keyof typeof moves] === by) moved.add(id)
          // It no longer meets the filter.
          if (what === 'end' && asked.neverExpires === true) moved.add(id)
        }
      })
      const times = Map.groupBy(found, (id) => id)
      for (const { key } of made) if (!moved.has(key.id)) assert.equal(times.get(key.id)?.length, 1, key.name)
      await keyring.close()
    }),
    { numRuns: 60 },
  )
})

test('the walk of a bound admin key is that over its own keys, page by page', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { keyring: alone } = await testKeyring({ scopes })
  const admin = async (one: typeof keyring): Promise<Pick<Keyring, 'list'>> => {
    const rights = { owner: 'acme', environments: ['live'], scopes: ['orders:*'] } as const
    const issued = await one.issue({
      name: 'Admin',
      owner: 'acme',
      environment: 'admin',
      scopes: ['keys:read'] as never,
      delegation: rights,
    })
    return one.as(issued.key.id)
  }
  const [bound, whole] = [await admin(keyring), await admin(alone)]
  for (let index = 0; index < 20; index++) {
    const own = {
      name: `Own ${(index * 7) % 20}`,
      owner: 'acme',
      scopes: ['orders:read'] as const,
      metadata: { plan: 'gold' },
    }
    await keyring.issue(own)
    await alone.issue(own)
    await keyring.issue({ ...own, name: `Own ${index}`, owner: index % 2 === 0 ? 'Acme' : 'umbrella' })
    await keyring.issue({ ...own, environment: 'test' })
  }
  const pages = async (view: Pick<Keyring, 'list'>, options: ListOptions): Promise<readonly unknown[]> => {
    const found: unknown[] = []
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: Awaited<ReturnType<Keyring['list']>> = await view.list({ ...options, ...(cursor && { cursor }) })
      found.push([page.keys.map(({ name }) => name), page.cursor === null, page.total])
      if (page.cursor !== null) assert.notEqual(page.cursor, cursor, 'a page leads on')
      ;({ cursor } = page)
    }
    return found
  }
  for (const by of listOrders) {
    const plan = { metadata: { plan: 'gold' } } as const
    for (const asked of [{}, plan, { text: 'own' }, { neverExpires: true }, { state: 'active' }] as const) {
      const options = { ...asked, order: by, limit: 3, count: true }
      assert.deepEqual(await pages(bound, options), await pages(whole, options), JSON.stringify(options))
    }
  }
})
