// The server as it is started and stopped: by its settings, by signals, by mistake.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { execFileSync } from 'node:child_process'
import { mkdirSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import type { Served } from './running.ts'
import { jsonLines, secretPattern, serve, workplace } from './running.ts'

describe('serve', { concurrency: 2 }, () => {
  test('what is said goes to stderr and the log, as JSON, to stdout; no key leaves but in a terminal', async () => {
    const here = workplace()
    const child = here.start(['serve', '--port', '0'])
    const [out, said] = [text(child.stdout!), text(child.stderr!)]
    await Promise.all([once(child.stderr!, 'data'), once(child.stdout!, 'data')])
    child.kill('SIGTERM')
    const [code] = (await once(child, 'close')) as [number]
    assert.equal(code, 0)
    assert.match(await said, /^Serving http:\/\/127\.0\.0\.1:\d+, documented at \S+\/docs\n/)
    for (const line of (await out).trimEnd().split('\n')) JSON.parse(line)
    assert.doesNotMatch((await said) + (await out), secretPattern)
    assert.equal(statSync(join(here.folder, 'data', 'latchkey.db')).mode & 0o777, 0o600)
  })

  test('of two servers on a file each says once that each counts limits for itself: the first when it sees the other', async () => {
    const here = workplace({ LATCHKEY_USAGE_INTERVAL: '1' })
    const first = await serve(here)
    const warnings = (printed: string): number =>
      printed.split('"msg":"another process uses the database too: each counts').length - 1
    const ask = async ({ url, environment }: Served): Promise<number> =>
      (await fetch(`${url}/v1/keys`, { headers: { 'x-api-key': environment.LATCHKEY_ADMIN_KEY } })).status
    assert.equal(await ask(first), 200)
    await here.done(['keys', 'issue', '--name', 'x', '--owner', 'x', '--scope', 'orders:read'])
    assert.equal(await ask(first), 200)
    assert.equal(warnings(first.printed()), 0, 'a command beside it is no other server')
    const second = await serve(here)
    const both = [first, second]
    while (!both.every(({ printed }) => warnings(printed()) > 0)) {
      const heard = once(first.process.stdout!, 'data')
      for (const server of both) assert.equal(await ask(server), 200)
      await heard
    }
    assert.deepEqual(
      both.map((server) => warnings(server.printed())),
      [1, 1],
    )
  })

  test('flags win over the environment, and that over .env', async () => {
    const here = workplace({ LOG_LEVEL: 'silent' })
    writeFileSync(join(here.folder, '.env'), 'PORT=1\nLATCHKEY_STORE=sqlite:other.db\nLATCHKEY_PREFIX=acme\n')
    const { url } = await serve(here)
    assert.notEqual(new URL(url).port, '1')
    assert.ok(statSync(join(here.folder, 'other.db')).isFile())
    assert.match(
      await here.done(['keys', 'issue', '--name', 'x', '--owner', 'x', '--scope', 'orders:read']),
      /^acme_live_/,
    )
  })

  test('a .env that cannot be read and a host that is elsewhere end the start with exit code 78 and one sentence', async () => {
    const here = workplace()
    const must = 'must be an address or a name of this machine, such as 127.0.0.1 or ::.'
    for (const host of ['192.0.2.1', 'fe80::1']) {
      const flag = await here.run(['serve', '--port', '0', '--host', host])
      assert.deepEqual([flag.code, flag.stderr], [78, `--host ${must}\n`])
      const variable = await here.run(['serve', '--port', '0'], { env: { HOST: host } })
      assert.deepEqual([variable.code, variable.stderr], [78, `HOST ${must}\n`])
    }
    mkdirSync(join(here.folder, '.env'))
    const { code, stderr } = await here.run(['serve', '--port', '0'])
    assert.deepEqual([code, stderr], [78, '.env must be a readable file in UTF-8.\n'])
  })

  test('a request in flight is answered after SIGTERM, and no new one is taken', async () => {
    const here = workplace()
    const { url, environment, process: child } = await serve(here)
    const { port, hostname } = new URL(url)
    const socket = connect(Number(port), hostname)
    const head = `POST /v1/verify HTTP/1.1\r\nHost: x\r\nX-API-Key: ${environment.LATCHKEY_ADMIN_KEY}\r\n`
    const body = '{"credential":"nothing"}'
    // The head is there and half of the body: from here on the request is in flight.
    socket.write(`${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`)
    await fetch(`${url}/healthz`)
    child.kill('SIGTERM')
    while (
      await fetch(`${url}/healthz`).then(
        () => true,
        () => false,
      )
    )
      continue
    socket.write(body.slice(5))
    assert.match(await text(socket), /^HTTP\/1\.1 200 OK\r\n[^]*"code":"malformed"/)
    const [code] = child.exitCode === null ? ((await once(child, 'close')) as [number]) : [child.exitCode]
    assert.equal(code, 0)
  })

  test('a server whose log nobody reads any more goes on serving', async () => {
    const here = workplace()
    const { url, process: child } = await serve(here)
    child.stdout?.destroy()
    // Each writes a line of the log; the first that cannot be written tells the process.
    for (let times = 0; times < 5; times++) assert.equal((await fetch(`${url}/v1/keys`)).status, 401)
    child.kill('SIGTERM')
    const [code] = (await once(child, 'close')) as [number]
    assert.equal(code, 0)
  })

  test('SIGTERM at the time of the start ends it as cleanly as any other', async () => {
    const here = workplace()
    for (let time = 0; time < 3; time++) {
      const child = here.start(['serve', '--port', '0'])
      const said = text(child.stderr!)
      child.stdout?.resume()
      await once(child.stdout!, 'data')
      child.kill('SIGTERM')
      const [code] = (await once(child, 'close')) as [number]
      assert.equal(code, 0, await said)
    }
  })

  test('a port in use is one line', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { code, stderr } = await workplace({ LOG_LEVEL: 'silent' }).run(['serve', '--port', String(port)])
    other.close()
    assert.equal(code, 1)
    assert.match(stderr, new RegExp(`^The port ${port} is in use\\.[^\\n]*\\n$`))
  })

  test('a file that is a pipe is not waited for, and is said to be no file', async () => {
    const here = workplace()
    for (const name of ['scopes', '.env']) execFileSync('mkfifo', [join(here.folder, name)])
    const { code, stderr } = await here.run(['serve', '--port', '0'])
    assert.deepEqual([code, stderr], [78, '.env must be a readable file in UTF-8.\n'])
    rmSync(join(here.folder, '.env'))
    const other = await here.run(['serve', '--port', '0', '--scopes', 'scopes'])
    assert.equal(other.code, 78)
    assert.match(other.stderr, /^--scopes must be the path of a file that can be read, and what is there is not\.\n$/)
  })

  test('a misspelt setting stops the start and names the one that was meant', async () => {
    const { code, stderr } = await workplace({ LATCHKEY_TRUSTED_PROXY: '10.1.2.3' }).run(['serve', '--port', '0'])
    assert.deepEqual(
      [code, stderr],
      [78, 'LATCHKEY_TRUSTED_PROXY is not a setting. Did you mean LATCHKEY_TRUSTED_PROXIES?\n'],
    )
  })

  test('a closed terminal, and a second signal, end it without a loss of usage', async () => {
    for (const [signals, expected] of [
      [['SIGHUP'], 0],
      [['SIGTERM', 'SIGTERM'], 128 + 15],
    ] as const) {
      const here = workplace({ LATCHKEY_DRAIN_DELAY: signals.length === 1 ? '0' : '300' })
      const { url, environment, process: child } = await serve(here)
      const headers = { 'x-api-key': environment.LATCHKEY_ADMIN_KEY }
      assert.equal((await fetch(`${url}/v1/keys`, { headers })).status, 200)
      const ended = once(child, 'close')
      for (const signal of signals) {
        child.kill(signal)
        if (signals.length === 1) break
        while ((await fetch(`${url}/readyz`).catch(() => undefined))?.status === 200) continue
      }
      assert.equal(((await ended) as [number])[0], expected)
      const [row] = jsonLines(await here.done(['usage', '--json', '--outcome', 'accepted']))
      assert.ok(Number(row?.['count']) >= 1)
    }
  })

  const bad: readonly (readonly [flag: string, value: string])[] = [
    ['--port', 's3cret'],
    ['--store', 'postgres://s3cret@db'],
    ['--scopes', 's3cret.json'],
    ['--environments', 'live,admin'],
    ['--log-level', 's3cret'],
  ]
  test('each wrong setting is exit code 78 and a line that names it and not its value', async () => {
    const here = workplace()
    await Promise.all(
      bad.map(async ([flag, value]) => {
        const { code, stdout, stderr } = await here.run(['serve', flag, value])
        assert.deepEqual([code, stdout], [78, ''], flag)
        assert.match(stderr, new RegExp(`^${flag} must be [^\\n]+\\n$`))
        assert.ok(!stderr.includes('s3cret'), stderr)
      }),
    )
  })

  test('a path that the system refuses is told from the root on', async () => {
    const here = workplace()
    writeFileSync(join(here.folder, 'taken'), '')
    const { stderr } = await here.run(['serve', '--port', '0', '--store', 'sqlite:taken/keys.db'])
    assert.ok(stderr.includes(`'${join(realpathSync(here.folder), 'taken')}`), stderr)
    assert.match(stderr, /^The database taken\/keys\.db cannot be used: ENOTDIR[^\n]*\n$/)
  })

  test('a database that cannot be used is one line', async () => {
    const here = workplace()
    writeFileSync(join(here.folder, 'broken.db'), 'not a database, whatever its name says. '.repeat(100))
    const { code, stderr } = await here.run(['serve', '--port', '0', '--store', 'sqlite:broken.db'])
    assert.equal(code, 69)
    assert.match(stderr, /^The database broken\.db cannot be used: [^\n]+\n$/)
  })
})
