import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { openKeyring } from '../../src/keyring/open.ts'
import { mint } from '../../src/secret/mint.ts'
import { settingsKey } from '../../src/source/settings.ts'
import type { CountingStore } from './counting-store.ts'
import { countingStore } from './counting-store.ts'
import { codeOf, newFile, openOn, scopes, shop, speeds, counter, storeIn } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

const algorithms = ['sha256', 'sha512'] as const

function older(text: string, algorithm: (typeof algorithms)[number] = 'sha256') {
  return {
    ...shop,
    algorithm,
    bits: 128,
    hash: createHash(algorithm).update(text).digest('hex'),
    start: text.slice(0, Math.min(4, text.length - 1)),
  }
}

for (const [speed, shape] of speeds) {
  describe(`importing keys on a store that answers ${speed}`, () => {
    for (const algorithm of algorithms) {
      test(`a key that is imported by ${algorithm} is accepted as it was, whatever it looks like`, async () => {
        const { keyring } = await openOn(shape)
        const texts = [
          'aä7',
          'x'.repeat(1024),
          'sk_test_4eC39HqLyjWDarjtT1zdp7dc',
          mint({ prefix: 'lk', environment: 'live' }),
          'lk_live_mistyped0000000000000000000000000000ab',
          'pässwörter, with spaces\tand “quotes”',
        ]
        const done = await keyring.importMany(texts.map((text) => older(text, algorithm)))
        assert.ok(!done.repeated)
        for (const [index, text] of texts.entries()) {
          const verdict = await keyring.verify(text)
          assert.ok(verdict.ok, text.slice(0, 20))
          assert.equal(verdict.key.id, done.created[index]?.id)
          assert.equal(await codeOf(keyring.verify(text)), 'accepted', 'from the cache too')
        }
        for (const text of ['Aä7', 'x'.repeat(1023), 'x'.repeat(1025), ' aä7', 'aä7 ', older('aä7', algorithm).hash]) {
          assert.equal(await codeOf(keyring.verify(text)), 'malformed', text.slice(0, 20))
        }
        assert.deepEqual(
          done.created[2]?.secrets.map(({ kind, start }) => [kind, start]),
          [[algorithm, 'sk_t']],
        )
        await keyring.flushUsage()
        assert.notEqual((await keyring.find(done.created[0]?.id ?? ''))?.lastUsedAt, null)
      })
    }

    test('any text is accepted that was imported, and no other', async () => {
      const { keyring } = await openOn(shape)
      const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).map((some) => `§${some}`)
      const seen = new Set<string>()
      await fc.assert(
        fc.asyncProperty(text, text, fc.constantFrom(...algorithms), async (mine, other, algorithm) => {
          if (!seen.has(mine))
            await keyring.importMany([older(mine, algorithm)].map((item) => ({ ...item, start: '' })))
          seen.add(mine)
          assert.equal(await codeOf(keyring.verify(mine)), 'accepted')
          assert.equal(await codeOf(keyring.verify(other)), seen.has(other) ? 'accepted' : 'malformed')
        }),
        { numRuns: 60 },
      )
    })

    test('while nothing is imported what is not of our form is refused without a read; afterwards it is read once', async () => {
      let counting: CountingStore | undefined
      const { keyring } = await openOn((store) => (counting = countingStore(shape(store))))
      assert.ok(counting)
      counting.reads = 0
      for (let call = 0; call < 3; call++) assert.equal(await codeOf(keyring.verify('a foreign key')), 'malformed')
      assert.equal(counting.reads, 0)
      await keyring.importMany([older('an older key')])
      counting.reads = 0
      for (let call = 0; call < 3; call++) assert.equal(await codeOf(keyring.verify('a foreign key')), 'malformed')
      assert.equal(counting.reads, 1)
      for (let call = 0; call < 3; call++) assert.equal(await codeOf(keyring.verify('an older key')), 'accepted')
      assert.equal(counting.reads, 2)
    })

    test('a secret that is here already is refused, and with it all that was to be imported', async () => {
      const { keyring } = await openOn(shape)
      const { secret } = await keyring.issue(shop)
      await keyring.importMany([older('one')])
      for (const items of [
        [older('two'), older('one')],
        [older('two'), older('two')],
        [older('two'), older(secret)],
      ]) {
        await assert.rejects(keyring.importMany(items), { code: 'conflict' })
      }
      assert.equal(await codeOf(keyring.verify('two')), 'malformed')
      assert.equal((await keyring.list()).keys.length, 2)
      assert.equal((await entriesOf(keyring)).length, 2)
    })

    test('a conflict names the keys whose secrets are known, and no others', async () => {
      const { keyring } = await openOn(shape)
      const message = (items: readonly ReturnType<typeof older>[]) =>
        keyring.importMany(items).then(
          () => 'imported',
          (error: Error) => error.message.split(':')[0],
        )
      await keyring.importMany([older('one'), older('two')])
      const fresh = (count: number) => Array.from({ length: count }, (_, index) => older(`fresh ${index}`))
      assert.equal(await message([...fresh(2), older('two'), older('three'), older('one')]), 'Keys 3, 5 of 5')
      assert.equal(await message([...fresh(70), older('fresh 3')]), 'Key 71 of 71')
      assert.equal(await message([older('one')]), 'Key 1 of 1')
      const many = Array.from({ length: 25 }, () => older('one'))
      assert.match((await message(many)) ?? '', /^Keys 1, 2, .*, 20 and 5 more of 25$/)
    })

    test('with skipKnown the others are imported, and the answer says which were left out', async () => {
      const { keyring } = await openOn(shape)
      const first = await keyring.importMany([older('one')])
      assert.ok(!first.repeated)
      await keyring.revoke(first.created[0]?.id ?? '', { reason: 'compromised' })
      const items = [older('two'), older('one'), older('three'), older('two')]
      const call = { skipKnown: true, idempotencyKey: 'again' }
      const done = await keyring.importMany(items, call)
      assert.ok(!done.repeated)
      assert.deepEqual(done.skipped, [1, 3])
      assert.equal(done.created.length, 2)
      assert.equal(await codeOf(keyring.verify('one')), 'revoked', 'a key that is left out stays as it is')
      for (const text of ['two', 'three']) assert.equal(await codeOf(keyring.verify(text)), 'accepted')
      const repeated = await keyring.importMany(items, call)
      assert.deepEqual(
        repeated.repeated && repeated.keys.map(({ id }) => id),
        done.created.map(({ id }) => id),
      )
      const none = await keyring.importMany(items, { skipKnown: true })
      assert.deepEqual(none, { repeated: false, created: [], skipped: [0, 1, 2, 3] })
      const idle = { skipKnown: true, idempotencyKey: 'idle' }
      assert.deepEqual(await keyring.importMany(items, idle), none)
      assert.deepEqual(await keyring.importMany(items, idle), { repeated: true, keys: [] })
      await assert.rejects(keyring.importMany([older('four')], idle), { code: 'idempotency_key_reused' })
      assert.equal((await entriesOf(keyring)).length, 4)
      await assert.rejects(keyring.importMany(items, { skipKnown: 1 } as never), { code: 'invalid_input' })
      await assert.rejects(keyring.issueMany([shop], { skipKnown: true } as never), { code: 'invalid_input' })
    })

    test('sixteen imports of one secret at once are one', async () => {
      const { keyring } = await openOn(shape)
      const all = await Promise.allSettled(Array.from({ length: 16 }, () => keyring.importMany([older('one')])))
      assert.deepEqual(counter(all.map(({ status }) => status)), { fulfilled: 1, rejected: 15 })
    })

    test('a hash that cannot be one is refused by name; the secret itself is not taken for one', async () => {
      const { keyring } = await openOn(shape)
      const { hash } = older('one')
      const wrong = [
        { hash: 'one' },
        { hash: hash.slice(1) },
        { hash: `${hash}\n` },
        { hash: hash.replace(/./, 'g') },
        { hash: undefined },
        { hash, algorithm: 'sha512' },
        { hash, algorithm: 'md5' },
        { hash, algorithm: undefined },
        { hash, start: 'x'.repeat(17) },
        { hash, start: 7 },
        { hash, secret: 'one' },
        { hash, bits: undefined },
        { hash, bits: 63 },
        { hash, bits: '128' },
        { hash, start: 'one' },
      ]
      for (const overrides of wrong) {
        await assert.rejects(keyring.importMany([{ ...older('one'), ...overrides } as never]), {
          code: 'invalid_input',
        })
      }
      assert.deepEqual(await entriesOf(keyring), [])
      await keyring.importMany([{ ...older('one'), hash: hash.toUpperCase() }])
      assert.equal(await codeOf(keyring.verify('one')), 'accepted')
    })

    test('a hash is taken as other systems write it: in hexadecimal, base64 or base64url', async () => {
      const { keyring } = await openOn(shape)
      for (const algorithm of algorithms) {
        const digestOf = (text: string) => createHash(algorithm).update(text).digest()
        // Texts whose hash has both of the characters in which the alphabets differ.
        const texts = Array.from({ length: 2000 }, (_, index) => `written ${algorithm} ${index}`).filter((text) =>
          /\+.*\//.test(digestOf(text).toString('base64')),
        )
        const spellings: readonly ((hash: Buffer) => string)[] = [
          (hash) => hash.toString('hex').toUpperCase(),
          (hash) => hash.toString('base64'),
          (hash) => hash.toString('base64').replace(/=+$/, ''),
          (hash) => hash.toString('base64url'),
        ]
        for (const spelt of spellings) {
          const text = texts.pop() ?? ''
          await keyring.importMany([{ ...older(text, algorithm), hash: spelt(digestOf(text)) }])
          assert.equal(await codeOf(keyring.verify(text)), 'accepted')
          await assert.rejects(keyring.importMany([older(text, algorithm)]), { code: 'conflict' }, 'the same secret')
        }
        const text = texts.pop() ?? ''
        const base64url = digestOf(text).toString('base64url')
        // The last character has bits that are no part of the hash: of several spellings one is right.
        const loose = base64url.slice(0, -1) + String.fromCharCode(base64url.charCodeAt(base64url.length - 1) + 1)
        const mixed = base64url.replace('-', '+')
        for (const hash of [mixed, loose, `${base64url}===`, base64url.slice(1), ` ${base64url}`]) {
          await assert.rejects(
            keyring.importMany([{ ...older(text, algorithm), hash }]),
            { code: 'invalid_input' },
            hash,
          )
        }
      }
    })

    test('of a secret whose part was hashed, all of it is accepted; the part alone, and with another beginning, is refused', async () => {
      const { keyring } = await openOn(shape)
      const secrets = [
        ['17|', 'sanctum-token-of-40-characters'],
        ['mycompany_BRTRKFsL_', '51FwqftsmMDHHbJAMEXXHCgG'],
        ['a.b.', 'c'],
        ['id-', 'tail'],
        ['x:', 'y|z'],
      ] as const
      for (const algorithm of algorithms) {
        for (const [before, part] of secrets) {
          const item = { ...older(`${algorithm}${part}`, algorithm), before, start: '' }
          const whole = `${before}${algorithm}${part}`
          assert.equal(await codeOf(keyring.verify(whole)), 'malformed')
          const done = await keyring.importMany([item])
          assert.ok(!done.repeated)
          for (let call = 0; call < 2; call++) {
            assert.equal(await codeOf(keyring.verify(whole)), 'accepted', whole)
            for (const wrong of [
              `${algorithm}${part}`,
              `${before.slice(-1)}${algorithm}${part}`,
              `9${whole}`,
              `${before}${whole}`,
              `${whole}x`,
              `${before}${item.hash}`,
            ]) {
              assert.equal(await codeOf(keyring.verify(wrong)), 'malformed', wrong)
            }
          }
          assert.deepEqual(
            done.created[0]?.secrets.map(({ kind, start }) => [kind, start]),
            [[`${algorithm} after ${before.at(-1)}`, before.slice(0, 16)]],
          )
          await keyring.flushUsage()
          assert.notEqual((await keyring.find(done.created[0]?.id ?? ''))?.lastUsedAt, null)
          await keyring.revoke(done.created[0]?.id ?? '', { reason: 'unused' })
          assert.equal(await codeOf(keyring.verify(whole)), 'revoked')
        }
      }
      const one = older('one')
      for (const before of ['', '17', 'a b|', 'ü|', `${'x'.repeat(64)}|`, 7, null]) {
        await assert.rejects(keyring.importMany([{ ...one, before } as never]), { code: 'invalid_input' })
      }
      await assert.rejects(keyring.importMany([{ ...one, before: '1|', start: '1|one' }]), {
        message: /^start must be/,
      })
      assert.ok((await keyring.verifyJournal({ rows: true })).intact)
    })

    test('a disabled key stays disabled, and the times of its issue and last use come along', async () => {
      const { keyring, clock } = await openOn(shape)
      const now = clock.now()
      const life = { createdAt: now - 5000, lastUsedAt: now - 10, disabled: true }
      const done = await keyring.importMany([{ ...older('one'), ...life }], { actor: 'alice' })
      assert.ok(!done.repeated)
      const [key] = done.created
      assert.deepEqual(
        [key?.createdAt, key?.lastUsedAt, key?.state, key?.disabledAt, key?.disabledBy, key?.secrets[0]?.createdAt],
        [now - 5000, now - 10, 'disabled', now, null, now - 5000],
      )
      assert.equal(await codeOf(keyring.verify('one')), 'disabled')
      await keyring.enable(key?.id ?? '')
      assert.equal(await codeOf(keyring.verify('one')), 'accepted')
      const [imported] = await entriesOf(keyring)
      assert.match(JSON.stringify(imported?.change), /"disabled":true,"createdAt":\d+,"lastUsedAt":\d+/)
      for (const wrong of [
        { createdAt: now + 1 },
        { createdAt: -1 },
        { createdAt: '2020-01-01' },
        { createdAt: null },
        { lastUsedAt: now + 1 },
        { lastUsedAt: 1.5 },
        { disabled: 1 },
        { disabled: 'true' },
      ]) {
        await assert.rejects(keyring.importMany([{ ...older('two'), ...wrong } as never]), { code: 'invalid_input' })
      }
      await assert.rejects(keyring.issue({ ...shop, disabled: true } as never), { code: 'invalid_input' })
      assert.ok((await keyring.verifyJournal({ rows: true })).intact)
    })

    test('a secret that everybody tries first is refused by its hash, and a secret is never shown whole', async () => {
      const { keyring } = await openOn(shape)
      for (const algorithm of algorithms) {
        for (const weak of ['a', '1', 'password', 'Password1', 'P@', '123456789', 'changeme', 'xxxxxxxx', '', '0000']) {
          await assert.rejects(keyring.importMany([{ ...older(weak, algorithm), start: '' }]), {
            code: 'invalid_input',
            message: /^hash must be the hash of a secret that cannot be guessed/,
          })
        }
        const whole = { ...older('sk_a1b2c3d4', algorithm), start: 'sk_a1b2c3d4' }
        await assert.rejects(keyring.importMany([whole]), { code: 'invalid_input', message: /^start must be/ })
      }
      assert.deepEqual(await entriesOf(keyring), [])
    })

    test('the journal tells what was imported and how, and not the hash', async () => {
      const { keyring } = await openOn(shape)
      const item = older('one', 'sha512')
      await keyring.importMany([item], { actor: 'alice' })
      const [entry] = await entriesOf(keyring)
      assert.deepEqual([entry?.action, entry?.actor], ['import', 'alice'])
      assert.match(JSON.stringify(entry?.change), /"algorithm":"sha512","bits":128/)
      assert.ok(!JSON.stringify([entry, await keyring.list()]).includes(item.hash))
    })
  })
}

test('what one keyring imports another on the same file accepts as soon as the call has answered', async () => {
  const file = newFile()
  const open = async (): Promise<Awaited<ReturnType<typeof openKeyring<keyof typeof scopes>>>> =>
    openKeyring({ store: storeIn(file), scopes })
  const [ours, theirs] = [await open(), await open()]
  for (let round = 0; round < 10; round++) {
    const text = `an older key ${round}`
    // It has refused the text a moment ago, on a lease that has just begun.
    assert.equal(await codeOf(theirs.verify(text)), 'malformed')
    await ours.importMany([older(text, algorithms[round % 2])])
    assert.equal(await codeOf(theirs.verify(text)), 'accepted')
  }
  await Promise.all([ours.close(), theirs.close()])
})

test('an imported key is accepted at once by another process', async () => {
  const file = newFile()
  const keyring = await openKeyring({ store: storeIn(file), scopes })
  const server = fork(new URL('serving-process.ts', import.meta.url), [file])
  const told = async (): Promise<unknown> => (await once(server, 'message'))[0]
  assert.equal(await told(), 'open')
  server.send('an older key')
  assert.deepEqual(await told(), { lastAccepted: '0', refused: 'malformed' })
  const done = await keyring.importMany([older('an older key', 'sha512')])
  assert.ok(!done.repeated)
  server.send('an older key')
  assert.equal(await told(), 'serving')
  await keyring.revoke(done.created[0]?.id ?? '', { reason: 'superseded' })
  assert.equal(((await told()) as { refused: string }).refused, 'revoked')
  server.disconnect()
  await once(server, 'exit')
  await keyring.close()
})

test('a key from the settings is accepted also where secrets were imported by either hash, and the store knows none of it', async () => {
  for (const algorithm of algorithms) {
    const secret = 'gT5mWq8vZr2xKd7p'
    const source = settingsKey({ name: 'KEY', secret, scopes: [] })
    const { keyring } = await openOn((store) => store, { sources: [source] })
    await keyring.importMany([older('an older key', algorithm)])
    assert.equal(await codeOf(keyring.verify(secret)), 'accepted', algorithm)
    assert.equal(await codeOf(keyring.verify('an older key')), 'accepted', algorithm)
    assert.equal(await codeOf(keyring.verify('neither')), 'malformed', algorithm)
  }
})
