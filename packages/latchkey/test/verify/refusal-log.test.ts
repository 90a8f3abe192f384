import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { refusals } from '../../src/refusal.ts'
import { refusalLog } from '../../src/verify/refusal-log.ts'
import { openOn, shop } from '../keyring/workbench.ts'

const refused = { ok: false as const, refusal: refusals.expired, keyId: 'key_1', owner: 'acme', environment: 'live' }

test('as many refusals are remembered as it was told, the latest of them, and of one id the first', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(fc.nat({ max: 12 }), { maxLength: 60 }), (limit, ids) => {
      const log = refusalLog(limit)
      const model = new Map<number, number>()
      for (const [at, id] of ids.entries()) {
        log.add({ at, refused, call: { requestId: String(id) }, environment: 'live' })
        if (model.has(id)) continue
        const [oldest] = model.keys()
        if (model.size === limit && oldest !== undefined) model.delete(oldest)
        model.set(id, at)
      }
      for (let id = 0; id <= 12; id++) assert.equal(log.find(String(id))?.at, model.get(id))
    }),
  )
})

test('a refusal is told by the id of its request: code, step, reason, route and whose key it was', async () => {
  const { keyring, clock } = await openOn((store) => store, { instance: 'orders-1' })
  const { key, secret } = await keyring.issue(shop)
  const verdict = await keyring.verify(secret, { allOf: ['orders:write'] })
  assert.ok(!verdict.ok)
  const requirement = { allOf: ['orders:write'] } as const
  keyring.noteRefusal?.(verdict, {
    requestId: 'request-1',
    route: 'POST /orders/:id',
    address: '192.0.2.7',
    requirement,
  })
  assert.deepEqual(await keyring.refusal('request-1'), {
    requestId: 'request-1',
    at: clock.now(),
    count: 1,
    instance: 'orders-1',
    address: '192.0.2.7',
    route: 'POST /orders/:id',
    requirement: { scopes: ['orders:write'], anyOf: [], environments: ['live'], cost: 1 },
    code: 'insufficient_scope',
    step: 'scopes',
    why: refusals.insufficient_scope.why,
    keyId: key.id,
    owner: 'acme',
    environment: 'live',
    missing: ['orders:write'],
  })
  assert.equal(await keyring.refusal('request-2'), undefined)
})

test('a flood of refusals leaves the ten thousand latest', async () => {
  const { keyring } = await openOn((store) => store)
  const verdict = await keyring.verify(undefined)
  assert.ok(!verdict.ok)
  for (let call = 0; call < 10_050; call++) keyring.noteRefusal?.(verdict, { requestId: `request-${call}` })
  assert.equal(await keyring.refusal('request-49'), undefined)
  assert.equal((await keyring.refusal('request-50'))?.code, 'missing')
})

test('a caller who names the request of another does not change what is known of it', async () => {
  const { keyring } = await openOn((store) => store)
  const { secret } = await keyring.issue(shop)
  const theirs = await keyring.verify(secret, { allOf: ['orders:write'] })
  const other = await keyring.verify('nonsense')
  assert.ok(!theirs.ok && !other.ok)
  keyring.noteRefusal?.(theirs, { requestId: 'from a proxy', route: 'GET /orders' })
  keyring.noteRefusal?.(other, { requestId: 'from a proxy', route: 'GET /orders' })
  assert.equal((await keyring.refusal('from a proxy'))?.code, 'insufficient_scope')
})
