// Starts without a person at a terminal: secrets in files, the first admin key in a file, a check of health.

import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, test } from 'node:test'
import { skipUnless } from '../../../../test/machine.ts'
import { command, secretPattern, serve, workplace } from './running.ts'

describe('the first admin key without a terminal', { concurrency: 2 }, () => {
  test('is in the file, for its owner alone, when the server says that it serves; and nowhere else', async () => {
    const here = workplace({ LATCHKEY_FIRST_ADMIN_KEY_FILE: 'admin.key' })
    const child = here.start(['serve', '--port', '0'])
    const out = text(child.stdout!)
    let said = ''
    let keyWasThere: boolean | undefined
    const url = await new Promise<string>((resolve) => {
      child.stderr!.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const [, address] = /^Serving (\S+),/m.exec(said) ?? []
        if (address === undefined) return
        keyWasThere ??= existsSync(join(here.folder, 'admin.key'))
        resolve(address)
      })
    })
    assert.equal(keyWasThere, true)
    assert.equal(statSync(join(here.folder, 'admin.key')).mode & 0o777, 0o600)
    // The file is one that the command line takes as it is.
    const env = { LATCHKEY_URL: url, LATCHKEY_ADMIN_KEY_FILE: 'admin.key' }
    assert.match(await here.done(['keys', 'list', '--environment', 'admin'], { env }), /First admin key/)
    child.kill('SIGTERM')
    assert.equal(((await once(child, 'close')) as [number])[0], 0)
    assert.match(said, /^The first admin key is in admin\.key\.$/m)
    assert.doesNotMatch(said + (await out), secretPattern)
    assert.doesNotMatch(said, /There is no admin key/)
  })

  test('a later start writes none, whether or not the file is still there', async () => {
    const here = workplace({ LATCHKEY_FIRST_ADMIN_KEY_FILE: 'admin.key' })
    const { process: first } = await serve(here)
    const ended = once(first, 'close')
    first.kill('SIGTERM')
    await ended
    const before = readFileSync(join(here.folder, 'admin.key'), 'utf8')
    const again = await serve(here)
    assert.equal(readFileSync(join(here.folder, 'admin.key'), 'utf8'), before)
    assert.doesNotMatch(again.printed(), /The first admin key/)
  })

  test('a file that cannot be written ends the start before it listens, and the next start can write it', async () => {
    const here = workplace()
    writeFileSync(join(here.folder, 'taken'), 'mine')
    for (const [path, why] of [
      ['taken', /^The first admin key was not issued: taken exists already, and is not overwritten\./m],
      ['missing/key', /^The first admin key was not issued: missing\/key cannot be made \(ENOENT\)\./m],
      // Nobody can make a file there, root included, and every machine has it.
      ['/dev/null/key', /^The first admin key was not issued: \/dev\/null\/key cannot be made \(E\w+\)\./m],
    ] as const) {
      const { code, stderr } = await here.run(['serve', '--port', '0', '--first-admin-key-file', path])
      assert.equal(code, 1, stderr)
      assert.match(stderr, why)
      assert.doesNotMatch(stderr, /Serving/)
    }
    assert.equal(readFileSync(join(here.folder, 'taken'), 'utf8'), 'mine')
    assert.doesNotMatch(await here.done(['keys', 'list', '--environment', 'admin']), /\n/)
    const { printed } = await serve({
      ...here,
      start: (words) => here.start([...words, '--first-admin-key-file', 'key']),
    })
    assert.match(printed(), /^The first admin key is in key\.$/m)
  })

  const noSmallDisk = (): string | false =>
    skipUnless(
      spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=4k tmpfs /mnt']).status === 0,
      'nobody may mount a small disk here',
    )

  test('a full disk ends the start, and there is neither key nor file', { skip: noSmallDisk() }, async () => {
    const here = workplace()
    const full = 'mount -t tmpfs -o size=4k tmpfs /mnt && dd if=/dev/zero of=/mnt/full bs=4k count=1 2>/dev/null'
    const words = [...command, 'serve', '--port', '0', '--first-admin-key-file', '/mnt/key'].map((one) => `'${one}'`)
    const script = `${full} && ${words.join(' ')}; code=$?; ls /mnt; exit $code`
    const ran = spawnSync('unshare', ['-rm', 'sh', '-c', script], {
      cwd: here.folder,
      env: here.environment,
      encoding: 'utf8',
      timeout: 300_000,
    })
    assert.equal(ran.status, 1, ran.stderr)
    assert.match(ran.stderr, /^The first admin key was not issued: \/mnt\/key cannot be made \(ENOSPC\)\. Name another/)
    assert.match(ran.stdout, /^full\n$/m)
    assert.doesNotMatch(await here.done(['keys', 'list', '--environment', 'admin']), /\n/)
  })
})

describe('secrets in files', { concurrency: 2 }, () => {
  test('the admin key of a command, and what verify is asked about, come from a file', async () => {
    const here = workplace()
    const { url, environment } = await serve(here)
    const secret = await here.done(['keys', 'issue', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read'])
    writeFileSync(join(here.folder, 'admin.key'), `${environment.LATCHKEY_ADMIN_KEY}\n`)
    writeFileSync(join(here.folder, 'shop.key'), `${secret}\n`)
    const env = { LATCHKEY_URL: url, LATCHKEY_ADMIN_KEY_FILE: 'admin.key', LATCHKEY_CREDENTIAL_FILE: 'shop.key' }
    assert.match(await here.done(['verify'], { env }), /^verdict +accepted\n/)
  })

  test('both at once, and a file that is none, are exit code 78 and one line that names the setting', async () => {
    const here = workplace()
    execFileSync('mkfifo', [join(here.folder, 'pipe')])
    for (const [env, line] of [
      [
        { LATCHKEY_ADMIN_KEY: 's3cret', LATCHKEY_ADMIN_KEY_FILE: 's3cret' },
        'LATCHKEY_ADMIN_KEY and LATCHKEY_ADMIN_KEY_FILE are both set: set one of them.\n',
      ],
      [
        { LATCHKEY_ADMIN_KEY_FILE: 'pipe' },
        'LATCHKEY_ADMIN_KEY_FILE must be the path of a file with the secret in it, and what is there is no file.\n',
      ],
    ] as const) {
      const { code, stderr } = await here.run(['keys', 'list', '--url', 'http://127.0.0.1:9'], { env })
      assert.deepEqual([code, stderr], [78, line])
    }
  })
})

describe('health', { concurrency: 2 }, () => {
  test('is 0 while the server can do its work, by the settings that it listens with', async () => {
    const here = workplace()
    const { url } = await serve(here)
    const { port } = new URL(url)
    for (const [HOST, words] of [
      ['127.0.0.1', []],
      ['0.0.0.0', []],
      ['192.0.2.1', ['--url', `${url}/`]],
    ] as const) {
      const { code, stdout, stderr } = await here.run(['health', ...words], { env: { HOST, PORT: port } })
      assert.deepEqual([code, stdout], [0, 'ready\n'], stderr)
    }
  })

  test('is 1 where nobody answers, where the database is gone, and where something else answers', async () => {
    const here = workplace()
    const { url } = await serve(here)
    for (const name of readdirSync(join(here.folder, 'data'))) {
      execFileSync('mv', [join(here.folder, 'data', name), here.folder])
    }
    const gone = await here.run(['health', '--url', url])
    assert.deepEqual([gone.code, gone.stderr], [1, 'The server is not ready: /readyz answers 503.\n'])
    const other = createServer((_request, response) => response.writeHead(302, { location: url }).end())
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const moved = await here.run(['health'], { env: { PORT: String(port) } })
    assert.deepEqual([moved.code, moved.stderr], [1, 'The server is not ready: /readyz answers 302.\n'])
    other.close()
    await once(other, 'close')
    const nobody = await here.run(['health'], { env: { PORT: String(port) } })
    assert.deepEqual([nobody.code, nobody.stderr], [1, 'The server does not answer (ECONNREFUSED).\n'])
    const password = await here.run(['health', '--url', 'http://me:s3cret@127.0.0.1'])
    assert.equal(password.code, 2)
    assert.doesNotMatch(password.stderr, /s3cret/)
  })

  test('loads no framework', () => {
    const here = workplace()
    const [program = '', ...words] = command
    const script = `
      const { registerHooks } = require('node:module')
      registerHooks({ load: (url, context, next) => { if (/[/]fastify[/]/.test(url)) console.error('LOADED', url); return next(url, context) } })`
    writeFileSync(join(here.folder, 'watch.cjs'), script)
    const ran = spawnSync(program, ['--require', './watch.cjs', ...words, 'health', '--url', 'http://127.0.0.1:9'], {
      cwd: here.folder,
      env: here.environment,
      encoding: 'utf8',
    })
    assert.equal(ran.status, 1, ran.stderr)
    assert.doesNotMatch(ran.stderr, /LOADED/)
  })
})
