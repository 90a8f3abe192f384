// What is wrong with a value is said of the flag that was typed, whether the library says it or a server.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LatchkeyError } from 'latchkey'
import { inFlags } from '../../src/cli/named-flags.ts'
import { serverFaults } from '../../src/cli/server-faults.ts'
import { serve, workplace } from './running.ts'

/** What is said of an error to somebody who has typed these options. */
function said(message: string, options: object = {}): string {
  return (inFlags(new LatchkeyError('invalid_input', message), options) as Error).message
}

test('a field, one of several, and a part that has its own flag', () => {
  for (const [message, expected] of [
    ['name must be a text.', '--name must be a text.'],
    ['expiresAt must be later than now, or null.', '--expires must be later than now.'],
    ['expiresAt must be later than notBefore.', '--expires must be later than --not-before.'],
    ['addresses[1] must be a range.', '--address number 2 must be a range.'],
    ['limits[0].name must be another.', '--limit number 1: name must be another.'],
    ['quota.remaining must be a whole number.', '--quota-left must be a whole number.'],
    ['delegation.members[2] must be one of a, b.', '--give-member number 3 must be one of a, b.'],
    ['delegation must be null unless it is an admin key.', '--give-owner must be left out unless it is an admin key.'],
    ['The body does not fit. /name must not be empty.', '--name must not be empty.'],
    [
      'The body does not fit. /limits/1/window must be at most 9; /quota/amount must be at least 0.',
      '--limit number 2: window must be at most 9.\n--quota: amount must be at least 0.',
    ],
    ['The scope "x:y" is not declared.', 'The scope "x:y" is not declared.'],
    ['id must be a text.', 'id must be a text.'],
  ] as const)
    assert.equal(said(message), expected)
})

test('an option of the command that is no field, and one that is called like a field', () => {
  assert.equal(said('ifRevision must be a number.', { ifRevision: 1 }), '--if-revision must be a number.')
  assert.equal(said('limit must be a number.', { limit: 0 }), '--limit must be a number.')
  assert.equal(said('call.ip must be a text.', { address: 'x' }), 'call.ip must be a text.')
  assert.equal(
    said('The querystring does not fit. /limit must be at least 1.', { limit: 0 }),
    '--limit must be at least 1.',
  )
})

test('an error of another kind is as it was', () => {
  const conflict = new LatchkeyError('conflict', 'name must be free.')
  assert.equal((inFlags(conflict, {}) as Error).message, 'name must be free.')
  assert.deepEqual(serverFaults('name must be a text.'), [])
  assert.deepEqual(serverFaults('The body does not fit. /a~1b/c~0d is not known here.'), [
    { path: ['a/b', 'c~d'], must: 'is not known here' },
  ])
})

describe('what is typed wrong is named alike', { concurrency: 2 }, () => {
  const issue = ['keys', 'issue', '--name', 'x', '--owner', 'x', '--scope', 'orders:read']
  const wrong: readonly (readonly [flags: string, database: RegExp, server?: RegExp])[] = [
    ['--expires 1990-01-01', /^--expires must be later than now\.$/],
    ['--address ::1,nowhere', /^--address number 2 must be an address/],
    ['--limit Burst=5/1m', /^--limit number 1: name must be 1 to 32/, /^--limit number 1: name must match/],
    ['--limit a=5/90d', /^--limit number 1: window must be/],
    ['--quota 5 --quota-left 6', /^--quota-left must be/],
    ['--environment nowhere', /^--environment must be one of/],
    [`--metadata ${'x'.repeat(65)}=1`, /^--metadata must be an object whose names have 1 to 64/],
  ]

  test('on the database, and on a server', async () => {
    const here = workplace()
    const { environment } = await serve(here)
    for (const [flags, database, server = database] of wrong) {
      for (const [env, expected] of [
        [{}, database],
        [environment, server],
      ] as const) {
        const { code, stderr } = await here.run([...issue, ...flags.split(' ')], { env })
        assert.equal(code, 2)
        assert.match(stderr.trimEnd(), expected)
      }
    }
  })

  test('of a line that a server does not take, the line is named', async () => {
    const here = workplace()
    const { environment: env } = await serve(here)
    const line = (hash: string) => `{"name":"x","owner":"x","scopes":[],"bits":128,"hash":"${hash}"}`
    const input = [line('0'.repeat(64)), '', line('00')].join('\n')
    const { code, stderr } = await here.run(['keys', 'import'], { env, input })
    assert.equal(code, 2)
    assert.match(stderr, /^Line 3: hash must /)
  })
})
