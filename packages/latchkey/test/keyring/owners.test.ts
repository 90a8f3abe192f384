import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { codeOf, openOn, shop, speeds, toldOf } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

for (const [speed, shape] of speeds) {
  describe(`owners on a store that answers ${speed}`, () => {
    test('disabling an owner refuses all its keys from the answer on, and nobody else’s; enabling takes them back', async () => {
      const { keyring } = await openOn(shape)
      const issued = [
        await keyring.issue(shop),
        await keyring.issue({ ...shop, environment: 'test' }),
        await keyring.issue({ ...shop, owner: 'umbrella' }),
      ]
      const codes = async (): Promise<readonly string[]> =>
        Promise.all(issued.map(({ key, secret }) => codeOf(keyring.verify(secret, { environment: key.environment }))))
      assert.deepEqual(await codes(), ['accepted', 'accepted', 'accepted'])
      const { owner, propagation } = await keyring.changeOwner(
        'acme',
        { disabled: true },
        { actor: 'alice', note: 'unpaid' },
      )
      assert.ok(owner.disabled && propagation.waitedMs > 0)
      assert.deepEqual(await codes(), ['owner_disabled', 'owner_disabled', 'accepted'])
      assert.equal((await keyring.find(issued[0]?.key.id ?? ''))?.state, 'owner_disabled')
      assert.equal((await keyring.list({ state: 'owner_disabled' })).keys.length, 2)
      // A key that is issued meanwhile is refused too.
      const late = await keyring.issue(shop)
      assert.equal(await codeOf(keyring.verify(late.secret)), 'owner_disabled')
      await keyring.changeOwner('acme', { disabled: false })
      assert.deepEqual(await codes(), ['accepted', 'accepted', 'accepted'])
      const entries = (await entriesOf(keyring, { owner: 'acme' })).filter(({ action }) => action !== 'issue')
      // Each has its own salt, so that its hash confirms no guess once it is emptied.
      assert.equal(new Set(entries.map(({ change }) => change['salt'])).size, entries.length)
      assert.deepEqual(
        entries.map((entry) => [entry.action, entry.actor, entry.subject, toldOf(entry)]),
        [
          [
            'disable',
            'alice',
            'owner:acme',
            { before: { disabled: false, limits: [] }, after: { disabled: true, limits: [] }, note: 'unpaid' },
          ],
          [
            'enable',
            'application',
            'owner:acme',
            { before: { disabled: true, limits: [] }, after: { disabled: false, limits: [] } },
          ],
        ],
      )
    })

    test('a key that moves to another owner stands as that owner stands', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      await keyring.issue({ ...shop, owner: 'umbrella' })
      await keyring.changeOwner('umbrella', { disabled: true })
      await keyring.change(key.id, { owner: 'umbrella' })
      assert.equal(await codeOf(keyring.verify(secret)), 'owner_disabled')
      await keyring.change(key.id, { owner: 'acme' })
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
    })

    test('an owner is known by its keys; who has none is unknown, and a change of nothing is no entry', async () => {
      const { keyring } = await openOn(shape)
      await keyring.issue(shop)
      assert.deepEqual(await keyring.owner('acme'), {
        owner: 'acme',
        disabled: false,
        disabledAt: null,
        limits: [],
        revision: 0,
      })
      assert.equal(await keyring.owner('nobody'), undefined)
      await assert.rejects(keyring.changeOwner('nobody', { disabled: true }), { code: 'unknown_owner' })
      await keyring.changeOwner('acme', { disabled: false, limits: null })
      assert.equal((await entriesOf(keyring)).length, 1)
    })

    test('three-state, and only at the revision named', async () => {
      const { keyring } = await openOn(shape)
      await keyring.issue(shop)
      const limits = [{ name: 'burst', limit: 10, window: 60 }]
      const { owner } = await keyring.changeOwner('acme', { limits }, { ifRevision: 0 })
      assert.deepEqual(owner, await keyring.owner('acme'))
      await assert.rejects(keyring.changeOwner('acme', { disabled: true }, { ifRevision: 0 }), {
        code: 'precondition_failed',
      })
      const { owner: disabled } = await keyring.changeOwner('acme', { disabled: true }, { ifRevision: owner.revision })
      assert.deepEqual([disabled.disabled, disabled.limits], [true, limits])
      assert.deepEqual((await keyring.changeOwner('acme', { limits: null })).owner.limits, [])
      for (const patch of [{ disabled: 1 }, { disabled: null }, { name: 'x' }, { limits: [{}] }, []]) {
        await assert.rejects(keyring.changeOwner('acme', patch as never), { code: 'invalid_input' })
      }
    })

    test('disabling an owner that is disabled keeps the first time, whatever else is changed with it', async () => {
      const { keyring, clock } = await openOn(shape)
      await keyring.issue(shop)
      const { owner: first } = await keyring.changeOwner('acme', { disabled: true })
      assert.equal(first.disabledAt, clock.now())
      clock.advance(1000)
      assert.deepEqual((await keyring.changeOwner('acme', { disabled: true })).owner, first)
      assert.equal((await entriesOf(keyring)).length, 2)
      const limits = [{ name: 'burst', limit: 10, window: 60 }]
      const { owner: changed } = await keyring.changeOwner('acme', { disabled: true, limits })
      assert.deepEqual(changed, { ...first, limits, revision: 3 })
      assert.deepEqual(await keyring.owner('acme'), changed)
      await keyring.changeOwner('acme', { disabled: false })
      const { owner: again } = await keyring.changeOwner('acme', { disabled: true })
      assert.equal(again.disabledAt, clock.now())
    })

    test('eight changes of an owner at once are all done, one after the other', async () => {
      const { keyring } = await openOn(shape)
      await keyring.issue(shop)
      const limit = (name: string): { name: string; limit: number; window: number } => ({ name, limit: 1, window: 60 })
      await Promise.all(
        Array.from({ length: 8 }, (_, at) => keyring.changeOwner('acme', { limits: [limit(`l${at}`)] })),
      )
      assert.equal((await entriesOf(keyring)).length, 9)
      const report = await keyring.verifyJournal()
      assert.ok(report.intact)
      assert.equal((await keyring.owner('acme'))?.revision, report.head?.seq)
    })
  })
}
