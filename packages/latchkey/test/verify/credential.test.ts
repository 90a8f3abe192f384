import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashSecret } from '../../src/secret/hash.ts'
import { mint } from '../../src/secret/mint.ts'
import { testKeyring } from '../../src/testing.ts'
import type { Verifier } from '../../src/verify/verdict.ts'
import type { CountingStore } from '../keyring/counting-store.ts'
import { countingStore } from '../keyring/counting-store.ts'
import { lateStore } from '../keyring/late-store.ts'
import { codeOf, openOn, scopes, shop } from '../keyring/workbench.ts'

const delegation = { owner: null, environments: ['live', 'test', 'admin'], scopes: [] }

test('only a text authenticates: whoever knows the hash of a secret, and not the secret, is not let in', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { secret } = await keyring.issue(shop)
  const admin = await keyring.issue({ ...shop, scopes: ['keys:read', 'keys:verify'], environment: 'admin', delegation })
  const verifiers: readonly (readonly [Pick<Verifier, 'verify' | 'credential'>, string])[] = [
    [keyring, secret],
    [keyring.as(admin.key.id), secret],
    [keyring.admin, admin.secret],
  ]
  for (const [verifier, stolen] of verifiers) {
    const hash = hashSecret(stolen)
    const text = mint({ prefix: 'lk', environment: 'live' })
    const real = verifier.credential?.(text) ?? assert.fail()
    const forged: readonly unknown[] = [
      { text, hash },
      JSON.parse(JSON.stringify({ text, hash, '#hash': hash })),
      { text: stolen },
      { text: hash, hash },
      Object.create(real, { hash: { value: hash } }),
      Object.create(real, { text: { value: stolen }, hash: { value: hash } }),
      new Proxy(real, { get: (_, name) => (name === 'hash' ? hash : text) }),
      verifier.credential?.({ text, hash } as never),
      verifier.credential?.([stolen] as never),
      new String(stolen),
      [stolen],
      () => stolen,
    ]
    for (const [index, credential] of forged.entries()) {
      assert.equal(await codeOf(verifier.verify(credential as never)), 'malformed', `forged ${index}`)
    }
    assert.equal(await codeOf(verifier.verify(real)), 'unknown')
    assert.throws(() => Object.assign(real, { hash }), TypeError)
    assert.throws(() => Object.assign(real, { text: stolen }), TypeError)
    assert.equal(await codeOf(verifier.verify(real)), 'unknown')
    assert.equal(await codeOf(verifier.verify(verifier.credential?.(stolen))), 'accepted')
  }
})

test('a credential does not show its text where it is printed or written as JSON', async () => {
  const { keyring, secretsIn } = await testKeyring({ scopes })
  const { secret } = await keyring.issue(shop)
  const credential = keyring.credential?.(secret)
  assert.ok((await keyring.verify(credential)).ok)
  const { inspect } = await import('node:util')
  assert.deepEqual(secretsIn(inspect(credential, { showHidden: true, depth: 9 }) + JSON.stringify({ credential })), [])
})

test('a credential that one keyring accepts is judged by every other as if it were new', async () => {
  const [{ keyring: one }, { keyring: other }] = [await testKeyring({ scopes }), await testKeyring({ scopes })]
  const { key, secret } = await one.issue(shop)
  const credential = one.credential?.(secret)
  for (let round = 0; round < 3; round++) {
    assert.equal(await codeOf(one.verify(credential)), 'accepted')
    assert.equal(await codeOf(one.verify(credential)), 'accepted')
    assert.equal(await codeOf(other.verify(credential)), 'unknown')
    assert.equal(await codeOf(one.admin.verify(credential)), 'wrong_environment')
  }
  await one.revoke(key.id, { reason: 'unused' })
  assert.equal(await codeOf(one.verify(credential)), 'revoked')
})

test('a credential that was accepted for a requirement is judged anew for any other, and for one that was changed', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { secret } = await keyring.issue({ ...shop, scopes: ['orders:read'] })
  const credential = keyring.credential?.(secret)
  const read = Object.freeze({ allOf: Object.freeze(['orders:read'] as const) })
  const write = Object.freeze({ allOf: Object.freeze(['orders:write'] as const) })
  const changing: { allOf: ('orders:read' | 'orders:write')[] } = { allOf: ['orders:read'] }
  for (let round = 0; round < 3; round++) {
    assert.equal(await codeOf(keyring.verify(credential, read)), 'accepted')
    assert.equal(await codeOf(keyring.verify(credential, write)), 'insufficient_scope')
    assert.equal(await codeOf(keyring.verify(credential)), 'accepted')
    changing.allOf = ['orders:read']
    assert.equal(await codeOf(keyring.verify(credential, changing)), 'accepted')
    changing.allOf = ['orders:write']
    assert.equal(await codeOf(keyring.verify(credential, changing)), 'insufficient_scope')
  }
})

test('a credential that was accepted is not seen by a caller who may not see its key, and a call with a strange member is refused', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { secret } = await keyring.issue(shop)
  const credential = keyring.credential?.(secret)
  const requirement = Object.freeze({ allOf: Object.freeze(['orders:read'] as const) })
  for (let round = 0; round < 3; round++) {
    assert.equal(await codeOf(keyring.verify(credential, requirement, {})), 'accepted')
    assert.equal(await codeOf(keyring.verify(credential, requirement, { seenBy: () => false })), 'unknown')
    assert.equal(await codeOf(keyring.verify(credential, requirement, { dryrun: true } as never)), 'unavailable')
  }
})

test('every call with a credential that was accepted is counted, and a dry run is not', async () => {
  const { keyring } = await testKeyring({ scopes })
  const { key, secret } = await keyring.issue(shop)
  const credential = keyring.credential?.(secret)
  for (let round = 0; round < 5; round++) {
    assert.equal(await codeOf(keyring.verify(credential)), 'accepted')
    assert.equal(await codeOf(keyring.verify(credential, undefined, { dryRun: true })), 'accepted')
  }
  await keyring.flushUsage()
  assert.deepEqual(
    (await keyring.usage({ key: key.id })).usage.map(({ count }) => count),
    [5],
  )
})

test('a store that fails at the first use of a rotated secret is a verdict, also after a dry run, and never an error', async () => {
  let watched: CountingStore | undefined
  const { keyring, clock } = await openOn((store) => (watched = countingStore(lateStore(store))))
  const { key } = await keyring.issue(shop)
  clock.advance(1000)
  const { secret } = await keyring.rotate(key.id)
  const unused = keyring.credential?.(secret ?? '')
  // The first dry run reads the key; the second finds it in the cache.
  for (let round = 0; round < 2; round++) {
    assert.equal(await codeOf(keyring.verify(unused, undefined, { dryRun: true })), 'accepted')
  }
  assert.ok(watched)
  watched.failing = true
  assert.equal(await codeOf(keyring.verify(unused)), 'unavailable')
})
