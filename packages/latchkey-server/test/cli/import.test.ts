// Taking in keys that were made elsewhere.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { jsonLines, serve, workplace } from './running.ts'

/** Lines with keys of an older system. */
function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => {
    const key = `legacy-key-number-${from + index}`
    return JSON.stringify({ name: key, owner: 'legacy', scopes: ['orders:read'], hash: hash('sha256', key), bits: 128 })
  }).join('\n')
}

describe('keys import', { concurrency: 2 }, () => {
  test('thousands go in, in one run; the same lines again are recognised', async () => {
    const here = workplace()
    const input = lines(0, 3500)
    const first = await here.run(['keys', 'import', '--create'], { input })
    assert.deepEqual([first.code, first.stdout], [0, ''])
    assert.match(first.stderr, /^3,500 keys imported\.\n$/)
    const again = await here.run(['keys', 'import', '--create'], { input })
    assert.equal(again.code, 0)
    assert.match(again.stderr, /^0 keys imported, 3,500 already there\.\n$/)
    assert.equal((await here.run(['verify'], { input: 'legacy-key-number-3499' })).code, 0)
  })

  test('a wrong line is named by its number and not repeated; what came before stays, and a second run completes it', async () => {
    const here = workplace()
    const good = lines(0, 1500).split('\n')
    const wrong = good.with(1200, '{"name":"s3cret","owner":"legacy","scopes":["no:such"],"hash":"00","bits":128}')
    writeFileSync(join(here.folder, 'keys.jsonl'), wrong.join('\n'))
    const first = await here.run(['keys', 'import', '--create', 'keys.jsonl'])
    assert.equal(first.code, 2)
    assert.match(
      first.stderr,
      /^(?:Importing … 1,000 keys\n)?1,000 keys imported\. Of the rest nothing was added\. .*\nLine 1201: .*no:such.* is not declared/,
    )
    assert.doesNotMatch(first.stderr, /s3cret/)
    writeFileSync(join(here.folder, 'keys.jsonl'), good.join('\n'))
    const second = await here.run(['keys', 'import', '--create', 'keys.jsonl'])
    assert.deepEqual([second.code, second.stderr], [0, '500 keys imported, 1,000 already there.\n'])
  })

  for (const target of ['a database', 'a server'] as const) {
    test(`known secrets in ${target} are named by their lines, and --skip-known imports the others`, async () => {
      const here = workplace()
      const env = target === 'a server' ? (await serve(here)).environment : {}
      const run = (input: string, ...flags: string[]) => {
        return here.run(['keys', 'import', ...(target === 'a server' ? [] : ['--create']), ...flags], { input, env })
      }
      assert.equal((await run(lines(5, 7))).code, 0)
      const refused = await run(`\n${lines(0, 1100)}`)
      assert.equal(refused.code, 4)
      assert.match(refused.stderr, /^Lines 7, 8: their secrets are in the keyring already, .*--skip-known\.$/m)
      const one = await run(lines(6, 7))
      assert.match(one.stderr, /^Line 1: its secret is in the keyring already, .*--skip-known\.$/m)
      const taken = await run(`\n${lines(0, 1100)}`, '--skip-known', '--json')
      assert.equal(taken.code, 0, taken.stderr)
      assert.match(taken.stderr, /^Lines 7, 8: left out, their secrets are in the keyring already\.$/m)
      assert.match(taken.stderr, /^1,098 keys imported, 2 already there\.$/m)
      assert.equal(jsonLines(taken.stdout).length, 1098)
    })
  }

  test('a line that is not what it must be says so without showing it', async () => {
    const here = workplace()
    const bad: readonly (readonly [string, RegExp])[] = [
      ['{"s3cret', /^Line 1: it is not JSON\.\n$/],
      ['["s3cret"]', /^Line 1: it is not a JSON object\.\n$/],
      [
        '{"name":"a","owner":"a","scopes":[],"key":"s3cret"}',
        /^Line 1: it has a key instead of a hash: .*--plain\.\n$/,
      ],
      [
        '{"name":"a","owner":"a","scopes":[],"hash":"s3cret","bits":128}',
        /^Line 1: hash must be the sha256 of the secret: 64 hexadecimal digits/,
      ],
      [
        '{"name":"a","owner":"a","scopes":[],"hash":"00"}',
        /^Line 1: it does not say how many random bits .*--bits\.\n$/,
      ],
      [
        '{"name":"a","owner":"a","scopes":[],"bits":128,"expiresAt":"s3cret"}',
        /^Line 1: expiresAt must be a time in ISO 8601/,
      ],
    ]
    for (const [input, expected] of bad) {
      const { code, stderr } = await here.run(['keys', 'import', '--create'], { input })
      assert.equal(code, 2, stderr)
      assert.match(stderr, expected)
      assert.doesNotMatch(stderr, /s3cret/)
    }
    assert.equal((await here.run(['keys', 'import', '--create', 'missing.csv'])).code, 2)
  })

  test('CSV has every member, and a database of hashes by SHA-512 too', async () => {
    const here = workplace()
    const csv = [
      'name,owner,environment,scopes,hash,algorithm,bits,start,expiresAt,addresses,limits,quota,metadata.plan',
      `"Doe, ""John""",acme,test,orders:read orders:write,${hash('sha512', 'first')},sha512,130,fi,2040-01-01T00:00:00Z,192.0.2.0/24,burst=5/1m day=100/1d,10/month,pro`,
      `Bare,acme,,,${hash('sha256', 'second')},,,,,,,,`,
      '',
    ].join('\r\n')
    writeFileSync(join(here.folder, 'keys.csv'), `\ufeff${csv}`)
    assert.equal(
      (await here.run(['keys', 'import', '--create', '--bits', '128', 'keys.csv'])).stderr,
      '2 keys imported.\n',
    )
    const [first = {}, second = {}] = jsonLines(await here.done(['keys', 'list', '--json', '--order', 'oldest']))
    assert.deepEqual(
      [
        first['name'],
        first['environment'],
        first['scopes'],
        first['expiresAt'],
        first['addresses'],
        first['quota'],
        first['metadata'],
      ],
      [
        'Doe, "John"',
        'test',
        ['orders:read', 'orders:write'],
        '2040-01-01T00:00:00.000Z',
        ['192.0.2.0/24'],
        { amount: 10, refill: 'month' },
        { plan: 'pro' },
      ],
    )
    assert.deepEqual([second['name'], second['environment'], second['scopes']], ['Bare', 'live', []])
    assert.equal(
      (await here.run(['verify', '--environment', 'test', '--address', '192.0.2.1'], { input: 'first' })).code,
      0,
    )
  })

  test('hashes of other systems, parts of secrets, the life of a key and its scopes by a map come along', async () => {
    const here = workplace()
    const csv = [
      'name,owner,scopes,hash,before,createdAt,lastUsedAt,disabled',
      `One,acme,documents.read documents.old,${hash('sha512', 'first', 'base64')},,2020-01-31T12:00:00Z,2021-01-31T12:00:00Z,false`,
      `Two,acme,documents.all,${hash('sha256', 'second', 'base64url')},17|,,,true`,
    ].join('\n')
    const flags = ['--map-scope', 'documents.read=orders:read', '--map-scope', 'documents.old=']
    const unmapped = await here.run(['keys', 'import', '--create', '--bits', '128', '--format', 'csv', ...flags], {
      input: csv,
    })
    assert.match(unmapped.stderr, /^Line 3: .* is not declared/)
    const all = ['--map-scope', 'documents.all=orders:read,orders:write']
    const done = await here.run(['keys', 'import', '--create', '--bits', '128', '--format', 'csv', ...flags, ...all], {
      input: csv,
    })
    assert.equal(done.stderr, '2 keys imported.\n')
    const [one = {}, two = {}] = jsonLines(await here.done(['keys', 'list', '--json', '--order', 'oldest']))
    assert.deepEqual(
      [one['scopes'], one['createdAt'], one['lastUsedAt'], one['state'], two['scopes'], two['state'], two['start']],
      [
        ['orders:read'],
        '2020-01-31T12:00:00.000Z',
        '2021-01-31T12:00:00.000Z',
        'active',
        ['orders:read', 'orders:write'],
        'disabled',
        '17|',
      ],
    )
    assert.equal((await here.run(['verify'], { input: 'first' })).code, 0)
    await here.done(['keys', 'enable', String(two['id'])])
    assert.equal((await here.run(['verify'], { input: '17|second' })).code, 0)
    assert.equal((await here.run(['verify'], { input: 'second' })).code, 1)
    assert.match((await here.run(['keys', 'import', '--map-scope', 'x'], { input: '' })).stderr, /theirs=ours/)
  })

  test('a column that is there twice or has no name is refused before anything is added; one key is told as one', async () => {
    const here = workplace()
    const row = `Key,acme,${hash('sha256', 'some')}`
    for (const [header, fault] of [
      ['name,owner,hash,owner', 'the column owner appears twice'],
      ['name,owner,hash,metadata.a,metadata.a', 'the column metadata.a appears twice'],
      ['name,owner,hash,', 'column 4 has no name'],
    ]) {
      const { code, stderr } = await here.run(['keys', 'import', '--create', '--bits', '128', '--format', 'csv'], {
        input: `${header}\n${row},x\n`,
      })
      assert.deepEqual([code, stderr], [2, `Line 1: ${fault}.\n`])
    }
    const one = await here.run(['keys', 'import', '--create', '--bits', '128', '--format', 'csv'], {
      input: `name,owner,hash,scopes\n${row},\n`,
    })
    assert.deepEqual([one.code, one.stderr], [0, '1 key imported.\n'])
  })

  test('with --plain keys are hashed here: neither the database nor the server ever has them', async () => {
    const here = workplace()
    const served = await serve(here)
    const input = '{"name":"Plain","owner":"acme","scopes":["orders:read"],"key":"pk_0123456789abcdefghijklmnop"}\n'
    const { code, stderr, stdout } = await here.run(['keys', 'import', '--plain', '--json'], {
      input,
      env: served.environment,
    })
    assert.equal(code, 0, stderr)
    assert.match(stdout, /^\{"id":"key_\w+","repeated":false\}\n$/)
    assert.equal((await here.run(['verify'], { input: 'pk_0123456789abcdefghijklmnop' })).code, 0)
    assert.match(await here.done(['keys', 'list', '--json', '--owner', 'acme']), /"start":"pk_01234"/)
    for (const name of ['latchkey.db', 'latchkey.db-wal']) {
      const path = join(here.folder, 'data', name)
      const bytes = statSync(path, { throwIfNoEntry: false }) === undefined ? '' : readFileSync(path, 'latin1')
      assert.ok(!bytes.includes('abcdefghijklmnop'), name)
    }
    assert.ok(!served.printed().includes('abcdefghijklmnop'))
  })

  test('with --plain a key that is weak, or can never be sent, is refused and not shown', async () => {
    const here = workplace()
    for (const [key, fault] of [
      ['password', 'is shorter than 16 characters'],
      ['x'.repeat(1025), 'is longer than 1024 characters'],
      ['your-secret-api-key', 'looks like a placeholder'],
      ['with spaces and ümlauts', 'has characters that a header cannot carry'],
      ['1111222233334444', 'looks like a placeholder'],
    ] as const) {
      const input = JSON.stringify({ name: 'Plain', owner: 'acme', scopes: [], key })
      const { code, stderr } = await here.run(['keys', 'import', '--create', '--plain'], { input })
      assert.equal(code, 2)
      assert.ok(stderr.startsWith(`Line 1: its key ${fault}`), stderr)
      assert.ok(!stderr.includes(key))
    }
    const guessable = JSON.stringify({ name: 'Plain', owner: 'acme', scopes: [], key: '9051734628190357' })
    const { code, stderr } = await here.run(['keys', 'import', '--create', '--plain'], { input: guessable })
    assert.deepEqual([code, stderr.split(' ').slice(0, 4).join(' ')], [2, 'Line 1: bits, the'])
  })

  test('with --plain every line with a weak key is named, and after the first nothing more goes in', async () => {
    const here = workplace()
    const line = (key: string) => JSON.stringify({ name: 'Plain', owner: 'acme', scopes: [], key })
    const good = (index: number) =>
      JSON.stringify({ name: 'Plain', owner: 'acme', scopes: [], key: `pk_${index}_0f9a8c7e6b5d` })
    const two = [good(1), line('password'), good(3), '', line('your-secret-api-key'), good(6)].join('\n')
    const some = await here.run(['keys', 'import', '--create', '--plain'], { input: two })
    assert.deepEqual(
      [some.code, some.stderr.split('\n')],
      [
        2,
        [
          'Line 2: its key is shorter than 16 characters.',
          'Line 5: its key looks like a placeholder.',
          'Remove these lines, and issue new keys to their callers.',
          '',
        ],
      ],
    )
    assert.equal((await here.run(['keys', 'list'])).code, 69, 'there is no database either')
    const thousand = Array.from({ length: 1000 }, (_, index) => good(index))
    const many = [...thousand, ...Array.from({ length: 30 }, () => line('password')), good(2000)].join('\n')
    const more = await here.run(['keys', 'import', '--create', '--plain'], { input: many })
    assert.match(
      more.stderr,
      /^(?:Importing … 1,000 keys\n)?1,000 keys imported\. Of the rest nothing was added\. .*\nLine 1001: (?:.*\n){20}And 10 more lines\.\nRemove /,
    )
    // The lines are taken out, and the same file goes on where it ended.
    const mended = await here.run(['keys', 'import', '--plain'], { input: [...thousand, good(2000)].join('\n') })
    assert.deepEqual([mended.code, mended.stderr], [0, '1 key imported, 1,000 already there.\n'])
  })

  test('a file is in UTF-8, with a byte order mark or not, and says everything once', async () => {
    const here = workplace()
    const line = `{"name":"Key","owner":"acme","scopes":[],"bits":128,"hash":"${hash('sha256', 'some')}"}`
    for (const [input, fault] of [
      [Buffer.from('{"name":"K\xfcy"}', 'latin1'), 'The input is not in UTF-8. Convert it first.'],
      [Buffer.from(`\ufeff${line}`, 'utf16le'), 'The input is not in UTF-8. Convert it first.'],
      [Buffer.from(line.replace('"scopes"', '"owner":"globex","scopes"')), 'Line 1: owner appears twice.'],
      [Buffer.from(`${line}\n${'x'.repeat(2_000_000)}`), 'Line 2: it is too long.'],
    ] as const) {
      writeFileSync(join(here.folder, 'keys.jsonl'), input)
      const { code, stderr } = await here.run(['keys', 'import', '--create', 'keys.jsonl'])
      assert.deepEqual([code, stderr], [2, `${fault}\n`])
    }
    writeFileSync(join(here.folder, 'keys.jsonl'), `\ufeff${line}\r\n`)
    assert.equal((await here.run(['keys', 'import', '--create', 'keys.jsonl'])).stderr, '1 key imported.\n')
    for (const [members, fault] of [
      ['"key":"pk_0f9a8c7e6b5d4321","secret":"pk_0f9a8c7e6b5d4320"', 'it has a "key" and a "secret": leave one out'],
      ['"key":"pk_0f9a8c7e6b5d4321","hash":"00"', 'it has a key and a hash: leave one out'],
    ]) {
      const { code, stderr } = await here.run(['keys', 'import', '--plain'], {
        input: `{"name":"K","owner":"a",${members}}`,
      })
      assert.deepEqual([code, stderr], [2, `Line 1: ${fault}.\n`])
    }
  })
})
