import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordOf } from '../../src/verify/refusal-record.ts'

const kept = {
  requestId: 'one',
  at: 0,
  count: 1,
  instance: 'here',
  address: null,
  route: null,
  requirement: null,
  key: '',
  owner: '',
  environment: '',
  missing: null,
  limit: null,
}

test('a kept refusal with a code that is none says that the database has it, and is no bug', () => {
  assert.equal(recordOf({ ...kept, code: 'expired' }).code, 'expired')
  for (const code of ['of_a_newer_version', 'constructor', '']) {
    assert.throws(() => recordOf({ ...kept, code }), { code: 'store_unusable', message: /does not know/ })
  }
})
