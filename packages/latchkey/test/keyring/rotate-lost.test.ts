// Nobody is stranded by a rotation whose new secret was lost on its way: whoever goes on by what they are told ends with
// a caller that works.

import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, test } from 'node:test'
import { LatchkeyError } from '../../src/error.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import type { Keyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import type { Scope } from './workbench.ts'
import { codeOf, newFile, openOn, scopes, shop, speeds, storeIn } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const once = { idempotencyKey: 'rotation of May' }

async function codesOf(keyring: Keyring<Scope>, secrets: readonly (string | null)[]): Promise<readonly string[]> {
  return Promise.all(secrets.map(async (secret) => codeOf(keyring.verify(secret ?? ''))))
}

for (const [speed, shape] of speeds) {
  describe(`a lost secret of a rotation on a store that answers ${speed}`, () => {
    test('sent again, a rotation puts another secret in the place of the one that nobody heard', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      clock.advance(1000)
      const lost = await keyring.rotate(key.id, { grace: 60, ...once })
      clock.advance(5000)
      const heard = await keyring.rotate(key.id, { grace: 60, ...once })
      assert.equal(heard.repeated, true)
      assert.equal(heard.oldEndsAt, lost.oldEndsAt, 'the old one keeps its end')
      assert.deepEqual(await codesOf(keyring, [secret, lost.secret, heard.secret]), [
        'accepted',
        'secret_ended',
        'accepted',
      ])
      assert.deepEqual(
        (await entriesOf(keyring)).map(({ action }) => action),
        ['issue', 'rotate', 'rotate'],
      )
      clock.set(lost.oldEndsAt)
      assert.deepEqual(await codesOf(keyring, [secret, heard.secret]), ['secret_ended', 'accepted'])
    })

    test('sent again after its secret was used, a rotation changes nothing: whoever uses it has it', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      clock.advance(1000)
      const first = await keyring.rotate(key.id, once)
      clock.advance(5000)
      assert.equal(await codeOf(keyring.verify(first.secret ?? '')), 'accepted')
      const again = await keyring.rotate(key.id, once)
      assert.deepEqual([again.repeated, again.secret, again.oldEndsAt], [true, null, first.oldEndsAt])
      await assert.rejects(keyring.rotate(key.id, { replace: true }), { code: 'conflict', message: /was used at/ })
      assert.deepEqual(await codesOf(keyring, [secret, first.secret]), ['accepted', 'accepted'])
      assert.equal((await entriesOf(keyring)).length, 2)
    })

    test('a rotation sent again at once is told to wait, so that two answers on their way do not end each other', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      clock.advance(1000)
      const first = await keyring.rotate(key.id, once)
      const others = await Promise.allSettled(Array.from({ length: 16 }, async () => keyring.rotate(key.id, once)))
      for (const other of others) assert.equal(other.status === 'rejected' && other.reason.code, 'still_running')
      assert.equal(await codeOf(keyring.verify(first.secret ?? '')), 'accepted')
      clock.advance(1000)
      const later = await Promise.allSettled(Array.from({ length: 16 }, async () => keyring.rotate(key.id, once)))
      for (const one of later) assert.equal(one.status === 'fulfilled' && one.value.secret, null)
    })

    test('of many that replace the same lost secret at once one does, and its secret works', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      clock.advance(1000)
      await keyring.rotate(key.id)
      clock.advance(1000)
      const all = await Promise.allSettled(
        Array.from({ length: 16 }, async () => keyring.rotate(key.id, { replace: true })),
      )
      const done = all.filter((one) => one.status === 'fulfilled')
      assert.equal(done.length, 1)
      assert.deepEqual(await codesOf(keyring, [secret, done[0]?.value.secret ?? '']), ['accepted', 'accepted'])
    })

    test('the second of two operators is told who rotated, when, whether it is in use, and what helps', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key, secret } = await keyring.issue(shop)
      clock.advance(1000)
      const at = new Date(clock.now()).toISOString()
      const { secret: first } = await keyring.rotate(key.id, { actor: 'ann', grace: 3600 })
      clock.advance(60_000)
      const refused = async (): Promise<string> =>
        keyring.rotate(key.id, { actor: 'ben', grace: 0 }).then(
          () => assert.fail('it was rotated'),
          (error: unknown) =>
            error instanceof LatchkeyError && error.code === 'conflict' ? error.message : assert.fail(),
        )
      const unused = await refused()
      assert.match(unused, new RegExp(`ann gave it a new secret at ${at}, which was never used`))
      assert.match(unused, /If nobody has it, rotate with replace/)
      assert.doesNotMatch(unused, /retire/)
      // Ann's caller begins to use it: now it is not replaced, whatever Ben does.
      assert.equal(await codeOf(keyring.verify(first)), 'accepted')
      const used = await refused()
      assert.match(used, /which was used at/)
      assert.doesNotMatch(used, /replace|retire/)
      await assert.rejects(keyring.rotate(key.id, { replace: true, actor: 'ben' }), { code: 'conflict' })
      assert.deepEqual(await codesOf(keyring, [secret, first]), ['accepted', 'accepted'])
    })

    test('a lost secret of a rotation without grace, and of a new key, are replaced too', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      const second = await keyring.rotate(key.id, { replace: true })
      clock.advance(1000)
      const third = await keyring.rotate(key.id, { grace: 0 })
      clock.advance(1000)
      const fourth = await keyring.rotate(key.id, { replace: true })
      assert.deepEqual(await codesOf(keyring, [second.secret, third.secret, fourth.secret]), [
        'secret_ended',
        'secret_ended',
        'accepted',
      ])
    })

    test('a first use that another process has accepted hinders the replacement at once', async () => {
      const { keyring, clock } = await openOn(shape, { usageInterval: 3_600_000 })
      const { key } = await keyring.issue(shop)
      clock.advance(1000)
      const { secret } = await keyring.rotate(key.id)
      // Whoever verifies says `accepted` when the store knows of it.
      assert.equal(await codeOf(keyring.verify(secret)), 'accepted')
      assert.equal((await keyring.find(key.id))?.secrets[0]?.lastUsedAt, clock.now())
      await assert.rejects(keyring.rotate(key.id, { replace: true }), { code: 'conflict' })
    })

    test('every changing verb happens once with an idempotency key, and is another call when it asks for something else', async () => {
      const { keyring, clock } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      clock.advance(1000)
      const verbs: Readonly<Record<string, (token: object, other: boolean) => Promise<unknown>>> = {
        change: (token, other) => keyring.change(key.id, { name: other ? 'Other' : 'Mine' }, token),
        rotate: (token, other) => keyring.rotate(key.id, { grace: other ? 1 : 3600, ...token }),
        retire: (token, other) => keyring.retire(key.id, { ...token, ...(other ? { note: 'x' } : {}) }),
        disable: (token, other) => keyring.disable(key.id, { ...token, ...(other ? { note: 'x' } : {}) }),
        enable: (token, other) => keyring.enable(key.id, { ...token, ...(other ? { note: 'x' } : {}) }),
        owner: (token, other) => keyring.changeOwner('acme', { disabled: !other }, token),
        revoke: (token, other) => keyring.revoke(key.id, { reason: other ? 'other' : 'unused', ...token }),
        issue: (token, other) => keyring.issue({ ...shop, name: other ? 'Other' : 'Mine', ...token }),
      }
      for (const [name, verb] of Object.entries(verbs)) {
        const token = { idempotencyKey: name }
        const first = (await verb(token, false)) as { repeated: boolean }
        assert.equal(first.repeated, false, name)
        const before = await entriesOf(keyring)
        if (name === 'rotate') await codeOf(keyring.verify((first as unknown as { secret: string }).secret))
        const second = (await verb(token, false)) as { repeated: boolean; secret?: unknown }
        assert.equal(second.repeated, true, name)
        assert.equal(second.secret ?? null, null, name)
        await assert.rejects(verb(token, true), { code: 'idempotency_key_reused' }, name)
        assert.deepEqual(await entriesOf(keyring), before, name)
        // What others did meanwhile is not done again by the repetition.
      }
      assert.equal((await keyring.find(key.id))?.state, 'revoked')
    })

    test('a repetition does not undo what somebody did since', async () => {
      const { keyring } = await openOn(shape)
      const { key } = await keyring.issue(shop)
      const token = { idempotencyKey: 'off', ifRevision: key.revision }
      await keyring.disable(key.id, token)
      await keyring.enable(key.id)
      const again = await keyring.disable(key.id, token)
      assert.deepEqual([again.repeated, again.key.state], [true, 'active'])
    })
  })
}

test('a first use that waits for the lock of another process is answered when it is written, and not when it was replaced', async () => {
  for (const replacedFirst of [false, true]) {
    const file = newFile()
    const ours = await openKeyring({ store: storeIn(file), scopes })
    const theirs = await openKeyring({ store: storeIn(file), scopes })
    const { key } = await ours.issue(shop)
    await new Promise((resolve) => {
      setTimeout(resolve, 5)
    })
    const { secret } = await ours.rotate(key.id)
    const foreign = new DatabaseSync(file)
    foreign.exec('BEGIN IMMEDIATE')
    const used = codeOf(ours.verify(secret))
    let answered = false
    void used.then(() => (answered = true))
    await new Promise(setImmediate)
    assert.equal(answered, false, 'nobody is told yes while it is not written')
    if (replacedFirst) {
      // As the replacement of another process would leave it, which had the lock before us.
      const hash = hashSecret(secret)
      foreign.prepare('UPDATE latchkey_secrets SET ended = 1, ends_at = 1 WHERE hash = $1').run({ 1: hash })
    }
    foreign.exec('COMMIT')
    foreign.close()
    assert.equal(await used, replacedFirst ? 'secret_ended' : 'accepted')
    if (!replacedFirst) await assert.rejects(theirs.rotate(key.id, { replace: true }), { code: 'conflict' })
    await Promise.all([ours.close(), theirs.close()])
  }
})
