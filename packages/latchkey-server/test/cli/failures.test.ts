// What can fail around a command: each kind has the exit code of the table, and one line for a person.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { after, describe, test } from 'node:test'
import { LatchkeyError } from 'latchkey'
import { freePort } from '../../../../test/free-port.ts'
import { skipUnless } from '../../../../test/machine.ts'
import { endOf, exits, Failure } from '../../src/cli/exit.ts'
import { SettingsError } from '../../src/config.ts'
import { certificate, expiredCertificate, privateKey } from '../../../../test/certificates.ts'
import { command, withoutProgress, workplace } from './running.ts'

const here = workplace()
const { folder, run } = here
const issue = ['keys', 'issue', '--create', '--name', 'Key', '--owner', 'acme', '--scope', 'orders:read']
await here.done(issue)
mkdirSync(join(folder, 'a-folder'))
writeFileSync(join(folder, 'a-file'), 'no database. '.repeat(100))
writeFileSync(join(folder, 'a-note'), 'x')
writeFileSync(join(folder, 'trusted.pem'), certificate)

/** A server that is there for the test file; its port. */
async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** How a command ended, which must have said so in one line on stderr. */
async function failed(values: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<string> {
  const { code, stdout, stderr } = await run(values, options)
  assert.equal(stdout, '', values.join(' '))
  assert.match(stderr, /^[^\n]+\n$/, values.join(' '))
  return `${code}: ${stderr.trimEnd()}`
}

describe('files', { concurrency: 2 }, () => {
  const cases: readonly (readonly [line: string, end: RegExp])[] = [
    ['keys import a-folder', /^2: .* cannot be read \(EISDIR\)\.$/],
    ['keys import missing.csv', /^2: missing\.csv cannot be read \(ENOENT\)\.$/],
    ['keys import a-file/x', /^2: a-file\/x cannot be read \(ENOTDIR\)\.$/],
    [
      'keys list --store sqlite:a-folder',
      /^78: --store must be sqlite: and the path of a file, and this is a folder\.$/,
    ],
    ['keys list --store sqlite:a-file', /^69: The database a-file cannot be used: /],
    [
      'keys issue --create --name x --owner x --scope orders:read --store sqlite:a-file/x',
      /^69: The database a-file\/x cannot be used: /,
    ],
    ['keys list --scopes a-folder', /^78: --scopes must be /],
    ['backup a-folder', /^4: a-folder exists already/],
    ['backup a-file/x', /^1: a-file\/x cannot be written \(ENOTDIR\)\.$/],
    ['backup no/such/copy.db', /^1: no\/such\/copy\.db cannot be written \(ENOENT\)\.$/],
    ['serve --port 0 --store sqlite:a-folder', /^78: --store must be sqlite: and the path of a file/],
  ]
  for (const [line, end] of cases) {
    test(`${line} is one line`, async () => {
      assert.match(await failed(line.split(' ')), end)
    })
  }

  test('a file that is too short for a database is not written over', async () => {
    for (const line of ['keys list', issue.join(' '), 'migrate', 'serve --port 0', 'backup copy.db', 'doctor']) {
      const { code, stdout, stderr } = await run([...line.split(' '), '--store', 'sqlite:a-note'])
      assert.notEqual(code, 0, line)
      assert.match(stdout + stderr, /The database a-note cannot be used: file is not a database/, line)
      assert.equal(readFileSync(join(folder, 'a-note'), 'utf8'), 'x', line)
    }
  })

  test('nothing on standard input, and a file without a key, are not an import', async () => {
    for (const name of ['empty.jsonl', 'empty.csv']) writeFileSync(join(folder, name), '')
    writeFileSync(join(folder, 'header.csv'), 'name,owner,scopes,hash\n')
    for (const values of [[], ['empty.jsonl'], ['empty.csv'], ['header.csv']])
      assert.equal(await failed(['keys', 'import', ...values]), '2: The input has no keys.')
  })

  test(
    'an answer that cannot be written is not passed over in silence',
    { skip: skipUnless(existsSync('/dev/full'), 'there is no /dev/full') },
    async () => {
      for (const line of ['keys list', 'doctor --json', 'journal verify', '--help', 'completion bash']) {
        const quoted = [...command, ...line.split(' ')].map((word) => `'${word}'`).join(' ')
        const child = spawn('bash', ['-c', `${quoted} > /dev/full`], { cwd: folder, env: here.environment })
        const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
        assert.deepEqual([code, said], [1, 'The answer could not be written (ENOSPC).\n'], line)
      }
    },
  )
})

describe('a database that fails when it is open', { concurrency: 2 }, () => {
  test('a page that cannot be read is one line, whatever is read from it', async () => {
    const lines = Array.from(
      { length: 3000 },
      (_, index) =>
        `{"name":"k${index}","owner":"many","scopes":[],"hash":"${index.toString(16).padStart(64, '0')}","bits":128}`,
    )
    const there = workplace()
    await there.done(['keys', 'import', '--create'], { input: lines.join('\n') })
    const file = join(there.folder, 'torn.db')
    copyFileSync(join(there.folder, 'data', 'latchkey.db'), file)
    const handle = openSync(file, 'r+')
    const { size } = fstatSync(handle)
    // The first pages say what there is; of the rest, every second one is overwritten.
    for (let at = 64 * 4096; at < size; at += 2 * 4096) writeSync(handle, Buffer.alloc(4096, 7), 0, 4096, at)
    closeSync(handle)
    for (const line of ['keys list --all', 'journal show --all', 'keys list --json --all']) {
      const { code, stderr } = await there.run([...line.split(' '), '--store', 'sqlite:torn.db'])
      assert.match(`${code}: ${stderr}`, /^69: The database [^\n]*cannot be used: [^\n]+\n$/, line)
    }
  })

  test('a database that another program keeps locked is unavailable', async () => {
    const there = workplace()
    await there.done(issue)
    const other = new DatabaseSync(join(there.folder, 'data', 'latchkey.db'))
    other.exec('BEGIN EXCLUSIVE')
    const { code, stderr } = await there.run(issue)
    other.close()
    assert.match(`${code}: ${stderr}`, /^69: [^\n]+\n$/)
  })
})

describe('a server', { concurrency: 2 }, () => {
  const tls = (cert: string, answer: RequestListener = (_, response) => response.end('{}')) =>
    createTlsServer({ key: privateKey, cert }, answer)
  const list = async (url: string, env: Readonly<Record<string, string>> = {}) =>
    failed(['keys', 'list', '--url', url], { env: { LATCHKEY_ADMIN_KEY: 'x', ...env } })
  const trusting = { NODE_EXTRA_CA_CERTS: join(folder, 'trusted.pem') }

  test('its certificate: not trusted, for another name, expired', async () => {
    const port = await listening(tls(certificate))
    assert.equal(
      await list(`https://localhost:${port}`),
      `69: The server at https://localhost:${port} cannot be reached: nobody who is trusted has signed its certificate (DEPTH_ZERO_SELF_SIGNED_CERT).`,
    )
    assert.match(await list(`https://localhost:${port}`, trusting), /^69: What answers .* is not a Latchkey server/)
    assert.match(
      await list(`https://127.0.0.1:${port}`, trusting),
      /^69: .* cannot be reached: its certificate is for another name \(ERR_TLS_CERT_ALTNAME_INVALID\)\.$/,
    )
    const old = await listening(tls(expiredCertificate))
    writeFileSync(join(folder, 'old.pem'), expiredCertificate)
    assert.match(
      await list(`https://localhost:${old}`, { NODE_EXTRA_CA_CERTS: join(folder, 'old.pem') }),
      /cannot be reached: its certificate has expired \(CERT_HAS_EXPIRED\)\.$/,
    )
  })

  test('https where only http is spoken, http where https is, and nothing at all', async () => {
    const plain = await listening(createServer((_, response) => response.end('{}')))
    assert.match(
      await list(`https://localhost:${plain}`),
      /^69: .* cannot be reached: it does not speak TLS \(\w+\)\.$/,
    )
    const secured = await listening(tls(certificate))
    assert.match(
      await list(`http://localhost:${secured}`),
      /^69: .* cannot be reached: the connection was broken off \(\w+\)\.$/,
    )
    assert.match(
      await list(`http://localhost:${await freePort()}`),
      /^69: .* cannot be reached: nothing listens there \(ECONNREFUSED\)\.$/,
    )
    assert.match(
      await list('https://name.invalid'),
      /^69: .* cannot be reached: its name (is not known|cannot be looked up.*) \(\w+\)\.$/,
    )
  })

  test('something else that answers', async () => {
    const answers: readonly (readonly [RequestListener, RegExp])[] = [
      [(_, response) => response.end('<html>'), /^69: What answers at \S+ is not a Latchkey server: /],
      [
        (_, response) => response.end('{"scopes":1}'),
        /^69: What answers at \S+ is not a Latchkey server: it says nothing of scopes/,
      ],
      [(_, response) => response.writeHead(302, { location: '/' }).end(), /^69: What answers .* redirect/],
      [(_, response) => response.writeHead(500).end('oops'), /^69: /],
      [(request) => request.socket.destroy(), /^69: .* cannot be reached: the connection was broken off \(\w+\)\.$/],
    ]
    for (const [answer, end] of answers)
      assert.match(await list(`http://localhost:${await listening(createServer(answer))}`), end)
  })

  test('an address or a key that cannot be one is named as it was given', async () => {
    const key = { LATCHKEY_ADMIN_KEY: 'x' }
    assert.match(
      await failed(['keys', 'list'], { env: { ...key, LATCHKEY_URL: 'nowhere' } }),
      /^78: LATCHKEY_URL must be/,
    )
    assert.match(await failed(['keys', 'list', '--url', 'nowhere'], { env: key }), /^2: --url must be/)
    assert.match(
      await failed(['keys', 'list', '--url', 'http://127.0.0.1:1'], { env: { LATCHKEY_ADMIN_KEY: 'two words' } }),
      /^78: LATCHKEY_ADMIN_KEY must be/,
    )
  })
})

describe('Ctrl-C during an import', { concurrency: 2 }, () => {
  const line = (index: number) =>
    `{"name":"k${index}","owner":"many","scopes":[],"hash":"${index.toString(16).padStart(64, '0')}","bits":128}\n`

  test('while it waits for lines it ends, and none of what came is half in', async () => {
    const there = workplace()
    await there.done(issue)
    const [program = '', ...before] = command
    const child = spawn(program, [...before, 'keys', 'import'], { cwd: there.folder, env: there.environment })
    const said = text(child.stderr)
    // It ends before it has read all of it.
    child.stdin.on('error', () => undefined)
    for (let index = 0; index < 1500; index++) child.stdin.write(line(index))
    // The first thousand has gone in: from here on it waits for the rest of the second.
    const counting = new DatabaseSync(join(there.folder, 'data', 'latchkey.db'), { readOnly: true })
    const count = () => counting.prepare('SELECT count(*) AS number FROM latchkey_keys').get()?.['number']
    while (count() !== 1001) await new Promise(setImmediate)
    child.kill('SIGINT')
    const [code] = await once(child, 'close')
    assert.equal(code, 130)
    assert.equal(count(), 1001)
    counting.close()
    assert.match(
      withoutProgress(await said),
      /^Stopping after the current batch\.[^\n]*\n1,000 keys imported\. Of the rest nothing was added\. [^\n]*\nStopped\.\n$/,
    )
  })

  test('pressed twice it ends at once, and says what is not known', async () => {
    const there = workplace()
    await there.done(issue)
    const held = new DatabaseSync(join(there.folder, 'data', 'latchkey.db'))
    const [program = '', ...before] = command
    // A server that never answers the import.
    const silent = createServer((request, response) => {
      if (request.url === '/v1/keyring') response.end('{"scopes":{},"environments":["live"]}')
      else child.kill('SIGINT')
    })
    const port = await listening(silent)
    const child = spawn(program, [...before, 'keys', 'import', '--url', `http://localhost:${port}`], {
      cwd: there.folder,
      env: { ...there.environment, LATCHKEY_ADMIN_KEY: 'x' },
    })
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      said += more
      if (/once more/.test(more)) child.kill('SIGINT')
    })
    child.stdin.end(line(1))
    const [code] = await once(child, 'close')
    held.close()
    assert.equal(code, 130)
    assert.match(said, /^Stopping [^\n]*\nStopped at once: [^\n]*\n$/)
    silent.closeAllConnections()
  })
})

test('every kind of error has its end; one that was not foreseen is a fault of latchkey, without its stack', () => {
  assert.deepEqual(endOf(new Failure('absent', 'Not there.')), { exit: 'absent', message: 'Not there.' })
  assert.equal(endOf(new SettingsError(['PORT must be a number.'])).exit, 'settings')
  assert.equal(endOf(new LatchkeyError('conflict', 'Taken.')).exit, 'conflict')
  const newer = Object.assign(new LatchkeyError('conflict', 'Newer.'), { code: 'not_known_yet' })
  assert.equal(endOf(newer).exit, 'failed')
  const { exit, message } = endOf(new TypeError('x is not a function'))
  assert.deepEqual(
    [exit, message],
    ['fault', 'This is a bug in latchkey, please report it: TypeError: x is not a function'],
  )
  assert.equal(endOf('thrown').exit, 'fault')
  assert.equal(new Set(Object.values(exits).map(({ code }) => code)).size, Object.keys(exits).length)
})
