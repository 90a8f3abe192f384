import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hashSecret } from '../../src/secret/hash.ts'
import { codeOf, newFile, openOn, shop, speeds, counter } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

for (const [speed, shape] of speeds) {
  describe(`issuing in bulk on a store that answers ${speed}`, () => {
    test('a thousand keys are issued at once, in order, each with its own secret', async () => {
      const { keyring } = await openOn(shape)
      const done = await keyring.issueMany(
        Array.from({ length: 1000 }, (_, index) => ({ ...shop, name: `Key ${index}` })),
      )
      assert.ok(!done.repeated)
      assert.equal(new Set(done.created.map(({ secret }) => secret)).size, 1000)
      const { keys } = await keyring.list({ limit: 1000 })
      assert.deepEqual(
        keys.map(({ id, name }) => [id, name]),
        done.created.map(({ key }, index) => [key.id, `Key ${index}`]),
      )
      for (const { key, secret } of [done.created[0], done.created[999]].filter((one) => one !== undefined)) {
        const verdict = await keyring.verify(secret)
        assert.equal(verdict.ok && verdict.key.id, key.id)
      }
      const report = await keyring.verifyJournal()
      assert.deepEqual([report.intact, report.entries], [true, 1000])
    })

    test('while a thousand keys are made and read back, everybody else has a turn again and again', async () => {
      const { keyring } = await openOn(shape)
      let turns = 0
      let going = true
      const turn = (): void => {
        turns++
        if (going) setImmediate(turn)
      }
      setImmediate(turn)
      await keyring.issueMany(Array.from({ length: 1000 }, () => shop))
      going = false
      assert.ok(turns >= 30, `${turns} turns`)
    })

    test('one that cannot be is named, and none is issued', async () => {
      const { keyring } = await openOn(shape)
      const keys = [shop, { ...shop, name: '' }, shop]
      await assert.rejects(keyring.issueMany(keys), { code: 'invalid_input', message: /^Key 2 of 3: name/ })
      const never = [shop, { ...shop, scopes: ['orders:fly'] as never }]
      await assert.rejects(keyring.issueMany(never), { code: 'unknown_scope', message: /^Key 2 of 2/ })
      for (const wrong of [[], Array.from({ length: 1001 }, () => shop), shop, null]) {
        await assert.rejects(keyring.issueMany(wrong as never), { code: 'invalid_input' })
      }
      assert.deepEqual(await entriesOf(keyring), [])
    })

    test('sent again with its token it does nothing, and answers with the same keys without their secrets', async () => {
      const { keyring } = await openOn(shape)
      const call = { idempotencyKey: 'order 4711', actor: 'alice' }
      const first = await keyring.issueMany([shop, shop], call)
      assert.ok(!first.repeated)
      const again = await keyring.issueMany([shop, shop], call)
      assert.ok(again.repeated)
      assert.deepEqual(
        again.keys,
        first.created.map(({ key }) => key),
      )
      const told = JSON.stringify(again)
      for (const { secret } of first.created) assert.ok(!told.includes(secret) && !told.includes(hashSecret(secret)))
      assert.equal((await entriesOf(keyring)).length, 2)
    })

    test('the same call with its members in another order is the same call', async () => {
      const { keyring } = await openOn(shape)
      const call = { idempotencyKey: 'one' }
      await keyring.issueMany([{ ...shop, quota: { amount: 5, refill: 'day' } }], call)
      const turned = Object.fromEntries(Object.entries({ ...shop, quota: { refill: 'day', amount: 5 } }).toReversed())
      assert.ok((await keyring.issueMany([turned as never], call)).repeated)
    })

    test('the token of another call is refused; that of another actor is another', async () => {
      const { keyring } = await openOn(shape)
      const call = { idempotencyKey: 'one', actor: 'alice' }
      await keyring.issueMany([shop], call)
      const item = { ...shop, hash: hashSecret('an older key'), algorithm: 'sha256', bits: 128 } as const
      await assert.rejects(keyring.issueMany([{ ...shop, name: 'Till' }], call), { code: 'idempotency_key_reused' })
      await assert.rejects(keyring.issueMany([shop, shop], call), { code: 'idempotency_key_reused' })
      await assert.rejects(keyring.importMany([item], call), { code: 'idempotency_key_reused' })
      assert.equal((await keyring.issueMany([shop], { ...call, actor: 'bob' })).repeated, false)
      assert.equal((await entriesOf(keyring)).length, 2)
      for (const idempotencyKey of ['', 'x'.repeat(201), 'a\nb']) {
        await assert.rejects(keyring.issueMany([shop], { idempotencyKey }), { code: 'invalid_input' })
      }
    })

    test('thirty-two times at once through two keyrings on one file it makes one set of keys', async () => {
      const file = newFile()
      const keyrings = [(await openOn(shape, { file })).keyring, (await openOn(shape, { file })).keyring]
      const call = { idempotencyKey: 'one' }
      const all = await Promise.all(
        Array.from({ length: 32 }, async (_, index) => keyrings[index % 2]?.issueMany([shop, shop], call)),
      )
      assert.deepEqual(counter(all.map((done) => String(done?.repeated))), { false: 1, true: 31 })
      const ids = all.map((done) =>
        done?.repeated === true ? done.keys.map(({ id }) => id) : done?.created.map(({ key }) => key.id),
      )
      assert.equal(new Set(ids.map((set) => JSON.stringify(set))).size, 1)
      assert.equal((await keyrings[0]?.list())?.keys.length, 2)
      for (const keyring of keyrings) await keyring.close()
    })

    test('a call that failed leaves its token unused', async () => {
      const { keyring } = await openOn(shape)
      const item = { ...shop, hash: hashSecret('an older key'), algorithm: 'sha256', bits: 128 } as const
      await keyring.importMany([item])
      await assert.rejects(keyring.importMany([item], { idempotencyKey: 'one' }), { code: 'conflict' })
      assert.equal((await keyring.issueMany([shop], { idempotencyKey: 'one' })).repeated, false)
    })

    test('a token is remembered for a day', async () => {
      const { keyring, clock } = await openOn(shape)
      await keyring.issueMany([shop], { idempotencyKey: 'one' })
      clock.advance(86_400_000)
      await keyring.issueMany([shop], { idempotencyKey: 'another' })
      assert.equal((await keyring.issueMany([shop], { idempotencyKey: 'one' })).repeated, true)
      clock.advance(1)
      await keyring.issueMany([shop], { idempotencyKey: 'a third' })
      assert.equal((await keyring.issueMany([shop], { idempotencyKey: 'one' })).repeated, false)
    })

    test('a key that was issued in bulk and changed since is told as it is now', async () => {
      const { keyring } = await openOn(shape)
      const call = { idempotencyKey: 'one' }
      const first = await keyring.issueMany([shop], call)
      assert.ok(!first.repeated)
      const id = first.created[0]?.key.id ?? ''
      await keyring.revoke(id, { reason: 'unused' })
      const again = await keyring.issueMany([shop], call)
      assert.deepEqual(again.repeated && again.keys.map(({ state }) => state), ['revoked'])
      assert.equal(await codeOf(keyring.verify(first.created[0]?.secret)), 'revoked')
    })
  })
}
