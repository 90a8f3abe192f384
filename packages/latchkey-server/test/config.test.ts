import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../../../test/temporary-folder.ts'
import { readSettings, SettingsError, settingsTable } from '../src/config.ts'

const folder = temporaryFolder('config')

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const faultsOf = (environment: Readonly<Record<string, string>>, flags = {}): readonly string[] => {
  try {
    readSettings({ environment, flags })
    return []
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    return error.faults
  }
}

test('without anything set, every setting is what the table says', () => {
  const { host, port, store, trustedProxies, corsOrigins, ...rest } = readSettings({ environment: {} })
  assert.deepEqual([host, port, store], ['127.0.0.1', 8080, 'sqlite:data/latchkey.db'])
  assert.deepEqual([trustedProxies, corsOrigins], [[], []])
  // Of these the database knows more.
  const unsaid = { prefix: undefined, environments: undefined, scopes: undefined }
  assert.deepEqual(rest, {
    ...unsaid,
    firstAdminKeyFile: undefined,
    forwardAuth: undefined,
    policies: undefined,
    forwardAuthProxies: [],
    identity: undefined,
    instance: undefined,
    limiter: 'memory',
    limiterInstances: undefined,
    logLevel: 'info',
    usageInterval: 10,
    retentionUsage: 90,
    retentionUsageSums: 400,
    retentionRefusals: 30,
    retentionEndedSecrets: 90,
    retentionRevokedKeys: 365,
    quotaDurability: 'second',
    cacheSize: 50_000,
    cacheMemory: 64,
    drainDelay: 0,
  })
})

test('what is set counts, a flag before the environment, and what is set to nothing is not set', () => {
  const environment = {
    HOST: '::',
    PORT: '1',
    LOG_LEVEL: '',
    LATCHKEY_STORE: 'sqlite::memory:',
    LATCHKEY_ENVIRONMENTS: 'prod, stage',
    LATCHKEY_TRUSTED_PROXIES: '10.0.0.0/8, ::1',
    LATCHKEY_CORS_ORIGINS: 'https://a.example,http://localhost:3000',
    LATCHKEY_SCOPES_FILE: file('scopes.json', '{"orders:read": "Read orders"}'),
  }
  const settings = readSettings({ environment, flags: { port: '2', logLevel: undefined } })
  assert.deepEqual(
    [settings.host, settings.port, settings.store, settings.logLevel],
    ['::', 2, 'sqlite::memory:', 'info'],
  )
  assert.deepEqual(settings.environments, ['prod', 'stage'])
  assert.deepEqual(settings.trustedProxies, ['10.0.0.0/8', '::1'])
  assert.deepEqual(settings.corsOrigins, ['https://a.example', 'http://localhost:3000'])
  assert.deepEqual(settings.scopes, { 'orders:read': 'Read orders' })
})

test('a listener for proxies needs policies and the keys that sign identities', () => {
  const environment = { LATCHKEY_FORWARD_AUTH: '127.0.0.1:0' }
  assert.deepEqual(faultsOf(environment), [
    'LATCHKEY_POLICIES must be set where LATCHKEY_FORWARD_AUTH is.',
    'LATCHKEY_IDENTITY_FILE must be set where LATCHKEY_FORWARD_AUTH is.',
  ])
})

test('ranges of proxies may be as wide as real networks are', () => {
  for (const value of [
    '10.0.0.0/8',
    '::ffff:10.0.0.0/104',
    'fd12::/16',
    '::1',
    '::ffff:10.0.0.1',
    '::1/128',
    '10.1.2.3/32',
  ])
    assert.deepEqual(faultsOf({ LATCHKEY_TRUSTED_PROXIES: value }), [], value)
})

const bad: readonly (readonly [variable: string, ...values: string[]])[] = [
  ['HOST', 's3cret host', '-s3cret', 's3cret:80', ' '],
  ['PORT', 's3cret', '-1', '65536', '1e3', '0x10', '80.5', ' 80', '9'.repeat(30)],
  ['LATCHKEY_STORE', 's3cret', 'sqlite:', 'postgres://s3cret@db', 'SQLITE:s3cret', 'sqlite:s3cret\0'],
  ['LATCHKEY_LIMITER', 's3cret', 'redis://', 'http://s3cret@db', 'redis://:s3cret@db/x', 'redis://:s3cret@db/0?a=b'],
  ['LATCHKEY_LIMITER', 'redis://:s3cret%zz@db', 'redis://db#s3cret', 'redis://db?prefix=s3cret!', 'rediss:s3cret'],
  ['LATCHKEY_LIMITER_INSTANCES', 's3cret', '0', '100001'],
  ['LATCHKEY_PREFIX', 'S3cret', 's3_cret', '3s', 's'.repeat(17)],
  ['LATCHKEY_ENVIRONMENTS', 'live,,test', 'live,admin', 'live,live', 'Live', 'live test', ','],
  ['LATCHKEY_SCOPES_FILE', 's3cret.json', file('no.json', 's3cret'), file('list.json', '["orders:read"]')],
  ['LATCHKEY_SCOPES_FILE', file('name.json', '{"s3cret": "x"}'), file('text.json', '{"orders:read": ""}'), folder],
  ['LATCHKEY_TRUSTED_PROXIES', 'true', '1', 's3cret', '0.0.0.0/0', '::/0', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/'],
  ['LATCHKEY_TRUSTED_PROXIES', '::ffff:0.0.0.0/96', '0:0:0:0:0:ffff:0:0/103', '0:0:1::/20', '::%1/96', '::/16'],
  ['LATCHKEY_TRUSTED_PROXIES', '0.0.0.0/1,128.0.0.0/1', '10.0.0.0/7', '2000::/15', '8000::/1,::1', '::/100'],
  [
    'LATCHKEY_CORS_ORIGINS',
    '*',
    's3cret',
    'https://s3cret.example/',
    'https://s3cret.example/a',
    'HTTPS://a.example',
    'https://*.s3cret.example',
    'https://a.*.example',
    'http://*',
    'null',
  ],
  ['LOG_LEVEL', 's3cret', 'INFO', 'verbose'],
  ['LATCHKEY_INSTANCE', ' s3cret', 's3cret\n', 's3cret'.repeat(30)],
  ['LATCHKEY_USAGE_INTERVAL', 's3cret', '0', '3601', '1.5'],
  ['LATCHKEY_RETENTION_USAGE', 's3cret', '0', '3651', '-1', 'Forever'],
  ['LATCHKEY_RETENTION_USAGE_SUMS', 's3cret', '0'],
  ['LATCHKEY_RETENTION_REFUSALS', 's3cret', '0'],
  ['LATCHKEY_RETENTION_ENDED_SECRETS', 's3cret', '0'],
  ['LATCHKEY_RETENTION_REVOKED_KEYS', 's3cret', '0'],
  ['LATCHKEY_CACHE_SIZE', 's3cret', '1', '-5'],
  ['LATCHKEY_CACHE_MEMORY', 's3cret', '0', '65537'],
  ['LATCHKEY_DRAIN_DELAY', 's3cret', '301'],
]

for (const [variable, ...values] of bad) {
  test(`${variable} that does not fit is one sentence that names it and what it must be, never its value`, () => {
    for (const value of values) {
      const faults = faultsOf({ [variable]: value })
      assert.equal(faults.length, 1, value)
      assert.match(faults[0] ?? '', new RegExp(`^${variable} must be [^\n]+\\.$`))
      assert.ok(!(faults[0] ?? '').includes('s3cret'), value)
    }
  })
}

test('a scopes file that is missing, not JSON or wrong is told apart', () => {
  const told = (path: string): string => faultsOf({ LATCHKEY_SCOPES_FILE: path })[0] ?? ''
  assert.match(told(join(folder, 'nothing.json')), /and there is none\.$/)
  assert.match(told(folder), /that can be read, and what is there is not\.$/)
  assert.match(told(file('half.json', '{"orders:read": ')), /in JSON and UTF-8, and what stands in it is not\.$/)
  assert.match(told(file('latin.json', Buffer.from('{"orders:read": "\xdcbersicht"}', 'latin1'))), /in JSON and UTF-8/)
  const twice = '{"orders:read": "Read", "orders:write": "Write", "orders:read": "Read and write"}'
  assert.match(told(file('twice.json', twice)), /each name once, and orders:read stands in it twice\.$/)
  assert.match(told(file('odd.json', '{"\\n": "x", "\\n": "y"}')), /each name once, and one stands in it twice\.$/)
  assert.match(
    told(file('names.json', '{"orders": "Read"}')),
    /names written resource:action, and a sentence for each\.$/,
  )
  assert.deepEqual(faultsOf({ LATCHKEY_SCOPES_FILE: file('marked.json', '\ufeff{"orders:read": "Read orders"}') }), [])
})

test('a variable that is taken for a setting and is none is a fault, which names the one that was meant', () => {
  for (const [variable, meant] of [
    ['LATCHKEY_TRUSTED_PROXY', 'LATCHKEY_TRUSTED_PROXIES'],
    ['LATCHKEY_STORES', 'LATCHKEY_STORE'],
    ['LATCHKEY_SCOPES', 'LATCHKEY_SCOPES_FILE'],
    ['LATCHKEY_PORTT', 'PORT'],
    ['LATCHKEY_HOST', 'HOST'],
    ['latchkey_store', 'LATCHKEY_STORE'],
    ['LACHKEY_STORE', 'LATCHKEY_STORE'],
    ['LATCHKEY_LOG_LEVEL', 'LOG_LEVEL'],
  ] as const) {
    assert.deepEqual(faultsOf({ [variable]: 's3cret' }), [`${variable} is not a setting. Did you mean ${meant}?`])
  }
})

test('a variable that others have set, or nobody, is no fault', () => {
  const others = {
    LATCHKEY_URL: 'http://127.0.0.1:1',
    LATCHKEY_ADMIN_KEY: 'x',
    LATCHKEY_CREDENTIAL: 'x',
    LATCHKEY_STORES: '',
    // What Kubernetes sets for a service that is called `latchkey`.
    LATCHKEY_PORT: 'tcp://10.0.0.7:8080',
    LATCHKEY_PORT_8080_TCP: 'tcp://10.0.0.7:8080',
    LATCHKEY_PORT_8080_TCP_ADDR: '10.0.0.7',
    LATCHKEY_PORT_8080_TCP_PROTO: 'tcp',
    LATCHKEY_SERVICE_HOST: '10.0.0.7',
    LATCHKEY_SERVICE_PORT: '8080',
    LATCHKEY_SERVICE_PORT_HTTP: '8080',
    HOME: '/root',
    HOSTS: 'x',
    POST: 'x',
    LOG_LEVELS: 'x',
  }
  assert.deepEqual(faultsOf(others), [])
})

test('every fault is told at once, and a flag by its own name', () => {
  const faults = faultsOf({ HOST: '!', PORT: 'x' }, { port: 'y', logLevel: '' })
  assert.deepEqual(
    faults.map((fault) => fault.split(' ')[0]),
    ['HOST', '--port', '--log-level'],
  )
})

test('the address of a limiter may have a password in the variable or in a file, and never in a flag', () => {
  const address = 'rediss://user:s3cret@redis.example.com:6380/2?prefix=shop'
  assert.equal(readSettings({ environment: { LATCHKEY_LIMITER: address } }).limiter, address)
  const named = { LATCHKEY_LIMITER_FILE: file('limiter', `${address}\n`) }
  assert.equal(readSettings({ environment: named }).limiter, address)
  assert.deepEqual(faultsOf({}, { limiter: address }), [
    '--limiter must be without a password: set LATCHKEY_LIMITER instead.',
  ])
  assert.deepEqual(faultsOf({ LATCHKEY_LIMITER: address, ...named }), [
    'LATCHKEY_LIMITER and LATCHKEY_LIMITER_FILE are both set: set one of them.',
  ])
  assert.equal(readSettings({ environment: {}, flags: { limiter: 'redis://[::1]' } }).limiter, 'redis://[::1]')
})

test('the table is complete: variables and flags are each once, and every fallback fits', () => {
  const rows = Object.values(settingsTable)
  for (const column of ['variable', 'flag'] as const) {
    assert.equal(new Set(rows.map((row) => row[column].split(' ')[0])).size, rows.length)
  }
  for (const { fallback, read, help, variable } of rows) {
    if (fallback !== '') assert.notEqual(read(fallback), undefined, variable)
    assert.match(help, /^[A-Z].*[.]$/)
  }
})
