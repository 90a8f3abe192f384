import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectKeyring } from '../../src/client.ts'
import { fastifyGuard } from '../../src/guard/fastify.ts'
import type { Keyring } from '../../src/keyring/keyring.ts'
import { openKeyring } from '../../src/keyring/open.ts'
import { memoryLimiter } from '../../src/limiter/memory.ts'
import { hashSecret } from '../../src/secret/hash.ts'
import { settingsKey } from '../../src/source/settings.ts'
import { sqliteStore } from '../../src/store/sqlite.ts'
import { testKeyring } from '../../src/testing.ts'
import { scopes, shop } from './workbench.ts'
import { entriesOf } from '../../../../test/entries.ts'

/** Every call that takes options, with one that nobody understands and that is near one that everybody does. */
function callsWith(keyring: Keyring, id: string): Readonly<Record<string, (strange: object) => Promise<unknown>>> {
  const key = { ...shop, scopes: [] }
  return {
    issue: (strange) => keyring.issue({ ...key, ...strange }),
    issueMany: (strange) => keyring.issueMany([key], strange),
    importMany: (strange) =>
      keyring.importMany([{ ...key, algorithm: 'sha256', bits: 128, hash: hashSecret('made elsewhere') }], strange),
    change: (strange) => keyring.change(id, { name: 'Other' }, strange),
    rotate: (strange) => keyring.rotate(id, strange),
    retire: (strange) => keyring.retire(id, strange),
    disable: (strange) => keyring.disable(id, strange),
    enable: (strange) => keyring.enable(id, strange),
    revoke: (strange) => keyring.revoke(id, { reason: 'unused', ...strange }),
    list: (strange) => keyring.list(strange),
    verifyMany: (strange) => keyring.verifyMany([{ credential: 'x' }], strange),
    'a call of verifyMany': (strange) => keyring.verifyMany([{ credential: 'x', ...strange }]),
    changeOwner: (strange) => keyring.changeOwner('acme', { disabled: true }, strange),
    journal: (strange) => entriesOf(keyring, strange),
    verifyJournal: (strange) => keyring.verifyJournal(strange),
    usage: (strange) => keyring.usage(strange),
    why: (strange) => keyring.why({ owner: 'acme', ...strange }),
    usageSeries: (strange) => keyring.usageSeries(strange),
  }
}

test('an option that is not understood is refused by its name, at every verb, and nothing is done', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { key } = await keyring.issue(shop)
  const before = await entriesOf(keyring)
  const admin = await keyring.issue({
    ...shop,
    scopes: ['keys:*', 'owners:*', 'journal:read', 'usage:read', 'refusals:read'],
    environment: 'admin',
    delegation: { owner: null, environments: ['live', 'test', 'admin'], scopes: [] },
  })
  const acting = keyring.as(admin.key.id)
  for (const [view, actingAs] of Object.entries({ keyring, acting })) {
    for (const [verb, call] of Object.entries(callsWith(actingAs, key.id))) {
      for (const strange of [{ graceSeconds: 0 }, { Actor: 'ben' }, { 'if-revision': 1 }]) {
        const [name] = Object.keys(strange)
        const refused = { code: 'invalid_input', message: new RegExp(`"${name}" is none`) }
        await assert.rejects(call(strange), refused, `${view}.${verb}`)
      }
    }
  }
  assert.equal((await entriesOf(keyring)).length, before.length + 1)
})

test('options that are no object are refused', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { key } = await keyring.issue(shop)
  for (const wrong of ['leaked', 0, ['ben'], null, new Map([['note', 'leaked']]), Promise.resolve({})]) {
    await assert.rejects(keyring.disable(key.id, wrong as never), { code: 'invalid_input' }, JSON.stringify(wrong))
    await assert.rejects(keyring.issueMany([shop], wrong as never), { code: 'invalid_input' }, JSON.stringify(wrong))
    await assert.rejects(keyring.list(wrong as never), { code: 'invalid_input' }, JSON.stringify(wrong))
    await assert.rejects(keyring.issue(wrong as never), { code: 'invalid_input' }, JSON.stringify(wrong))
  }
})

test('what is opened with an option that is not understood is not opened', async () => {
  const { keyring } = await testKeyring({ scopes })
  const store = sqliteStore({ file: ':memory:' })
  const strange = { cachesize: 1 }
  const refused = { code: 'invalid_input', message: /"cachesize" is none/ }
  await assert.rejects(openKeyring({ store, scopes, ...strange }), refused)
  assert.throws(() => sqliteStore({ file: ':memory:', ...strange }), refused)
  assert.throws(() => fastifyGuard(keyring, strange as never), refused)
  assert.throws(() => settingsKey({ name: 'KEY', secret: 'gT5mWq8vZr2xKd7p', scopes: [], ...strange }), refused)
  assert.throws(() => settingsKey({ name: 'KEY', secret: 'gT5mWq8vZr2xKd7p', scopes: [] }, strange as never), refused)
  assert.throws(() => memoryLimiter(strange as never), refused)
  await assert.rejects(connectKeyring({ url: 'http://127.0.0.1:1', key: 'x', ...strange }), refused)
  await assert.rejects(testKeyring({ scopes, ...strange }), refused)
  assert.throws(() => fastifyGuard(keyring, { unguarded: 'permit' as never }), { code: 'invalid_input' })
})

test('a port that lacks a member is refused by its name when the keyring is opened', async () => {
  const store = sqliteStore({ file: ':memory:' })
  const limiter = memoryLimiter({ clock: { monotonic: () => 0 } })
  const wrong: readonly (readonly [options: object, what: RegExp])[] = [
    [{ store: undefined }, /^store must be an object\.$/],
    [{ store: {} }, /^store\.lease must be a number from 0\.$/],
    [{ store: { ...store, lease: Number.NaN } }, /^store\.lease must be a number from 0\.$/],
    [{ store: { ...store, idempotentResult: undefined } }, /^store\.idempotentResult must be a function\.$/],
    [{ store: { ...store, close: undefined } }, /^store\.close must be a function\.$/],
    [{ store, limiter: {} }, /^limiter\.take must be a function\.$/],
    [{ store, limiter: { ...limiter, giveBack: undefined } }, /^limiter\.giveBack must be a function\.$/],
    [{ store, sources: {} }, /^sources must be a list\.$/],
    [{ store, sources: [{ keys: [] }] }, /^sources\[0\]\.bySecret must be a function\.$/],
    [{ store, clock: {} }, /^clock\.now must be a function\.$/],
    [{ store, clock: { now: () => 0 } }, /^clock\.monotonic must be a function\.$/],
  ]
  for (const [options, what] of wrong) {
    await assert.rejects(openKeyring(options as never), { code: 'invalid_input', message: what })
  }
  await store.close()
})

test('a keyring acts as nobody whose id or key it is not given', async () => {
  const { keyring } = await testKeyring({ scopes })
  for (const wrong of [null, undefined, 0, '', {}, [], { id: null }]) {
    assert.throws(
      () => keyring.as(wrong as never),
      { name: 'LatchkeyError', code: 'invalid_input' },
      JSON.stringify(wrong),
    )
  }
})
