import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptedHeaders } from '../../src/guard/answer.ts'
import type { LimitState, VerifiedKey } from '../../src/verify/verdict.ts'

const key = {} as VerifiedKey
const minute: LimitState = {
  name: 'minute',
  limit: 100,
  window: 60,
  remaining: 7,
  reset: 13,
  exceeded: false,
  reportOnly: false,
}
const quota: LimitState = { ...minute, name: 'quota', limit: 5000, window: null, remaining: 4, reset: null }
const watched: LimitState = { ...minute, name: 'watched', reportOnly: true }

function fieldsOf(...limits: readonly LimitState[]): readonly (string | undefined)[] {
  return fieldsIn(limits)
}

function fieldsIn(limits: readonly LimitState[]): readonly (string | undefined)[] {
  const headers = acceptedHeaders({ ok: true, key, limits })
  return [headers['ratelimit-policy'], headers['ratelimit']]
}

test('the fields of limits name each that may refuse, in order; a quota has no window, and one without refill no reset', () => {
  assert.deepEqual(fieldsOf(minute, watched, quota), [
    '"minute";q=100;w=60, "quota";q=5000',
    '"minute";r=7;t=13, "quota";r=4',
  ])
  assert.deepEqual(fieldsOf(watched), [undefined, undefined])
  assert.deepEqual(fieldsOf(), [undefined, undefined])
})

test('a policy is that of the limits of this call, however much the call before was like it', () => {
  const others: readonly Partial<LimitState>[] = [{ name: 'hour' }, { limit: 101 }, { window: 61 }, { window: null }]
  for (const other of others) {
    assert.deepEqual(fieldsOf(minute)[0], '"minute";q=100;w=60')
    const { name, limit, window } = { ...minute, ...other }
    const policy = `"${name}";q=${limit}${window === null ? '' : `;w=${window}`}`
    assert.deepEqual(fieldsOf({ ...minute, ...other })[0], policy)
  }
  assert.deepEqual(fieldsOf(minute, quota)[0], '"minute";q=100;w=60, "quota";q=5000')
  assert.deepEqual(fieldsOf(minute)[0], '"minute";q=100;w=60')
  assert.deepEqual(fieldsOf({ ...minute, reportOnly: true }), [undefined, undefined])
})

test('a policy is that of this call, also if the verifier writes each answer into the same objects', () => {
  const reused: { -readonly [Member in keyof LimitState]: LimitState[Member] } = { ...minute }
  const limits = [reused]
  for (const limit of [100, 200, 300]) {
    reused.limit = limit
    assert.deepEqual(fieldsIn(limits)[0], `"minute";q=${limit};w=60`)
  }
  limits.push(quota)
  assert.deepEqual(fieldsIn(limits)[0], '"minute";q=300;w=60, "quota";q=5000')
})
