import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { noCurl, noTerminal } from '../../../test/machine.ts'
import { temporaryFolder } from '../../../test/temporary-folder.ts'
import type { RunningService } from './running-service.ts'
import { folderFor, startService } from './running-service.ts'

const run = promisify(execFile)
const secretPattern = /lk_live_[0-9A-Za-z]{38}/g

async function post(url: string, key: string, status = 'SUCCESS'): Promise<Response> {
  const headers = { 'x-api-key': key, 'content-type': 'application/json' }
  return fetch(`${url}/process`, { method: 'POST', headers, body: JSON.stringify({ status }) })
}

describe('the first start, printed into a pipe', () => {
  const folder = temporaryFolder('process-api')
  let service: RunningService
  let url: string
  before(async () => {
    // A setting that is empty is not set.
    service = startService(folder, { SERVICE_API_KEY: '', LOG_LEVEL: '' })
    url = await service.url
  })

  test('prints one key, and a curl line that works when pasted', async (context) => {
    assert.equal(new Set(service.printed().match(secretPattern)).size, 1)
    const stdout = await pasted(service, process.cwd())
    if (stdout === undefined) context.skip(String(noCurl()))
    else assert.match(stdout, /^HTTP\/1\.1 200 OK[^]*\{"status":"SUCCESS","id":"[0-9a-f-]{36}"\}$/)
  })

  test('prints no admin key, issues none, and says how to come by one', async () => {
    assert.doesNotMatch(service.printed(), /lk_admin_/)
    assert.match(service.printed(), /administered at \S+\/latchkey\/docs$/m)
    assert.match(service.printed(), /There is no admin key [^]*keys issue --admin --name/)
    assert.equal((await fetch(`${url}/latchkey/docs`)).status, 200)
    assert.equal((await fetch(`${url}/latchkey/v1/keys`)).status, 401)
  })
})

/** What the printed curl line prints in a shell that knows nothing else; `undefined` without curl. */
async function pasted({ printed }: RunningService, folder: string): Promise<string | undefined> {
  const line = /^curl .*$/m.exec(printed())?.[0]
  assert.ok(line)
  const options = { cwd: folder, env: { PATH: process.env['PATH'] } }
  try {
    return (await run('sh', ['-c', `command -v curl > /dev/null || exit 77; ${line}`], options)).stdout
  } catch (error) {
    if ((error as { code?: number }).code !== 77) throw error
    return undefined
  }
}

test('with SERVICE_API_KEY in .env the printed curl line works when pasted, and does not have the key in it', async (context) => {
  const folder = folderFor(context)
  const key = 'v3ry.L0ng=random$(value'
  // The real environment wins: PORT is 0 there.
  writeFileSync(join(folder, '.env'), `# mine\nSERVICE_API_KEY=${key}\nLOG_LEVEL=warn\nPORT=1\n`)
  const service = startService(folder)
  const url = await service.url
  assert.doesNotMatch(service.printed(), /v3ry/)
  assert.equal(service.printed().match(secretPattern), null, 'no key is issued beside it')
  assert.equal((await post(url, key)).status, 200)
  assert.equal((await post(url, key.toUpperCase())).status, 401)
  const stdout = await pasted(service, folder)
  if (stdout === undefined) context.skip(String(noCurl()))
  else assert.match(stdout, /^HTTP\/1\.1 200 OK/)
})

test('with SERVICE_API_KEY anywhere else the printed curl line has its place, and says so', async (context) => {
  const folder = folderFor(context)
  const quoted = "SERVICE_API_KEY='v3ry.L0ng-random_value'\n"
  for (const [file, settings] of [
    [quoted, {}],
    ['SERVICE_API_KEY=v3ry.L0ng-random_other\n', { SERVICE_API_KEY: 'v3ry.L0ng-random_value' }],
  ] as const) {
    writeFileSync(join(folder, '.env'), file)
    const service = startService(folder, settings)
    await service.url
    assert.match(service.printed(), /with your SERVICE_API_KEY in its place:\n\ncurl .*X-API-Key: <SERVICE_API_KEY>"/)
    assert.doesNotMatch(service.printed(), /v3ry/)
  }
})

test(
  'in a terminal the first start prints an admin key, too, once, and it works on /latchkey',
  { skip: noTerminal() },
  async (context) => {
    const folder = folderFor(context)
    const first = startService(folder, {}, { inTerminal: true })
    const url = await first.url
    const found = first.printed().match(/lk_admin_[0-9A-Za-z]{38}/g) ?? []
    assert.equal(found.length, 1)
    const headers = { 'x-api-key': found[0] ?? '' }
    const listed = await fetch(`${url}/latchkey/v1/keys`, { headers })
    assert.equal(listed.status, 200)
    const { keys } = (await listed.json()) as { keys: readonly { name: string }[] }
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['First key', 'First admin key'],
    )
    assert.equal((await post(url, found[0] ?? '')).status, 403, 'but not on the service itself')
    const second = startService(folder, {}, { inTerminal: true })
    await second.url
    assert.doesNotMatch(second.printed(), /lk_admin_/)
  },
)

test('the key is printed once and then stands nowhere: not in the database, not in a log, not in a later start, where it works', async (context) => {
  const folder = folderFor(context)
  const service = startService(folder)
  const url = await service.url
  const [secret = ''] = service.printed().match(secretPattern) ?? []
  const times = service.printed().split(secret).length
  await post(url, secret)
  await post(url, `${secret}x`)
  await fetch(`${url}/${secret}?key=${secret}`)
  service.process.kill('SIGTERM')
  assert.equal(await service.ended, 0)
  assert.equal(service.printed().split(secret).length, times)
  assert.match(service.printed(), /"refusal":"malformed"/)
  for (const name of ['latchkey.db', 'latchkey.db-wal']) {
    const file = join(folder, 'data', name)
    const bytes = statSync(file, { throwIfNoEntry: false }) === undefined ? '' : readFileSync(file, 'latin1')
    assert.ok(!bytes.includes(secret.slice(12)), name)
  }
  assert.equal(statSync(join(folder, 'data', 'latchkey.db')).mode & 0o777, 0o600)
  const later = startService(folder)
  const laterUrl = await later.url
  assert.equal(later.printed().match(secretPattern), null)
  assert.equal((await post(laterUrl, secret)).status, 200)
})

test('SERVICE_API_KEY from a file is accepted, and both at once are exit code 78', async (context) => {
  const folder = folderFor(context)
  writeFileSync(join(folder, 'service.key'), 'v3ry.L0ng-random_value\n')
  const service = startService(folder, { SERVICE_API_KEY_FILE: 'service.key' })
  const url = await service.url
  assert.doesNotMatch(service.printed(), /v3ry/)
  assert.equal(service.printed().match(secretPattern), null)
  assert.equal((await post(url, 'v3ry.L0ng-random_value')).status, 200)
  const both = startService(folder, {
    SERVICE_API_KEY_FILE: 'service.key',
    SERVICE_API_KEY: 'v3ry.L0ng-random_value',
  })
  assert.equal(await both.ended, 78)
  assert.equal(both.printed(), 'SERVICE_API_KEY and SERVICE_API_KEY_FILE are both set: set one of them.\n')
})

test('SERVICE_API_KEY is taken out of the environment, so that nothing started from here and no report knows it', async (context) => {
  const tell = `process.on('exit', () => console.log('left: ' + process.env.SERVICE_API_KEY))`
  const service = startService(folderFor(context), {
    SERVICE_API_KEY: 'v3ry.L0ng-random_value',
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}`,
  })
  await service.url
  service.process.kill('SIGTERM')
  assert.equal(await service.ended, 0)
  assert.match(service.printed(), /^left: undefined$/m)
})

const badSettings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'a port that is no number': { PORT: 'eighty-s3cret' },
  'a port that is too large': { PORT: '65536' },
  'a port that is infinite': { PORT: '1e999' },
  'a port in hexadecimal digits': { PORT: '0x4650' },
  'a port with an exponent': { PORT: '18e3' },
  'a misspelt setting': { LATCHKEY_STORES: 'sqlite:s3cret.db' },
  'a misspelt key': { SERVICE_API_KEYS: 'v3ry.L0ng-s3cret_value' },
  'a setting of the server alone': { LATCHKEY_TRUSTED_PROXIES: '10.1.2.3' },
  'a host that is another machine': { HOST: '192.0.2.1' },
  'a host without its interface': { HOST: 'fe80::1' },
  'a log level that does not exist': { LOG_LEVEL: 's3cret' },
  'a store that is not SQLite': { LATCHKEY_STORE: 'postgres://s3cret@db' },
  'a time that is negative': { PROCESSING_SECONDS: '-1' },
  'a key that is too short': { SERVICE_API_KEY: 's3cret' },
  'a key that is a placeholder': { SERVICE_API_KEY: 'your-s3cret-api-key'.replace('s3cret', 'secret') },
}

for (const [what, settings] of Object.entries(badSettings)) {
  test(`${what} stops the start with exit code 78 and one line that names the setting, not its value`, async (context) => {
    const service = startService(folderFor(context), settings)
    assert.equal(await service.ended, 78)
    const [name = '', value = ''] = Object.entries(settings)[0] ?? []
    assert.match(service.printed(), new RegExp(`^${name} [^\n]+\n$`))
    assert.ok(!service.printed().includes(value) && !service.printed().includes('s3cret'), service.printed())
  })
}

test('a .env that cannot be read stops the start with exit code 78 and one true sentence', async (context) => {
  const folder = folderFor(context)
  mkdirSync(join(folder, '.env'))
  const service = startService(folder)
  assert.equal(await service.ended, 78)
  assert.match(service.printed(), /^\.env must be a file in UTF-8 that can be read\n$/)
})

test('a .env that is a pipe is not waited for', async (context) => {
  const folder = folderFor(context)
  await run('mkfifo', [join(folder, '.env')])
  const service = startService(folder)
  assert.equal(await service.ended, 78)
  assert.match(service.printed(), /^\.env must be a file [^\n]+\n$/)
})

test('a byte order mark hides no setting, and what the command line reads may stand beside', async (context) => {
  const folder = folderFor(context)
  const lines = ['SERVICE_API_KEY=v3ry.L0ng-random_value', 'LATCHKEY_URL=http://127.0.0.1:1', 'LATCHKEY_ADMIN_KEY=x']
  writeFileSync(join(folder, '.env'), `\ufeff${lines.join('\n')}\n`)
  assert.equal((await post(await startService(folder).url, 'v3ry.L0ng-random_value')).status, 200)
})

test('what works and may not be meant is said at the start: a .env for all to read, a folder for all to write, no TLS', async (context) => {
  const folder = folderFor(context)
  writeFileSync(join(folder, '.env'), 'SERVICE_API_KEY=v3ry.L0ng-random_value\n')
  chmodSync(join(folder, '.env'), 0o644)
  mkdirSync(join(folder, 'data'))
  chmodSync(join(folder, 'data'), 0o777)
  const loud = startService(folder, { HOST: '0.0.0.0' })
  await loud.url
  loud.process.kill('SIGTERM')
  await loud.ended
  for (const warning of ['chmod 600 .env', 'chmod go-w data', 'Listening on 0.0.0.0 without TLS']) {
    assert.ok(loud.printed().includes(warning), `${warning} in ${loud.printed()}`)
  }
  assert.equal(loud.printed().match(/"level":40/g)?.length, 3)
  chmodSync(join(folder, '.env'), 0o600)
  chmodSync(join(folder, 'data'), 0o755)
  const quiet = startService(folder)
  await quiet.url
  quiet.process.kill('SIGTERM')
  await quiet.ended
  assert.doesNotMatch(quiet.printed(), /"level":40/)
})

test('in development a weak SERVICE_API_KEY is taken', async (context) => {
  const service = startService(folderFor(context), { SERVICE_API_KEY: 'dev', NODE_ENV: 'development' })
  assert.equal((await post(await service.url, 'dev')).status, 200)
})

test('a port in use is one clear line, and no key is lost to it', async (context) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  context.after(() => other.close())
  const folder = folderFor(context)
  const service = startService(folder, { PORT: String((other.address() as AddressInfo).port) })
  assert.equal(await service.ended, 1)
  assert.match(service.printed(), /^The port \d+ is in use\.[^\n]*PORT[^\n]*\n$/)
  const again = startService(folder)
  await again.url
  assert.equal(new Set(again.printed().match(secretPattern)).size, 1, 'the first key is still to come')
})

test('a database that cannot be read is one clear line', async (context) => {
  const folder = folderFor(context)
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', 'latchkey.db'), 'not a database, whatever its name says. '.repeat(100))
  const service = startService(folder)
  assert.equal(await service.ended, 1)
  assert.match(service.printed(), /^The database data\/latchkey\.db cannot be used: [^\n]+\n$/)
})

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends the service with exit code 0 and the database closed`, async (context) => {
    const folder = folderFor(context)
    const service = startService(folder)
    await service.url
    const log = join(folder, 'data', 'latchkey.db-wal')
    assert.ok(existsSync(log))
    service.process.kill(signal)
    assert.equal(await service.ended, 0)
    // SQLite takes its log away when the database is closed by the last who had it open.
    assert.ok(!existsSync(log))
  })
}

test('a second signal ends it at once, and loses no usage', async (context) => {
  const folder = folderFor(context)
  const key = 'v3ry.L0ng-random_value'
  const service = startService(folder, { PROCESSING_SECONDS: '60', SERVICE_API_KEY: key })
  const url = await service.url
  const waiting = post(url, key)
  waiting.catch(() => undefined)
  await fetch(`${url}/process`, { method: 'POST', headers: { 'x-api-key': key } })
  service.process.kill('SIGTERM')
  // Until it has begun to stop: then it says with every answer that it goes.
  const isGoing = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/latchkey/healthz`).catch(() => undefined)
    return answer === undefined || answer.headers.get('connection') === 'close'
  }
  while (!(await isGoing())) continue
  service.process.kill('SIGTERM')
  assert.equal(await service.ended, 128 + 15)
  await assert.rejects(waiting)
  const store = sqliteStore({ file: join(folder, 'data', 'latchkey.db') })
  context.after(() => store.close())
  const keyring = await openKeyring({ store })
  const { usage } = await keyring.usage({ key: 'settings:SERVICE_API_KEY', outcome: 'accepted' })
  assert.deepEqual(
    usage.map(({ count }) => count),
    [2],
  )
})

test('SIGTERM finishes requests in flight and takes no new ones', async (context) => {
  const service = startService(folderFor(context), {
    PROCESSING_SECONDS: '5',
    SERVICE_API_KEY: 'v3ry.L0ng-random_value',
  })
  const url = new URL(await service.url)
  const body = '{"status":"SUCCESS"}'
  const socket = connect(Number(url.port), url.hostname)
  socket.write(
    `POST /process HTTP/1.1\r\nHost: x\r\nX-API-Key: v3ry.L0ng-random_value\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body}`,
  )
  const logged = (line: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => void (service.printed().includes(line) && resolve())
      service.process.stdout?.on('data', look)
      look()
    })
  // In flight from here on: the handler has seconds of work before it.
  await logged('incoming request')
  service.process.kill('SIGTERM')
  const answer = await text(socket)
  assert.match(answer, /^HTTP\/1\.1 200 OK/)
  assert.match(answer, /connection: close/i)
  assert.equal(await service.ended, 0)
  await assert.rejects(fetch(url))
})
