import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashSecret, mint, openKeyring, settingsKey } from '../../src/index.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { testKeyring } from '../../src/testing.ts'
import { entriesOf } from '../../../../test/entries.ts'

const scopes = { 'orders:read': 'Read orders' }
const invalid = { code: 'invalid_input' }

/** Texts that people take for `globex`, or that stand in a list as another text than they are. */
const disguises = {
  'a space after it': 'globex ',
  'a space before it': ' globex',
  'a zero-width space': 'glo\u200bbex',
  'a joiner': 'glo\u200dbex',
  'a soft hyphen': 'glo\u00adbex',
  'a byte order mark': '\ufeffglobex',
  'a filler that is a letter': 'globex\u3164',
  'a variation selector': 'globex\ufe0f',
  'a tag': 'globex\u{e0061}',
  'a space that is not the one': 'glo\u00a0bex',
  'a separator of lines': 'glo\u2028bex',
  'a turned direction': 'globex\u202exelgoog',
  'an isolate': 'globex\u2066x\u2069',
  'a private character': 'globex\ue000',
  'what stands for unreadable bytes': 'glob\ufffd',
  'half a character': 'glob\ud800',
  'a control character': 'glob\u0007',
}

for (const [what, owner] of Object.entries(disguises)) {
  test(`no owner, name or actor is another with ${what}`, async (context) => {
    const { keyring } = await testKeyring({ scopes })
    context.after(() => keyring.close())
    const wanted = { name: 'Shop', owner: 'globex', scopes: [] }
    const { key } = await keyring.issue(wanted)
    const refused = [
      async () => keyring.issue({ ...wanted, owner }),
      async () => keyring.issue({ ...wanted, name: owner }),
      async () => keyring.issue({ ...wanted, actor: owner }),
      async () =>
        keyring.issue({ ...wanted, environment: 'admin', delegation: { owner, environments: ['live'], scopes: [] } }),
      async () => keyring.importMany([{ ...wanted, owner, hash: hashSecret('x'), algorithm: 'sha256', bits: 128 }]),
      async () => keyring.change(key.id, { owner }),
      async () => keyring.change(key.id, { name: owner }),
      async () => keyring.disable(key.id, { actor: owner }),
      async () => keyring.changeOwner(owner, { disabled: true }),
      async () => keyring.owner(owner),
      async () => keyring.list({ owner }),
      async () => keyring.usage({ owner }),
      async () => entriesOf(keyring, { owner }),
      async () => entriesOf(keyring, { actor: owner }),
    ]
    for (const call of refused) await assert.rejects(call, invalid, String(call))
    if (owner !== 'globex\ufe0f') await assert.rejects(keyring.disable(key.id, { note: owner }), invalid)
    assert.throws(() =>
      settingsKey({ name: 'KEY', secret: mint({ prefix: 'lk', environment: 'live' }), owner, scopes: [] }),
    )
    assert.equal((await entriesOf(keyring)).length, 1)
  })
}

test('what is written in two normal forms is one owner, for whoever asks', async (context) => {
  const { keyring } = await testKeyring({ scopes })
  context.after(() => keyring.close())
  const [composed, decomposed] = ['Café', 'Cafe\u0301']
  const { key } = await keyring.issue({ name: decomposed, owner: decomposed, scopes: [], actor: decomposed })
  assert.deepEqual([key.owner, key.name], [composed, composed])
  await keyring.changeOwner(decomposed, { limits: [{ name: 'a', limit: 1, window: 1 }] }, { note: decomposed })
  for (const owner of [composed, decomposed]) {
    assert.equal((await keyring.list({ owner })).keys.length, 1)
    assert.equal((await keyring.list({ text: owner })).keys.length, 1)
    assert.equal((await keyring.owner(owner))?.limits.length, 1)
    assert.equal((await entriesOf(keyring, { owner })).length, 2, 'the key and its owner')
    assert.equal((await entriesOf(keyring, { actor: owner })).length, 1)
  }
})

test('names that people have are taken as they are', async (context) => {
  const { keyring } = await testKeyring({ scopes })
  context.after(() => keyring.close())
  for (const owner of [
    'Müller & Söhne',
    '山田 商店',
    'مؤسسة',
    'קפה',
    'O’Neill',
    'a  b',
    '🚀',
    'x@y.example',
    '„q“ (1)',
  ]) {
    assert.equal((await keyring.issue({ name: owner, owner, scopes: [] })).key.owner, owner)
  }
  const { key } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: [] })
  await keyring.disable(key.id, { note: '⚠️ leaked' })
})

test('a secret is kept in no text that others read: it is refused, and not repeated', async (context) => {
  const keyring = await openKeyring({ store: sqliteStore({ file: ':memory:' }), scopes })
  context.after(() => keyring.close())
  const wanted = { name: 'Shop', owner: 'acme', scopes: [] }
  const { key, secret } = await keyring.issue(wanted)
  const foreign = mint({ prefix: 'shop', environment: 'prod' })
  for (const leaked of [secret, `old key: ${secret}.`, foreign]) {
    const refused = [
      async () => keyring.issue({ ...wanted, name: leaked }),
      async () => keyring.issue({ ...wanted, owner: leaked }),
      async () => keyring.issue({ ...wanted, actor: leaked }),
      async () => keyring.issue({ ...wanted, metadata: { note: leaked } }),
      async () => keyring.issue({ ...wanted, metadata: { [leaked.slice(0, 64)]: 'x' } }),
      async () => keyring.issueMany([wanted], { idempotencyKey: leaked }),
      async () => keyring.change(key.id, { name: leaked }),
      async () => keyring.change(key.id, { metadata: { note: leaked } }),
      async () => keyring.revoke(key.id, { reason: 'other', note: leaked }),
      async () => keyring.changeOwner('acme', { disabled: true }, { note: leaked }),
      async () => keyring.list({ text: leaked }),
    ]
    for (const call of refused) {
      await assert.rejects(call, (error: Error & { code?: string }) => {
        assert.equal(error.code, 'invalid_input', String(call))
        assert.ok(!error.message.includes(leaked))
        return true
      })
    }
  }
  assert.equal((await entriesOf(keyring)).length, 1)
})
