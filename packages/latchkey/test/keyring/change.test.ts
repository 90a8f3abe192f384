import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bounds } from '../../src/input.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { codeOf, newFile, openOn, scopes, shop, speeds, toldOf, storeIn } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const full = {
  ...shop,
  metadata: { plan: 'pro' },
  addresses: ['192.0.2.0/24'],
  limits: [{ name: 'burst', limit: 10, window: 60 }],
  quota: { amount: 100, refill: 'month' as const },
}

for (const [speed, shape] of speeds) {
  describe(`changing a key on a store that answers ${speed}`, () => {
    test('what is left out stays, null clears, a value sets', async () => {
      const { keyring, clock } = await openOn(shape)
      const expiresAt = clock.now() + 1000
      const { key } = await keyring.issue({ ...full, notBefore: 1, expiresAt })
      const { key: renamed } = await keyring.change(key.id, { name: 'Till' })
      assert.deepEqual({ ...renamed, revision: 0 }, { ...key, name: 'Till', revision: 0 })
      const nothing = { notBefore: null, expiresAt: null, metadata: null, addresses: null, limits: null, quota: null }
      const { key: cleared } = await keyring.change(key.id, nothing)
      const { notBefore, metadata, addresses, limits, quota, quotaLeft } = cleared
      assert.deepEqual(
        [notBefore, cleared.expiresAt, metadata, addresses, limits, quota, quotaLeft],
        [null, null, {}, null, [], null, null],
      )
      assert.deepEqual([cleared.name, cleared.owner, cleared.scopes], ['Till', 'acme', ['orders:read']])
      const set = {
        owner: 'umbrella',
        scopes: ['orders:*'] as const,
        expiresAt: expiresAt + 1,
        quota: { amount: 5, remaining: 2 },
      }
      const { key: changed } = await keyring.change(key.id, set)
      assert.deepEqual([changed.owner, changed.scopes, changed.expiresAt], ['umbrella', ['orders:*'], expiresAt + 1])
      assert.deepEqual(changed.quotaLeft, { remaining: 2, refillsAt: null })
      assert.deepEqual(await keyring.find(key.id), changed)
    })

    test('what cannot be cleared, what cannot be and what nobody knows is refused by name, and nothing changes', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key } = await keyring.issue({ ...full, expiresAt: clock.now() + 1000 })
      const wrong: readonly (readonly [patch: object, message: RegExp])[] = [
        [{ name: null }, /^name/],
        [{ owner: null }, /^owner/],
        [{ scopes: null }, /^scopes/],
        [{ expiresAt: clock.now() }, /^expiresAt/],
        [{ notBefore: clock.now() + 1000 }, /^expiresAt/],
        [{ addresses: [] }, /^addresses/],
        [{ addresses: ['nowhere'] }, /^addresses\[0\]/],
        [{ limits: [{ name: 'burst', limit: 0, window: 1 }] }, /^limits\[0\]\.limit/],
        [{ limits: [{ name: 'burst', limit: 1, window: 1.5 }] }, /^limits\[0\]\.window/],
        [{ limits: [{ name: 'quota', limit: 1, window: 1 }] }, /^limits\[0\]\.name/],
        [{ limits: [full.limits[0], full.limits[0]] }, /^limits\[1\]\.name/],
        [{ quota: { amount: -1 } }, /^quota\.amount/],
        [{ quota: { amount: 1, remaining: 2 } }, /^quota\.remaining/],
        [{ quota: { amount: 1, refill: 'year' } }, /^quota\.refill/],
        [{ delegation: { owner: null, environments: ['live'], scopes: [] } }, /^delegation/],
        [{ expires: 1 }, /"expires"/],
        [{ name: 'Till', environment: 'test' }, /"environment"/],
        [{ revokedAt: null }, /"revokedAt"/],
        [[], /^A change/],
      ]
      for (const [patch, message] of wrong) {
        await assert.rejects(keyring.change(key.id, patch), { code: 'invalid_input', message }, JSON.stringify(patch))
      }
      await assert.rejects(keyring.change(key.id, { scopes: ['orders:fly' as never] }), { code: 'unknown_scope' })
      await assert.rejects(keyring.change('key_nobody', { name: 'Till' }), { code: 'unknown_key' })
      assert.deepEqual(await keyring.find(key.id), key)
      assert.equal((await entriesOf(keyring)).length, 1)
    })

    test('a change of what somebody else has changed meanwhile is refused where the revision is named', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      const { key: changed } = await keyring.change(key.id, { name: 'Till' }, { ifRevision: key.revision })
      assert.ok(changed.revision > key.revision)
      const stale = { ifRevision: key.revision }
      const verbs = [
        keyring.change(key.id, { name: 'Bar' }, stale),
        keyring.rotate(key.id, stale),
        keyring.retire(key.id, stale),
        keyring.disable(key.id, stale),
        keyring.enable(key.id, stale),
        keyring.revoke(key.id, { reason: 'unused', ...stale }),
      ]
      for (const verb of verbs) await assert.rejects(verb, { code: 'precondition_failed' })
      assert.deepEqual(await keyring.find(key.id), changed)
    })

    test('sixteen changes of one revision at once are one', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      const all = await Promise.allSettled(
        Array.from({ length: 16 }, (_, index) =>
          keyring.change(key.id, { name: `Name ${index}` }, { ifRevision: key.revision }),
        ),
      )
      assert.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
      assert.equal((await entriesOf(keyring)).length, 2)
    })

    test('changes of different members at once do not undo each other', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      await Promise.all([
        keyring.change(key.id, { name: 'Till' }),
        keyring.change(key.id, { metadata: { plan: 'pro' } }),
        keyring.change(key.id, { addresses: ['192.0.2.1'] }),
        keyring.disable(key.id),
      ])
      const found = await keyring.find(key.id)
      assert.deepEqual(
        [found?.name, found?.metadata, found?.addresses, found?.state],
        ['Till', { plan: 'pro' }, ['192.0.2.1/32'], 'disabled'],
      )
    })

    test('the journal tells what was before and what is after, why, and never a secret', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 5 } })
      const limits = [{ name: 'burst', limit: 1, window: 60 }]
      await keyring.change(key.id, { name: 'Till', owner: 'acme', limits }, { actor: 'alice', note: 'as they asked' })
      const rotated = await keyring.rotate(key.id, { actor: 'bob' })
      await keyring.change(key.id, { quota: { amount: 5, remaining: 5 } })
      const entries = await entriesOf(keyring)
      assert.deepEqual(entries[1]?.actor, 'alice')
      assert.deepEqual(toldOf(entries[1]), {
        before: { name: 'Shop', limits: [] },
        after: { name: 'Till', limits },
        note: 'as they asked',
      })
      assert.deepEqual(toldOf(entries[3]), { before: {}, after: {}, quotaLeft: 5 })
      const told = JSON.stringify(entries)
      for (const each of [secret, rotated.secret]) {
        assert.ok(!told.includes(each) && !told.includes(hashSecret(each)))
      }
    })

    test('metadata is changed by member: null removes one, objects are merged, and the others stay', async () => {
      const { keyring } = await openOn(shape)
      const given = { plan: 'pro', seats: { used: 1, free: [1, null] }, none: null, on: true, ['__proto__']: 'odd' }
      const { key, secret } = await keyring.issue({ ...shop, metadata: JSON.parse(JSON.stringify(given)) as never })
      const read = async (): Promise<string> => {
        const verdict = await keyring.verify(secret)
        const found = await keyring.find(key.id)
        assert.ok(verdict.ok)
        assert.equal(JSON.stringify(verdict.key.metadata), JSON.stringify(found?.metadata))
        return JSON.stringify(found?.metadata)
      }
      assert.equal(await read(), '{"plan":"pro","seats":{"used":1,"free":[1,null]},"on":true,"__proto__":"odd"}')
      await keyring.change(key.id, { metadata: { seats: { used: null, held: { a: 1 } }, on: null, plan: 'free' } })
      assert.equal(await read(), '{"plan":"free","seats":{"free":[1,null],"held":{"a":1}},"__proto__":"odd"}')
      await keyring.change(key.id, { metadata: { seats: [1], ['plan']: { name: 'x' } } })
      await keyring.change(key.id, { metadata: { plan: { until: 5 }, never: null } })
      assert.equal(await read(), '{"plan":{"name":"x","until":5},"seats":[1],"__proto__":"odd"}')
      const entries = (await entriesOf(keyring)).length
      const found = await keyring.find(key.id)
      await keyring.change(key.id, { metadata: found?.metadata ?? {} })
      assert.equal((await entriesOf(keyring)).length, entries, 'what is sent back as it was read changes nothing')
      for (const metadata of [{ plan: 'x'.repeat(16_380) }, { deep: [[[[[[[[]]]]]]]] }, []]) {
        await assert.rejects(keyring.change(key.id, { metadata } as never), {
          code: 'invalid_input',
          message: /^metadata/,
        })
      }
      await keyring.change(key.id, { metadata: null })
      assert.equal(await read(), '{}')
      assert.ok((await keyring.verifyJournal({ rows: true })).intact)
    })

    test('what is left of a quota is added to and taken from, while calls spend from it', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue({ ...shop, quota: { amount: 5, refill: 'hour' } })
      const left = async () => (await keyring.find(key.id))?.quotaLeft?.remaining
      await keyring.verify(secret)
      await Promise.all([
        keyring.change(key.id, { quota: { add: 10 } }, { idempotencyKey: 'once' }),
        keyring.verify(secret),
        keyring.verify(secret),
      ])
      assert.equal(await left(), 12, 'more than the amount, and no call is forgotten')
      await keyring.change(key.id, { quota: { add: 10 } }, { idempotencyKey: 'once' })
      assert.equal(await left(), 12, 'sent again it adds nothing')
      await keyring.change(key.id, { quota: { take: 10 }, name: 'Till' })
      assert.equal(await left(), 2)
      await keyring.change(key.id, { quota: { take: 10 } })
      assert.equal(await left(), 0)
      assert.equal(await codeOf(keyring.verify(secret)), 'quota_exhausted')
      clock.advance(3_600_000)
      assert.equal(await left(), 5, 'the next period is as it always is')
      await keyring.change(key.id, { quota: { take: 5 } })
      assert.equal(await codeOf(keyring.verify(secret)), 'quota_exhausted')
      const entries = (await entriesOf(keyring)).map(toldOf)
      assert.deepEqual(entries[1], { before: {}, after: {}, quotaAdded: 10 })
      assert.deepEqual(entries[2], { before: { name: 'Shop' }, after: { name: 'Till' }, quotaTaken: 10 })
      assert.deepEqual((await keyring.find(key.id))?.quota, { amount: 5, refill: 'hour' })
    })

    test('a step of a quota that cannot be is refused', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue({ ...shop, quota: { amount: 5 } })
      for (const quota of [
        { add: 0 },
        { add: -1 },
        { add: 1.5 },
        { take: 0 },
        { add: 1, take: 1 },
        { add: 1, amount: 5 },
        { add: undefined },
        { take: '1' },
        { add: bounds.quota },
      ]) {
        await assert.rejects(
          keyring.change(key.id, { quota } as never),
          { code: 'invalid_input' },
          JSON.stringify(quota),
        )
      }
      await assert.rejects(keyring.issue({ ...shop, quota: { add: 5 } } as never), { code: 'invalid_input' })
      await keyring.change(key.id, { quota: null })
      await assert.rejects(keyring.change(key.id, { quota: { add: 1 } }), { code: 'conflict' })
      assert.equal((await entriesOf(keyring)).length, 2)
    })

    test('a change that changes nothing is no entry', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue({ ...full, quota: null })
      const { name, owner, metadata, addresses, limits } = full
      const patch = { name, owner, scopes: ['orders:read'] as const, metadata, addresses, limits, quota: null }
      const { key: same } = await keyring.change(key.id, patch)
      await keyring.change(key.id, {})
      await keyring.enable(key.id)
      await keyring.retire(key.id)
      assert.equal(same.revision, key.revision)
      assert.equal((await entriesOf(keyring)).length, 1)
    })

    test('a disabled key is refused from the answer on until it is enabled; a revoked one is never enabled', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      await keyring.verify(secret)
      assert.equal((await keyring.disable(key.id)).key.state, 'disabled')
      assert.equal(await codeOf(keyring.verify(secret)), 'disabled')
      assert.equal((await keyring.enable(key.id)).key.state, 'active')
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      await keyring.disable(key.id)
      await keyring.revoke(key.id, { reason: 'unused' })
      assert.equal(await codeOf(keyring.verify(secret)), 'revoked')
      for (const verb of [keyring.enable(key.id), keyring.disable(key.id), keyring.change(key.id, { name: 'Till' })]) {
        await assert.rejects(verb, { code: 'conflict' })
      }
    })
  })
}

test('a key that was narrowed through one keyring is narrow in every other on the file when the change answers', async () => {
  const file = newFile()
  const keyrings = await Promise.all(Array.from({ length: 3 }, () => openKeyring({ store: storeIn(file), scopes })))
  const [first] = keyrings
  assert.ok(first)
  const requirement = { allOf: ['orders:read'] } as const
  const call = { ip: '192.0.2.1' }
  for (let round = 0; round < 10; round++) {
    const { key, secret } = await first.issue(shop)
    const codes = async (): Promise<readonly string[]> =>
      Promise.all(keyrings.map((keyring) => codeOf(keyring.verify(secret, requirement, call))))
    assert.deepEqual(await codes(), ['accepted', 'accepted', 'accepted'])
    await first.change(key.id, { addresses: ['198.51.100.0/24'] })
    assert.deepEqual(
      await codes(),
      Array.from({ length: 3 }, () => 'address_not_allowed'),
    )
    await first.change(key.id, { addresses: null, scopes: [] })
    assert.deepEqual(
      await codes(),
      Array.from({ length: 3 }, () => 'insufficient_scope'),
    )
  }
  for (const keyring of keyrings) await keyring.close()
})
