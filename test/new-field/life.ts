// The life of a field that the sources here do not have: `team`. It is run in a copy of the sources that has it, by
// `new-field.test.ts`.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ImportedKey, Keyring, KeyPatch, NewKey } from 'latchkey'
import { openKeyring } from 'latchkey'
import { connectKeyring } from 'latchkey/client'
import { sqliteStore } from 'latchkey/store/sqlite'
import { serve, workplace } from '../../packages/latchkey-server/test/cli/running.ts'
import { entriesOf } from '../entries.ts'

const place = workplace()
const served = await serve(place)
const required = { name: 'Web shop', owner: 'acme', scopes: ['orders:read'] }

/** A new key, or a change of one, that gives it a team. */
function withTeam(team: string | null): NewKey<string> & KeyPatch<string> {
  return { ...required, team } as NewKey<string>
}

/** The teams of some keys. */
function teamsOf(...keys: readonly object[]): readonly unknown[] {
  return keys.map((key) => (key as { readonly team?: unknown }).team)
}

async function livesIn(keyring: Keyring): Promise<void> {
  const { key } = await keyring.issue(withTeam('blue'))
  const { key: other } = await keyring.issue(required)
  assert.deepEqual(teamsOf(key, other), ['blue', null])
  const { key: changed } = await keyring.change(key.id, withTeam('red'))
  const { key: untouched } = await keyring.change(key.id, { name: 'Another name' })
  assert.deepEqual(teamsOf(changed, untouched, (await keyring.find(key.id))!), ['red', 'red', 'red'])
  const { keys } = await keyring.list({ limit: 1000 })
  assert.deepEqual(teamsOf(...keys.filter(({ id }) => id === key.id || id === other.id)), ['red', null])
  const { key: cleared } = await keyring.change(key.id, withTeam(null))
  assert.deepEqual(teamsOf(cleared), [null])
  await assert.rejects(keyring.issue(withTeam('')), { code: 'invalid_input', message: /team/ })

  const secret = { hash: hash('sha256', crypto.randomUUID()), algorithm: 'sha256', bits: 122 }
  const imported = await keyring.importMany([{ ...withTeam('green'), ...secret } as ImportedKey<string>])
  assert.deepEqual(teamsOf(...(imported.repeated ? [] : imported.created)), ['green'])

  const entries = await entriesOf(keyring, { key: key.id })
  const [first, second] = entries.map(({ change }) => change as Readonly<Record<string, object>>)
  assert.deepEqual(teamsOf(first!, second!['before']!, second!['after']!), ['blue', 'blue', 'red'])
  assert.equal((await keyring.verifyJournal({ rows: true })).intact, true)
}

test('in the library', async () => {
  const file = join(place.folder, 'library.db')
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes: { 'orders:read': 'Read orders' } })
  await livesIn(keyring)
  await keyring.close()
})

test('through the client', async () => {
  const keyring = await connectKeyring({ url: served.url, key: served.environment.LATCHKEY_ADMIN_KEY })
  await livesIn(keyring)
  await keyring.close()
})

test('over HTTP, and in its document', async () => {
  const headers = { 'x-api-key': served.environment.LATCHKEY_ADMIN_KEY, 'content-type': 'application/json' }
  const ask = async (method: string, path: string, body?: object): Promise<{ status: number; json: never }> => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await fetch(served.url + path, { method, headers, ...sent })
    return { status: answer.status, json: (await answer.json()) as never }
  }
  const { json: issued } = await ask('POST', '/v1/keys', withTeam('blue'))
  const { key } = issued as { readonly key: { readonly id: string } }
  assert.deepEqual(teamsOf(key), ['blue'])
  const changed = await ask('PATCH', `/v1/keys/${key.id}`, { team: 'red' })
  assert.deepEqual(teamsOf((changed.json as { readonly key: object }).key), ['red'])
  assert.deepEqual(teamsOf((await ask('GET', `/v1/keys/${key.id}`)).json), ['red'])
  assert.equal((await ask('POST', '/v1/keys', { ...required, team: 7 })).status, 422)
  const { components } = (await ask('GET', '/openapi.json')).json as {
    readonly components: { readonly schemas: Readonly<Record<string, { readonly properties?: object }>> }
  }
  for (const name of ['NewKey', 'ImportedKey', 'KeyPatch', 'Key', 'KeyDetails']) {
    assert.ok('team' in (components.schemas[name]?.properties ?? {}), name)
  }
})

for (const [where, env] of Object.entries({ 'on the database': {}, 'on a server': served.environment })) {
  test(`on the command line, ${where}`, async () => {
    const json = async (...values: readonly string[]): Promise<never> => {
      return JSON.parse(await place.done([...values, '--json'], { env })) as never
    }
    const flags = ['--name', 'Web shop', '--owner', where.replaceAll(' ', '-'), '--scope', 'orders:read']
    const { key } = (await json('keys', 'issue', ...flags, '--team', 'blue')) as {
      readonly key: { readonly id: string }
    }
    assert.deepEqual(teamsOf(key), ['blue'])
    await place.done(['keys', 'change', key.id, '--team', 'red'], { env })
    assert.match(await place.done(['keys', 'show', key.id], { env }), /^team +red$/m)
    await place.done(['keys', 'change', key.id, '--clear', 'team'], { env })
    assert.match(await place.done(['keys', 'show', key.id], { env }), /^team +none$/m)

    const file = join(place.folder, 'keys.csv')
    const secrets = [1, 2].map((number) => hash('sha256', `${where} ${number} ${'0'.repeat(40)}`))
    writeFileSync(
      file,
      `name,owner,scopes,team,hash,bits\nA,csv,orders:read,green,${secrets[0]},128\nB,csv,orders:read,,${secrets[1]},128\n`,
    )
    const printed = await place.done(['keys', 'import', file, '--json'], { env })
    const ids = printed.split('\n').map((line) => (JSON.parse(line) as { readonly id: string }).id)
    assert.deepEqual(teamsOf(await json('keys', 'show', ids[0]!), await json('keys', 'show', ids[1]!)), ['green', null])
  })
}
