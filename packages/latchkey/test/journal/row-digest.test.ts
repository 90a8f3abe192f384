// A journal keeps its digests for ever: what they are made of, and in which order, is the same in every version.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { digestOfKey, digestOfOwner } from '../../src/journal/row-digest.ts'
import type { StoredKey, StoredSecret } from '../../src/ports.ts'

const secret: StoredSecret = {
  hash: 'b'.repeat(64),
  kind: 'minted',
  before: null,
  start: 'lk_live_2WAx',
  createdAt: 1_795_687_138_982,
  retiredAt: null,
  endsAt: null,
  ended: false,
  lastUsedAt: 1_795_687_152_310,
  issuedBy: null,
}
const old: StoredSecret = { ...secret, hash: 'a'.repeat(64), retiredAt: 5, endsAt: 6, ended: true, issuedBy: 'key_2' }

const key: StoredKey = {
  id: 'key_1',
  name: 'Shop',
  owner: 'acme',
  environment: 'live',
  scopes: ['orders:read'],
  metadata: { plan: 'pro' },
  start: 'lk_live_2WAx',
  createdAt: 1_795_687_138_982,
  salt: 'salt',
  notBefore: 1,
  expiresAt: 2,
  addresses: ['192.0.2.0/24'],
  limits: [{ name: 'burst', limit: 5, window: 1 }],
  quota: { amount: 10, refill: 'month' },
  delegation: { owner: null, environments: ['live'], scopes: ['*'] },
  disabledAt: 3,
  disabledBy: 'key_2',
  revokedAt: 4,
  revokedReason: 'other',
  revokedNote: 'posted',
  revision: 7,
}

test('the digest of a row is the one that journals have, and its members may come in any order', () => {
  const ofKey = 'a868683deae09ad62e42673411a92f665cc227c1609697e6e4cd2443b70761f8'
  assert.equal(digestOfKey(key, [secret, old]), ofKey)
  const turned = Object.fromEntries(Object.entries(key).toReversed()) as unknown as StoredKey
  assert.equal(digestOfKey(turned, [old, secret]), ofKey)
  const ofOwner = '6ecf9d5eace27176dc7a8219533572629703d555954b28904698cfeb576d6707'
  const limits = [{ name: 'all', limit: 9, window: 60 }]
  assert.equal(digestOfOwner({ owner: 'acme', disabledAt: 3, limits, revision: 7 }), ofOwner)
})

test('a member that was added later changes only the digests of rows that have it', () => {
  const before = digestOfKey(key, [secret])
  assert.equal(digestOfKey({ ...key, tier: null } as StoredKey, [secret]), before)
  assert.notEqual(digestOfKey({ ...key, tier: 'gold' } as StoredKey, [secret]), before)
})
