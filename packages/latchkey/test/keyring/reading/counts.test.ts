import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { hashSecret } from '../../../src/secret/hash.ts'
import type { Keyring, OpenKeyring } from '../../../src/keyring/keyring.ts'
import type { KeyCounts } from '../../../src/keyring/reading/counts.ts'
import { keyStates } from '../../../src/keyring/reading/list.ts'
import type { KeyState } from '../../../src/ports.ts'
import type { Scope } from '../workbench.ts'
import { openOn, shop, speeds } from '../workbench.ts'

const admin = { name: 'Admin', owner: 'operations', environment: 'admin', scopes: ['keys:*', 'owners:*'] as const }

/** The counts of a list of all keys, one by one. */
async function recounted(
  keyring: Keyring<Scope>,
  filter: { readonly owner?: string; readonly environment?: string },
  expiresBefore: number,
): Promise<KeyCounts> {
  const states = Object.fromEntries(keyStates.map((state) => [state, 0])) as Record<KeyState, number>
  let [keys, expiring] = [0, 0]
  let cursor: string | null | undefined
  while (cursor !== null) {
    const page = await keyring.list({ ...filter, limit: 1000, ...(cursor === undefined ? {} : { cursor }) })
    for (const { state, expiresAt } of page.keys) {
      keys++
      states[state]++
      const goesOn = state === 'active' || state === 'pending'
      if (goesOn && expiresAt !== null && expiresAt < expiresBefore) expiring++
    }
    cursor = page.cursor
  }
  return { keys, states, expiring }
}

const owners = ['acme', 'Acme', 'umbrella', 'zoo'] as const

/** Compares all that is counted with what is listed. */
async function mustAgree(keyring: Keyring<Scope>, expiresBefore: number): Promise<void> {
  for (const owner of [undefined, ...owners, 'operations']) {
    const ofOwner = owner === undefined ? {} : { owner }
    const counts = await keyring.counts({ ...ofOwner, expiresBefore })
    const { keys, states, expiring } = counts
    const where = owner ?? 'all owners'
    assert.deepEqual({ keys, states, expiring }, await recounted(keyring, ofOwner, expiresBefore), where)
    for (const { environment, ...counted } of counts.environments) {
      const filter = { ...ofOwner, environment }
      const expected = await recounted(keyring, filter, expiresBefore)
      assert.deepEqual(counted, expected, `${where} in ${environment}`)
      assert.deepEqual((await keyring.counts({ ...filter, expiresBefore })).environments, [
        { environment, ...expected },
      ])
    }
  }
  const { owners: listed } = await keyring.owners()
  for (const { owner, keys, states } of listed) {
    const expected = await recounted(keyring, { owner }, expiresBefore)
    assert.deepEqual({ keys, states }, { keys: expected.keys, states: expected.states }, owner)
  }
}

type Step = (keyring: OpenKeyring<Scope>, ids: readonly string[], now: number) => Promise<unknown>

const owner = fc.constantFrom(...owners)
const index = fc.nat()
const life = fc.record({
  notBefore: fc.option(fc.integer({ min: -2000, max: 2000 })),
  lasts: fc.option(fc.integer({ min: 1, max: 3000 })),
})

function lifeAt({ notBefore, lasts }: { notBefore: number | null; lasts: number | null }, now: number) {
  return {
    notBefore: notBefore === null ? null : now + notBefore,
    expiresAt: lasts === null ? null : now + Math.max(0, notBefore ?? 0) + lasts,
  }
}

const newKey = fc.record({ owner, environment: fc.constantFrom('live', 'test'), life })
let texts = 0

const step: fc.Arbitrary<Step> = fc.oneof(
  newKey.map((one): Step => (keyring, _, now) => {
    const { life: span, ...members } = one
    return keyring.issue({ ...shop, ...members, ...lifeAt(span, now) })
  }),
  fc.array(newKey, { minLength: 1, maxLength: 60 }).map(
    (some): Step =>
      (keyring, _, now) =>
        keyring.issueMany(some.map(({ life: span, ...members }) => ({ ...shop, ...members, ...lifeAt(span, now) }))),
  ),
  fc.array(fc.tuple(newKey, fc.boolean()), { minLength: 1, maxLength: 5 }).map((some): Step => (keyring, _, now) => {
    const imported = some.map(([{ life: span, ...members }, disabled]) => {
      const hash = hashSecret(`elsewhere ${++texts} 0123456789`)
      return { ...shop, ...members, ...lifeAt(span, now), hash, algorithm: 'sha256', bits: 128, disabled } as const
    })
    return keyring.importMany(imported)
  }),
  fc.tuple(index, fc.constantFrom('disable', 'enable', 'retire', 'rotate')).map(([which, verb]): Step => {
    return (keyring, ids) => keyring[verb as 'disable'](ids[which % ids.length] ?? '')
  }),
  index.map(
    (which): Step =>
      (keyring, ids) =>
        keyring.revoke(ids[which % ids.length] ?? '', { reason: 'other' }),
  ),
  // Only a revoked one is erased.
  index.map((which): Step => async (keyring, ids) => {
    const id = ids[which % ids.length] ?? ''
    await keyring.revoke(id, { reason: 'other' })
    await keyring.eraseKey(id)
  }),
  fc.tuple(index, owner, fc.option(life)).map(([which, to, span]): Step => {
    return (keyring, ids, now) =>
      keyring.change(ids[which % ids.length] ?? '', { owner: to, ...(span === null ? {} : lifeAt(span, now)) })
  }),
  fc.tuple(owner, fc.boolean()).map(([name, disabled]): Step => (keyring) => {
    return keyring.changeOwner(name, { disabled })
  }),
)

test(
  'what is counted is what is there, whatever was done, and whatever the time is',
  { timeout: 120_000 },
  async () => {
    const steps = fc.array(fc.tuple(step, fc.integer({ min: -1500, max: 2500 })), { minLength: 5, maxLength: 25 })
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { keyring, clock } = await openOn((store) => store)
        const ofAcme = { owner: 'acme', environments: ['live'], scopes: ['*'] }
        const bound = await keyring.issue({ ...admin, delegation: ofAcme })
        const inTest = await keyring.issue({ ...admin, delegation: { ...ofAcme, owner: null, environments: ['test'] } })
        for (const [one, later] of all) {
          const ids = (await keyring.list({ limit: 1000 })).keys.filter((key) => key.owner !== 'operations')
          const expected = new Set(['conflict', 'unknown_owner', 'unknown_key', 'invalid_input'])
          await one(
            keyring,
            ids.map(({ id }) => id),
            clock.now(),
          ).catch((error: { code: string; message: string }) => assert.ok(expected.has(error.code), error.message))
          clock.advance(later)
        }
        const soon = clock.now() + 1000
        for (const view of [keyring, keyring.as(bound.key.id), keyring.as(inTest.key.id)]) await mustAgree(view, soon)
        await keyring.close()
      }),
      { numRuns: 40, endOnFailure: true },
    )
  },
)

for (const [speed, shape] of speeds) {
  describe(`counts on a store that answers ${speed}`, () => {
    test('a key counts once, by the first state that it has, as the clock goes on', async () => {
      const { keyring, clock } = await openOn(shape)
      const now = clock.now()
      const { key } = await keyring.issue({ ...shop, notBefore: now + 10, expiresAt: now + 20 })
      const state = async (): Promise<string> => {
        const { states, keys } = await keyring.counts({ expiresBefore: 0 })
        assert.equal(keys, 1)
        return keyStates.filter((one) => states[one] === 1).join()
      }
      const seen = [await state()]
      for (const later of [9, 1, 9, 1]) {
        clock.advance(later)
        seen.push(await state())
      }
      assert.deepEqual(seen, ['pending', 'pending', 'active', 'active', 'expired'])
      await keyring.changeOwner('acme', { disabled: true })
      assert.equal(await state(), 'owner_disabled')
      await keyring.disable(key.id)
      assert.equal(await state(), 'disabled')
      await keyring.revoke(key.id, { reason: 'other' })
      assert.equal(await state(), 'revoked')
      assert.deepEqual(
        (await keyring.counts()).environments.map(({ environment, keys }) => [environment, keys]),
        [
          ['live', 1],
          ['test', 0],
          ['admin', 0],
        ],
      )
    })

    test('an admin key that is bound counts its own alone, and learns nothing of others by asking', async () => {
      const { keyring } = await openOn(shape)
      await keyring.issueMany([shop, shop, { ...shop, owner: 'umbrella' }, { ...shop, environment: 'test' }])
      const delegation = { owner: 'acme', environments: ['live'], scopes: ['*'] }
      const { key } = await keyring.issue({ ...admin, delegation })
      const view = keyring.as(key.id)
      const { keys, environments: each } = await view.counts()
      assert.deepEqual([keys, each.map(({ environment }) => environment)], [2, ['live']])
      const other = await view.counts({ owner: 'umbrella' })
      assert.deepEqual({ ...other, asOf: 0 }, { ...(await view.counts({ owner: 'nobody' })), asOf: 0 })
      assert.equal(other.keys, 0)
      const elsewhere = await view.counts({ environment: 'test' })
      assert.deepEqual([elsewhere.keys, elsewhere.environments], [0, []])
      const { key: powerless } = await keyring.issue({ ...admin, delegation: null })
      assert.deepEqual((await keyring.as(powerless.id).counts()).environments, [])
      const { key: unfit } = await keyring.issue({ ...admin, scopes: ['owners:read'], delegation })
      await assert.rejects(keyring.as(unfit.id).counts(), { code: 'beyond_delegation' })
    })

    test('what is asked wrongly is refused', async () => {
      const { keyring } = await openOn(shape)
      for (const options of [{ owner: '' }, { environment: 'moon' }, { expiresBefore: -1 }, { state: 'active' }]) {
        await assert.rejects(keyring.counts(options), { code: 'invalid_input' }, JSON.stringify(options))
      }
    })
  })
}
