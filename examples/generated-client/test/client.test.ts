import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { sqliteStore } from 'latchkey/store/sqlite'
import { firstAdminKey, latchkeyServer, serverOptions } from 'latchkey-server'
import { temporaryFolder } from '../../../test/temporary-folder.ts'
import { typeCheck } from '../../../test/type-check.ts'

const root = join(import.meta.dirname, '..')
const execute = promisify(execFile)
const manifest = createRequire(import.meta.url).resolve('openapi-typescript/package.json')

test('a client whose types are made from the document compiles, and works on a real server', async (context) => {
  const keyring = await openKeyring({
    store: sqliteStore({ file: ':memory:' }),
    scopes: { 'orders:read': 'Read orders' },
  })
  const app = Fastify(serverOptions)
  await app.register(latchkeyServer, { keyring })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  context.after(async () => {
    await app.close()
    await keyring.close()
  })
  // Among the files of this package, so that its dependencies are found.
  const folder = temporaryFolder('client', { context, within: join(root, 'dist') })
  writeFileSync(join(folder, 'openapi.json'), await (await fetch(`${url}/openapi.json`)).text())
  copyFileSync(join(root, 'client.ts'), join(folder, 'client.ts'))
  const generator = join(dirname(manifest), 'bin', 'cli.js')
  await execute(process.execPath, [generator, 'openapi.json', '--output', 'latchkey.d.ts'], { cwd: folder })
  await typeCheck(folder)

  const env = { ...process.env, LATCHKEY_ADMIN_KEY: await firstAdminKey(keyring) }
  const { stdout } = await execute(process.execPath, [join(folder, 'client.ts'), url], { env })
  assert.deepEqual(stdout.trim().split('\n'), [
    'issued for acme',
    'accepted: acme',
    'refused: malformed, answer 401',
    'disabled: Shop',
    'there is no such key',
  ])
})
