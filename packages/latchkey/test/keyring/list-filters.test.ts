import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openOn, shop, speeds } from './workbench.ts'

for (const [speed, shape] of speeds) {
  describe(`filters of a list on a store that answers ${speed}`, () => {
    test('a text is found in an id, a name, an owner and the start of a secret, in any case, and taken literally', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue({ ...shop, name: 'École “50 % off” \\ a_b', owner: 'Zürich AG' })
      await keyring.issue({ ...shop, name: 'Till', owner: 'other' })
      const found = async (text: string): Promise<readonly string[]> =>
        (await keyring.list({ text })).keys.map(({ id }) => id)
      for (const text of ['École', 'cole', '50 %', '% OFF', '\\ A_B', 'ZüRICH', key.id, key.start, 'RICH ag']) {
        assert.deepEqual(await found(text), [key.id], text)
      }
      for (const text of ['50%', 'a-b', 'école%', '_____', '%%', "' OR 1=1 --"])
        assert.deepEqual(await found(text), [], text)
    })

    test('a scope is found where it was granted, itself or by its resource, and not where another is', async () => {
      const { keyring } = await openOn(shape)
      for (const [name, scopes] of Object.entries({
        reader: ['orders:read'],
        all: ['orders:*'],
        both: ['reports:read', 'orders:write'],
        none: [],
      } as const)) {
        await keyring.issue({ ...shop, name, scopes })
      }
      const names = async (scope: string): Promise<readonly string[]> =>
        (await keyring.list({ scope })).keys.map(({ name }) => name)
      assert.deepEqual(await names('orders:read'), ['reader', 'all'])
      assert.deepEqual(await names('orders:write'), ['all', 'both'])
      assert.deepEqual(await names('orders:*'), ['all'])
      assert.deepEqual(await names('reports:rea_'), [])
      for (const scope of ['orders', 'orderss', '*', ':', 'orders:', 'a:b:c', '']) {
        await assert.rejects(keyring.list({ scope }), { code: 'invalid_input', message: /^scope/ })
      }
    })

    test('filters are asked for together, page after page', async () => {
      const { keyring } = await openOn(shape)
      const keys = Array.from({ length: 30 }, (_, index) => ({
        ...shop,
        name: `Key ${index}`,
        environment: index % 2 === 0 ? 'live' : 'test',
        owner: index % 3 === 0 ? 'acme' : 'umbrella',
      }))
      const done = await keyring.issueMany(keys)
      assert.ok(!done.repeated)
      for (const [index, { key }] of done.created.entries()) if (index % 5 === 0) await keyring.disable(key.id)
      const filter = { environment: 'live', owner: 'acme', state: 'active', text: 'key' } as const
      const listed: string[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<typeof keyring.list>> = await keyring.list({
          ...filter,
          limit: 2,
          ...(cursor !== null && { cursor }),
        })
        listed.push(...page.keys.map(({ name }) => name))
        cursor = page.cursor
      } while (cursor !== null)
      assert.deepEqual(listed, ['Key 6', 'Key 12', 'Key 18', 'Key 24'])
    })
  })
}
