import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { phase } from '../../src/policy/lifetime.ts'

test('a lifetime begins and ends to the millisecond', () => {
  const lifetime = { notBefore: 1000, expiresAt: 2000 }
  assert.deepEqual(
    [999, 1000, 1999, 2000].map((now) => phase(lifetime, now)),
    ['pending', 'active', 'active', 'expired'],
  )
})

test('an end that is not set never comes', () => {
  assert.equal(phase({ notBefore: null, expiresAt: null }, 0), 'active')
  assert.equal(phase({ notBefore: null, expiresAt: null }, Number.MAX_SAFE_INTEGER), 'active')
})

test('as time passes a key is first pending, then active, then expired, and never turns back', () => {
  const order = ['pending', 'active', 'expired']
  const moment = fc.nat()
  const end = fc.option(moment)
  fc.assert(
    fc.property(end, end, moment, moment, (notBefore, expiresAt, one, other) => {
      const [earlier, later] = [Math.min(one, other), Math.max(one, other)]
      const lifetime = { notBefore, expiresAt }
      assert.ok(order.indexOf(phase(lifetime, earlier)) <= order.indexOf(phase(lifetime, later)))
    }),
  )
})
