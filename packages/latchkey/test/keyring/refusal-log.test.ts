import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { refusalLog } from '../../src/keyring/refusal-log.ts'
import { refusals } from '../../src/refusal.ts'
import { openOn, shop } from './workbench.ts'

const refused = { ok: false as const, refusal: refusals.expired, keyId: 'key_1', owner: 'acme', environment: 'live' }

test('as many refusals are remembered as it was told, and the latest are those', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat({ max: 12 }), { maxLength: 60 }), (limit, ids) => {
      const log = refusalLog(limit)
      for (const [at, id] of ids.entries()) log.add(String(id), undefined, refused, at)
      const latest = new Set([...new Set(ids.toReversed())].slice(0, limit))
      for (let id = 0; id <= 12; id++) {
        const found = log.find(String(id))
        assert.equal(found?.at, latest.has(id) ? ids.lastIndexOf(id) : undefined)
      }
    }),
  )
})

test('a refusal is told by the id of its request: code, step, reason, route and whose key it was', async () => {
  const { keyring, clock } = await openOn((store) => store)
  const { key, secret } = await keyring.issue(shop)
  const verdict = await keyring.verify(secret, { allOf: ['orders:write'] })
  assert.ok(!verdict.ok)
  keyring.noteRefusal?.('request-1', 'POST /orders/:id', verdict)
  assert.deepEqual(await keyring.refusal('request-1'), {
    requestId: 'request-1',
    at: clock.now(),
    route: 'POST /orders/:id',
    code: 'insufficient_scope',
    step: 'scopes',
    why: refusals.insufficient_scope.why,
    keyId: key.id,
    owner: 'acme',
    environment: 'live',
  })
  assert.equal(await keyring.refusal('request-2'), undefined)
})

test('a flood of refusals leaves the ten thousand latest', async () => {
  const { keyring } = await openOn((store) => store)
  const verdict = await keyring.verify(undefined)
  assert.ok(!verdict.ok)
  for (let call = 0; call < 10_050; call++) keyring.noteRefusal?.(`request-${call}`, undefined, verdict)
  assert.equal(await keyring.refusal('request-49'), undefined)
  assert.equal((await keyring.refusal('request-50'))?.code, 'missing')
})
