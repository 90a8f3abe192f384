import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Keyring } from '../../../src/keyring/keyring.ts'
import type { ListedOwner, OwnersOptions } from '../../../src/keyring/reading/owners.ts'
import type { Scope } from '../workbench.ts'
import { openOn, shop, speeds } from '../workbench.ts'

const admin = { name: 'Admin', owner: 'operations', environment: 'admin', scopes: ['owners:*'] as const }
const limits = [{ name: 'shared', limit: 5, window: 60 }]

async function walked(keyring: Keyring<Scope>, options: OwnersOptions = {}): Promise<readonly ListedOwner[]> {
  const all: ListedOwner[] = []
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await keyring.owners({ ...options, ...(cursor === undefined ? {} : { cursor }) })
    all.push(...page.owners)
    cursor = page.cursor
  }
  return all
}

const namesOf = (owners: readonly ListedOwner[]): readonly string[] => owners.map(({ owner }) => owner)

for (const [speed, shape] of speeds) {
  describe(`a list of owners on a store that answers ${speed}`, () => {
    test('it has every owner with a key or a record once, with its keys, its limits and its state', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      await keyring.issueMany([shop, { ...shop, environment: 'test' }, { ...shop, owner: 'Zoo' }])
      await keyring.disable(key.id)
      await keyring.changeOwner('early', { limits })
      await keyring.changeOwner('Zoo', { disabled: true, limits })
      const [acme, early, zoo, ...more] = await walked(keyring)
      const none = { active: 0, pending: 0, expired: 0, disabled: 0, owner_disabled: 0, revoked: 0 }
      const states = { ...none, active: 2, disabled: 1 }
      assert.deepEqual(acme, {
        owner: 'acme',
        disabled: false,
        disabledAt: null,
        limits: [],
        revision: 0,
        keys: 3,
        states,
      })
      assert.deepEqual([early?.owner, early?.keys, early?.states, early?.limits], ['early', 0, none, limits])
      assert.deepEqual([zoo?.owner, zoo?.disabled, zoo?.states.owner_disabled, more.length], ['Zoo', true, 1, 0])
      const { keys: _, states: __, ...plain } = zoo!
      assert.deepEqual(await keyring.owner('Zoo'), plain)
    })

    test('an owner whose last key has moved away is no longer there, unless more than its name is kept', async () => {
      const { keyring } = await openOn(shape)
      const keys = [await keyring.issue(shop), await keyring.issue({ ...shop, owner: 'kept' })]
      await keyring.changeOwner('kept', { limits })
      for (const { key } of keys) await keyring.change(key.id, { owner: 'umbrella' })
      assert.deepEqual(namesOf(await walked(keyring)), ['kept', 'umbrella'])
    })

    test('an owner has limits before it has a key; but who only disables one that is unknown has mistyped it', async () => {
      const { keyring } = await openOn(shape)
      const { owner } = await keyring.changeOwner('early', { limits: [{ name: 'all', limit: 1, window: 60 }] })
      assert.deepEqual(await keyring.owner('early'), owner)
      const { secret } = await keyring.issue({ ...shop, owner: 'early' })
      const codes = [await keyring.verify(secret), await keyring.verify(secret)]
      assert.deepEqual(
        codes.map((verdict) => (verdict.ok ? 'accepted' : verdict.refusal.code)),
        ['accepted', 'over_limit'],
      )
      for (const disabled of [true, false]) {
        await assert.rejects(keyring.changeOwner('typo', { disabled }), { code: 'unknown_owner' })
      }
      assert.equal(await keyring.owner('typo'), undefined)
      assert.ok((await keyring.verifyJournal({ rows: true })).intact)
    })

    test('an admin key that is bound lists and makes its own owner alone', async () => {
      const { keyring } = await openOn(shape)
      await keyring.issueMany([shop, { ...shop, environment: 'test' }, { ...shop, owner: 'umbrella' }])
      await keyring.changeOwner('early', { limits })
      const everywhere = {
        owner: 'acme',
        environments: ['live', 'test', 'admin'],
        scopes: ['*'],
        members: ['limits'] as const,
      }
      const as = async (delegation: object | null): Promise<Keyring<Scope>> => {
        const { key } = await keyring.issue({ ...admin, delegation: delegation as never })
        return keyring.as(key.id)
      }
      const ofAcme = await as(everywhere)
      const told = await ofAcme.owners({ limit: 1 })
      assert.deepEqual([namesOf(told.owners), told.owners[0]?.keys, told.cursor], [['acme'], 2, null])
      for (const text of ['u', 'early', 'nobody']) assert.deepEqual((await ofAcme.owners({ text })).owners, [])
      await assert.rejects(ofAcme.changeOwner('early', { limits }), { code: 'unknown_owner' })
      await assert.rejects(ofAcme.changeOwner('nobody', { limits }), { code: 'unknown_owner' })
      const ofNew = await as({ ...everywhere, owner: 'new' })
      assert.deepEqual((await ofNew.owners()).owners, [])
      await ofNew.changeOwner('new', { limits })
      assert.deepEqual(namesOf((await ofNew.owners()).owners), ['new'])

      const live = await as({ ...everywhere, owner: 'acme', environments: ['live'] })
      assert.deepEqual(
        (await live.owners()).owners.map(({ owner, keys }) => [owner, keys]),
        [['acme', 1]],
      )
      const inTest = await as({ ...everywhere, owner: null, environments: ['test'] })
      assert.deepEqual(
        (await inTest.owners()).owners.map(({ owner, keys }) => [owner, keys]),
        [['acme', 1]],
      )
      await assert.rejects(inTest.changeOwner('nobody', { limits }), { code: 'unknown_owner' })
      assert.deepEqual(await (await as(null)).owners(), { owners: [], cursor: null })
    })

    test('what is asked wrongly is refused', async () => {
      const { keyring } = await openOn(shape)
      for (const options of [{ limit: 0 }, { limit: 1001 }, { cursor: 'x' }, { text: '' }, { order: 'name' }]) {
        await assert.rejects(keyring.owners(options), { code: 'invalid_input' }, JSON.stringify(options))
      }
    })
  })
}

test('page after page, every owner comes once, in the order of names, and a text finds those that begin with it', async () => {
  const letters = fc.constantFrom('a', 'A', 'b', 'ab', 'z', '_', '%', '0', 'é', '日', '🗝')
  const name = fc.array(letters, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(''))
  const given = fc.record({
    names: fc.uniqueArray(name, { minLength: 1, maxLength: 25 }),
    text: fc.option(name, { nil: undefined }),
    limit: fc.integer({ min: 1, max: 7 }),
  })
  await fc.assert(
    fc.asyncProperty(given, async ({ names, text, limit }) => {
      const { keyring } = await openOn((store) => store)
      const [withKeys, bare] = [names.filter((_, at) => at % 3 > 0), names.filter((_, at) => at % 2 === 0)]
      if (withKeys.length > 0) await keyring.issueMany(withKeys.map((owner) => ({ ...shop, owner })))
      for (const owner of bare) await keyring.changeOwner(owner, { limits })
      const expected = [...new Set([...withKeys, ...bare])].filter((one) => folded(one).startsWith(folded(text ?? '')))
      const found = namesOf(await walked(keyring, { limit, ...(text === undefined ? {} : { text }) }))
      assert.deepEqual(found, expected.toSorted(byName))
      await keyring.close()
    }),
    { numRuns: 60, endOnFailure: true },
  )
})

/** As the engine does: only the letters of ASCII have small ones. */
function folded(name: string): string {
  return name.normalize().replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function byName(one: string, other: string): number {
  return (
    Buffer.compare(Buffer.from(folded(one)), Buffer.from(folded(other))) ||
    Buffer.compare(Buffer.from(one), Buffer.from(other))
  )
}
