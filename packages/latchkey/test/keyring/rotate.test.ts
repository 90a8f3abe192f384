import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openKeyring } from '../../src/keyring/open.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { codeOf, newFile, openOn, scopes, shop, speeds, counter, storeIn } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

for (const [speed, shape] of speeds) {
  describe(`rotation on a store that answers ${speed}`, () => {
    test('the old secret works until the stated millisecond and not one longer; the new one from the start', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      await keyring.verify(secret)
      const rotated = await keyring.rotate(key.id, { grace: 60 })
      assert.equal(rotated.oldEndsAt, clock.now() + 60_000)
      assert.notEqual(rotated.secret, secret)
      const codes = async (): Promise<readonly string[]> => [
        await codeOf(keyring.verify(secret)),
        await codeOf(keyring.verify(rotated.secret)),
      ]
      assert.deepEqual(await codes(), ['accepted', 'accepted'])
      clock.set(rotated.oldEndsAt - 1)
      assert.deepEqual(await codes(), ['accepted', 'accepted'])
      clock.set(rotated.oldEndsAt)
      assert.deepEqual(await codes(), ['secret_ended', 'accepted'])
    })

    for (const grace of [3600, 0]) {
      test(`sixty-four rotations at once with ${grace} s of grace make one successor; the others are conflicts`, async () => {
        const { keyring } = await openOn(shape)
        const { key } = await keyring.issue(shop)
        const all = await Promise.allSettled(Array.from({ length: 64 }, () => keyring.rotate(key.id, { grace })))
        const done = all.filter((one) => one.status === 'fulfilled')
        const failed = all.filter((one) => one.status === 'rejected')
        assert.equal(done.length, 1)
        assert.deepEqual(counter(failed.map(({ reason }) => (reason as { code: string }).code)), { conflict: 63 })
        assert.equal(await codeOf(keyring.verify(done[0]?.value.secret)), 'accepted')
        assert.equal((await entriesOf(keyring)).length, 2)
        // One that comes a little later, and has read the key after the others, is one of them.
        await new Promise(setImmediate)
        await assert.rejects(keyring.rotate(key.id, { grace }), { code: 'conflict' })
      })
    }

    test('a key stays what it is: id, limits, quota and usage are shared by both secrets', async () => {
      const { keyring } = await openOn(shape)
      const limits = [{ name: 'burst', limit: 3, window: 3600 }]
      const { key, secret } = await keyring.issue({ ...shop, limits, quota: { amount: 10 } })
      await keyring.verify(secret)
      const rotated = await keyring.rotate(key.id)
      const verdicts = [await keyring.verify(rotated.secret), await keyring.verify(secret)]
      assert.deepEqual(
        verdicts.map((verdict) => verdict.ok && [verdict.key.id, verdict.limits?.map(({ remaining }) => remaining)]),
        [
          [key.id, [1, 8]],
          [key.id, [0, 7]],
        ],
      )
      for (const each of [secret, rotated.secret]) assert.equal(await codeOf(keyring.verify(each)), 'over_limit')
      await keyring.flushUsage()
      const counts = (await keyring.usage({ key: key.id })).usage.map(({ outcome, count }) => [outcome, count])
      assert.deepEqual(counts, [
        ['accepted', 3],
        ['over_limit', 2],
      ])
      const { revision: _, secrets: _1, start: _2, lastUsedAt: _3, rotation: _10, quotaLeft, ...kept } = rotated.key
      const { revision: _4, secrets: _5, start: _6, lastUsedAt: _7, rotation: _9, quotaLeft: _8, ...before } = key
      assert.deepEqual(kept, before)
      assert.deepEqual(quotaLeft, { remaining: 9, refillsAt: null })
    })

    test('each secret shows when it was used last, and a call with the old one is told when it ends', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      const rotated = await keyring.rotate(key.id, { grace: 7200 })
      const since = clock.now()
      clock.advance(1000)
      const [old, fresh] = [await keyring.verify(secret), await keyring.verify(rotated.secret)]
      assert.deepEqual(old.ok && old.retiring, { since, until: rotated.oldEndsAt })
      assert.equal(fresh.ok && fresh.retiring, undefined)
      clock.advance(1000)
      await keyring.verify(secret)
      await keyring.flushUsage()
      const found = await keyring.find(key.id)
      assert.deepEqual(
        found?.secrets.map(({ endsAt, retiredAt, lastUsedAt }) => ({ endsAt, retiredAt, lastUsedAt })),
        [
          { endsAt: null, retiredAt: null, lastUsedAt: since + 1000 },
          { endsAt: rotated.oldEndsAt, retiredAt: since, lastUsedAt: since + 2000 },
        ],
      )
      assert.equal(found.lastUsedAt, since + 2000)
      const used = { oldEndsAt: rotated.oldEndsAt, oldLastUsedAt: since + 2000 }
      assert.deepEqual([rotated.key.rotation, found.rotation], [{ ...used, oldLastUsedAt: null }, used])
      assert.deepEqual((await keyring.list()).keys[0]?.rotation, used)
      clock.set(rotated.oldEndsAt)
      assert.equal((await keyring.find(key.id))?.secrets.length, 1, 'an ended one is no longer shown')
    })

    test('retiring ends the old secret when it answers, leaves the new one alone, and is once', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      const rotated = await keyring.rotate(key.id)
      await keyring.verify(secret)
      await keyring.retire(key.id)
      assert.equal(await codeOf(keyring.verify(secret)), 'secret_ended')
      assert.equal(await codeOf(keyring.verify(rotated.secret)), 'accepted')
      const { key: again } = await keyring.retire(key.id)
      assert.deepEqual([again.secrets.length, again.secrets[0]?.endsAt], [1, null])
      assert.deepEqual(
        (await entriesOf(keyring)).map(({ action }) => action),
        ['issue', 'rotate', 'retire'],
      )
      // And it can be rotated again, a second later: before, that would be one of many at once.
      clock.advance(1000)
      assert.equal(await codeOf(keyring.verify((await keyring.rotate(key.id)).secret)), 'accepted')
    })

    test('a key that is being rotated is not rotated again before its old secret has ended', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      const { oldEndsAt } = await keyring.rotate(key.id, { grace: 60 })
      clock.set(oldEndsAt - 1)
      await assert.rejects(keyring.rotate(key.id), { code: 'conflict', message: /until 2030-01-15T12:01:00/ })
      clock.set(oldEndsAt)
      await keyring.rotate(key.id)
    })

    test('an imported key is rotated to a minted secret, and keeps its old one for the grace time', async () => {
      const { keyring, clock } = await openOn(shape)
      const done = await keyring.importMany([
        { ...shop, hash: hashSecret('an older key'), algorithm: 'sha256', bits: 128 },
      ])
      assert.ok(!done.repeated)
      const { secret, oldEndsAt, key } = await keyring.rotate(done.created[0]?.id ?? '', { grace: 1 })
      assert.match(secret, /^lk_live_/)
      assert.deepEqual(
        key.secrets.map(({ kind }) => kind),
        ['minted', 'sha256'],
      )
      for (const each of ['an older key', secret]) assert.equal(await codeOf(keyring.verify(each)), 'accepted')
      clock.set(oldEndsAt)
      assert.equal(await codeOf(keyring.verify('an older key')), 'secret_ended')
    })

    test('revoking a key that is being rotated refuses both secrets, and it is neither rotated nor retired any more', async () => {
      const { keyring } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      const rotated = await keyring.rotate(key.id)
      await keyring.revoke(key.id, { reason: 'compromised' })
      for (const each of [secret, rotated.secret]) assert.equal(await codeOf(keyring.verify(each)), 'revoked')
      await assert.rejects(keyring.rotate(key.id), { code: 'conflict' })
      await assert.rejects(keyring.retire(key.id), { code: 'conflict' })
    })

    test('a grace time that cannot be is refused by name', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      for (const grace of [-1, 1.5, NaN, Infinity, 34_560_001, '60' as never]) {
        await assert.rejects(keyring.rotate(key.id, { grace }), { code: 'invalid_input', message: /^grace/ })
      }
    })
  })
}

test('of rotations at once through two keyrings on one file one is done, and both accept its secret', async () => {
  const file = newFile()
  const keyrings = [
    await openKeyring({ store: storeIn(file), scopes }),
    await openKeyring({ store: storeIn(file), scopes }),
  ] as const
  const { key } = await keyrings[0].issue(shop)
  const all = await Promise.allSettled(keyrings.flatMap((keyring) => [keyring.rotate(key.id), keyring.rotate(key.id)]))
  const secrets = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value.secret] : []))
  assert.equal(secrets.length, 1)
  for (const keyring of keyrings) assert.equal(await codeOf(keyring.verify(secrets[0])), 'accepted')
  for (const keyring of keyrings) await keyring.close()
})
