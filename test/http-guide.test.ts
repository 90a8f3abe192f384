// The calls with curl in docs/guides/http-api.md, against a server that listens.

import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import { testKeyring } from 'latchkey/testing'
import { firstAdminKey, latchkeyServer, serverOptions } from 'latchkey-server'
import { readPage } from './markdown.ts'

const execute = promisify(execFile)
const page = readPage(readFileSync(join(dirname(import.meta.dirname), 'docs', 'guides', 'http-api.md'), 'utf8'))
const [life = '', verification = ''] = page.blocks.filter(({ language }) => language === 'sh').map(({ code }) => code)
const noCurl = spawnSync('curl', ['--version']).status === 0 ? false : 'there is no curl on this machine'

test('every call with curl does what the guide says', { skip: noCurl }, async () => {
  const { keyring } = await testKeyring({ scopes: { 'orders:read': 'Read orders' } })
  const app = Fastify(serverOptions)
  await app.register(latchkeyServer, { keyring })
  const url = await app.listen({ port: 0 })
  const admin = (await firstAdminKey(keyring)) ?? ''
  const { key, secret } = await keyring.issue({ name: 'Till', owner: 'acme', scopes: ['orders:read'] })

  /** Runs a block in a shell and answers what each call printed. */
  const run = async (block: string): Promise<readonly string[]> => {
    const calls = block.replaceAll('http://127.0.0.1:8080', url).replaceAll('lk_live_…', secret)
    assert.ok(!calls.includes('…'), 'nothing is left out')
    const env = { ...process.env, LATCHKEY_ADMIN_KEY: admin, KEY_ID: key.id }
    const { stdout } = await execute('sh', ['-ec', calls.replaceAll(/^curl /gm, "curl -w '\\n' ")], { env })
    return stdout.trim().split('\n')
  }

  const [verdict = ''] = await run(verification)
  assert.match(verdict, /^\{"valid":true,"code":"accepted",/)

  const [issued = '', listed = '', rotated = '', revoked = ''] = await run(life)
  assert.match(issued, /"secret":"lk_live_\w{38}"/)
  assert.equal(listed.match(/"id":/g)?.length, 2)
  assert.match(rotated, /"secret":"lk_live_\w{38}"/)
  assert.match(revoked, /"state":"revoked"/)
  assert.equal((await keyring.verify(secret)).ok, false)

  await app.close()
  await keyring.close()
})
