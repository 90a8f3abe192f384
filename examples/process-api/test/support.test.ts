// "Acme says that its key stopped working at 10:04": support answers with one command.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { folderFor, startService } from './running-service.ts'

const main = fileURLToPath(new URL('../../../packages/latchkey-server/src/main.ts', import.meta.url))

test('a key is rotated at once, its old secret refused, and one command says so, why, and what to do', async (context) => {
  const folder = folderFor(context)
  const service = startService(folder)
  const url = await service.url
  const latchkey = async (values: readonly string[], more: Readonly<Record<string, string>>): Promise<string> => {
    const command = ['--conditions=@latchkey/source', main, ...values]
    const env = { PATH: process.env['PATH'], HOME: folder, TZ: 'Europe/Berlin', ...more }
    return (await promisify(execFile)(process.execPath, command, { cwd: folder, env })).stdout
  }
  const call = async (secret: string): Promise<Response> =>
    fetch(`${url}/process`, {
      method: 'POST',
      headers: { 'x-api-key': secret, 'content-type': 'application/json' },
      body: '{"status":"SUCCESS"}',
    })

  const beside = { LATCHKEY_STORE: 'sqlite:data/latchkey.db' }
  const admin = (await latchkey(['keys', 'issue', '--admin', '--name', 'Ben', '--owner', 'operator'], beside)).trim()
  const over = { LATCHKEY_URL: `${url}/latchkey`, LATCHKEY_ADMIN_KEY: admin }
  const issue = ['keys', 'issue', '--name', 'Shop backend', '--owner', 'acme', '--scope', 'process:run']
  const secret = (await latchkey(issue, over)).trim()
  assert.equal((await call(secret)).status, 200)
  const [, id = ''] = /"id":"(key_\w+)"/.exec(await latchkey(['keys', 'list', '--owner', 'acme', '--json'], over)) ?? []
  await latchkey(['keys', 'rotate', id, '--grace', '0s', '--note', 'leaked in a ticket, INC-4711'], over)
  const refused = await call(secret)
  assert.equal(refused.status, 401)

  const { instance } = (await refused.json()) as { readonly instance: string }
  const byRequest = await latchkey(['why', instance], over)
  // Refusals are kept two seconds after the call at the latest.
  const list = `${url}/latchkey/v1/refusals?owner=acme`
  while (!(await (await fetch(list, { headers: { 'x-api-key': admin } })).text()).includes('secret_ended'));
  const now = new Date().toLocaleTimeString('en-GB', { timeZone: 'Europe/Berlin' }).slice(0, 5)
  const byOwner = await latchkey(['why', '--owner', 'acme', '--at', now], over)
  for (const told of [byRequest, byOwner]) {
    assert.match(told, /, from \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0[12]:00 to /)
    assert.match(told, /1 call with Shop backend \(key_\w+\) at POST \/process, .*\[secret_ended\]/)
    assert.match(
      told,
      /Because: .*, Ben \(key_\w+\) rotated Shop backend \(key_\w+\): old secret ended at once\. "leaked in/,
    )
    assert.match(told, /What to do: The caller still sends the old secret\./)
  }
  const [, advised = ''] = /^ +latchkey (.* --url \S+|.*)$/m.exec(byOwner) ?? []
  const another = (await latchkey(advised.split(' '), over)).trim()
  assert.equal((await call(another)).status, 200)
  assert.ok(![byRequest, byOwner].some((told) => told.includes(secret) || told.includes(another)))
})
