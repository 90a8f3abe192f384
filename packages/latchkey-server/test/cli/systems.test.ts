// Rows of other systems, as their databases write them.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, test } from 'node:test'
import { jsonLines, workplace } from './running.ts'

const past = '2020-01-31T12:00:00.000Z'

/** Imports rows as JSON lines, or a CSV; answers what was said and the keys that are there afterwards. */
async function imported(system: string, rows: readonly object[] | string, ...flags: readonly string[]) {
  const here = workplace()
  const input = typeof rows === 'string' ? rows : rows.map((row) => JSON.stringify(row)).join('\n')
  const { code, stderr } = await here.run(['keys', 'import', '--create', '--from', system, ...flags], { input })
  const keys = code === 0 ? jsonLines(await here.done(['keys', 'list', '--order', 'oldest', '--json'])) : []
  const accepts = async (secret: string) => (await here.run(['verify'], { input: secret })).code === 0
  return { code, stderr, keys, accepts }
}

describe('keys import --from', { concurrency: 2 }, () => {
  test('sanctum: the whole token is accepted, its part alone is not, and abilities are mapped', async () => {
    const row = {
      id: 17,
      tokenable_type: String.raw`App\Models\User`,
      tokenable_id: 3,
      name: 'CI',
      token: hash('sha256', 'aA0-token-of-forty-characters-0123456789'),
      abilities: '["*","orders:read"]',
      last_used_at: '2021-01-31 12:00:00',
      expires_at: null,
      created_at: '2020-01-31 12:00:00',
    }
    const unmapped = await imported('sanctum', [row, { ...row, abilities: '["server:update","*"]' }])
    assert.equal(unmapped.code, 2)
    assert.deepEqual(unmapped.stderr.split('\n').slice(1, 3), [
      '  --map-scope "*=…"',
      '  --map-scope "server:update=…"',
    ])
    const expired = { ...row, id: 18, token: hash('sha256', 'other'), expires_at: '2021-01-31 12:00:00' }
    const done = await imported('sanctum', [row, expired], '--map-scope', '*=orders:write')
    assert.equal(done.stderr, 'Line 2: left out, the key has expired.\n1 key imported.\n')
    const [key = {}] = done.keys
    assert.deepEqual(
      [key['name'], key['owner'], key['scopes'], key['createdAt'], key['lastUsedAt'], key['start']],
      ['CI', String.raw`App\Models\User:3`, ['orders:write', 'orders:read'], past, '2021-01-31T12:00:00.000Z', '17|'],
    )
    assert.ok(await done.accepts('17|aA0-token-of-forty-characters-0123456789'))
    assert.ok(!(await done.accepts('aA0-token-of-forty-characters-0123456789')))
    assert.ok(!(await done.accepts('18|aA0-token-of-forty-characters-0123456789')))
  })

  test('unkey: quota, limits, metadata and state come along, and what has no place is said', async () => {
    const row = {
      id: 'key_1',
      hash: hash('sha256', 'prod_3ZHfmXNRFmGpPXgEMe5p1L', 'base64'),
      start: 'prod_3ZHf',
      workspace_id: 'ws_1',
      name: null,
      external_id: 'acme',
      meta: '{"plan":"pro","seats":[1,2]}',
      expires: null,
      created_at_m: 1_580_472_000_000,
      refill_day: 15,
      refill_amount: 1000,
      enabled: 0,
      remaining_requests: 7,
      last_used_at: 0,
      permissions: ['documents.read', null],
      ratelimits: [
        { name: 'Default', limit: 10, duration: 1500, auto_apply: 1 },
        { name: 'heavy', limit: 1, duration: 60_000, auto_apply: 0 },
        { limit: null },
      ].slice(0, 2),
    }
    const other = (part: object) => ({ ...row, hash: hash('sha256', JSON.stringify(part), 'base64'), ...part })
    const done = await imported(
      'unkey',
      [
        row,
        other({ deleted_at_m: 5 }),
        other({ for_workspace_id: 'ws_2' }),
        other({ pending_migration_id: 'm' }),
        other({ expires: '2021-01-31 12:00:00.000' }),
        other({
          enabled: 1,
          refill_amount: null,
          remaining_requests: 5,
          external_id: null,
          owner_id: 'globex',
          ratelimits: null,
        }),
      ],
      '--map-scope',
      'documents.read=orders:*',
    )
    assert.equal(done.code, 0, done.stderr)
    assert.deepEqual(done.stderr.split('\n').slice(0, -1), [
      'Line 2: left out, the key was deleted.',
      'Line 3: left out, it is a root key of Unkey itself.',
      'Line 4: left out, its hash is still that of the system before Unkey.',
      'Line 5: left out, the key has expired.',
      'Line 1: taken without the day of its refill: here a month begins on its first day.',
      'Line 1: taken without its limits that apply only when a call names them.',
      '2 keys imported.',
    ])
    const [key = {}, second = {}] = done.keys
    assert.deepEqual(
      [
        key['name'],
        key['owner'],
        key['scopes'],
        key['state'],
        key['metadata'],
        key['quota'],
        key['limits'],
        key['createdAt'],
      ],
      [
        'prod_3ZHf',
        'acme',
        ['orders:*'],
        'disabled',
        { plan: 'pro', seats: [1, 2] },
        { amount: 1000, refill: 'month' },
        [{ name: 'default', limit: 10, window: 2 }],
        past,
      ],
    )
    assert.deepEqual(
      [second['owner'], second['quota'], second['state']],
      ['globex', { amount: 5, refill: null }, 'active'],
    )
  })

  test('better-auth: keys that are not hashed, and rows of another table, are refused without showing them', async () => {
    const row = {
      id: '1',
      referenceId: 'u',
      key: 's3cret-in-plain-text',
      permissions: null,
      metadata: 'null',
      enabled: 1,
    }
    const unhashed = await imported('better-auth', [row])
    assert.deepEqual([unhashed.code, unhashed.stderr.slice(0, 30)], [2, 'Line 1: its key is not hashed.'])
    assert.ok(!unhashed.stderr.includes('s3cret'))
    assert.match((await imported('better-auth', [{ id: '1' }])).stderr, /^Line 1: its column key is missing/)
    assert.match(
      (await imported('unkey', [{ id: '1', hash: '', workspace_id: 'w' }])).stderr,
      /^Line 1: its column permissions is missing/,
    )
    const wrong = { ...row, key: hash('sha256', 'one of a kind', 'base64url') }
    for (const [part, fault] of [
      [{ expiresAt: 'soon' }, /^Line 1: its column expiresAt is not a time/],
      [{ createdAt: 1_580_472_000_000_000 }, /^Line 1: its column createdAt is not a time/],
      [{ permissions: '{' }, /^Line 1: its column permissions is not JSON/],
      [{ permissions: '["read"]' }, /^Line 1: its column permissions is not an object of lists of texts/],
      [{ permissions: '{"a":[{}]}' }, /^Line 1: its column permissions is not an object of lists of texts/],
      [{ permissions: '{"a":"read"}' }, /^Line 1: its column permissions is not an object of lists of texts/],
      [{ enabled: 'perhaps' }, /^Line 1: its column enabled is neither true nor false/],
      [{ remaining: 'many' }, /^Line 1: its column remaining is not a number/],
    ] as const) {
      assert.match((await imported('better-auth', [{ ...wrong, ...part }])).stderr, fault)
    }
    const both = await workplace().run(['keys', 'import', '--from', 'unkey', '--plain'], { input: '' })
    assert.deepEqual([both.code, both.stderr], [2, 'Use one of --from and --plain.\n'])
  })

  test('a row without the column that says whether a key is enabled is refused', async () => {
    const key = hash('sha256', 'one of a kind', 'base64url')
    const rows = {
      unkey: { id: 'key_1', hash: hash('sha256', 'one of a kind', 'base64'), workspace_id: 'w', permissions: null },
      'better-auth': { id: '1', referenceId: 'u', key },
    }
    for (const [system, row] of Object.entries(rows)) {
      const { code, stderr } = await imported(system, [{ ...row, enabled: 1 }, row])
      assert.deepEqual([code, stderr], [2, 'Line 2: its column enabled is missing: take the query of the guide.\n'])
    }
    assert.equal((await imported('unkey', [{ ...rows.unkey, enabled: null }])).code, 2)
    // better-auth accepts a key whose column is NULL: an empty field in CSV.
    const csv = `id,referenceId,key,enabled\n1,u,${key},\n`
    const [taken] = (await imported('better-auth', csv, '--format', 'csv')).keys
    assert.equal(taken?.['state'], 'active')
    const without = await imported('better-auth', `id,referenceId,key\n1,u,${key}\n`, '--format', 'csv')
    assert.equal(without.stderr, 'Line 2: its column enabled is missing: take the query of the guide.\n')
  })

  test('rows without a time of issue are recognised when they are imported again', async () => {
    const rows = {
      sanctum: { id: 1, tokenable_type: 'User', tokenable_id: 3, token: hash('sha256', 'the first of three') },
      unkey: {
        id: 'k',
        hash: hash('sha256', 'the second of three', 'base64'),
        workspace_id: 'w',
        permissions: null,
        enabled: 1,
      },
      'better-auth': {
        id: '1',
        referenceId: 'u',
        key: hash('sha256', 'the third of three', 'base64url'),
        enabled: true,
      },
    }
    for (const [system, row] of Object.entries(rows)) {
      const here = workplace()
      const command = ['keys', 'import', '--create', '--from', system]
      const first = await here.run(command, { input: JSON.stringify(row) })
      assert.deepEqual([first.code, first.stderr], [0, '1 key imported.\n'])
      const again = await here.run(command, { input: JSON.stringify(row) })
      assert.deepEqual([again.code, again.stderr], [0, '0 keys imported, 1 already there.\n'])
    }
  })
})
