// The fields of a key are written once for the command line: what its table has is everywhere.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { describe, test } from 'node:test'
import type { Command } from 'commander'
import { completions } from '../../src/cli/completion.ts'
import { keyFields } from '../../src/cli/key-fields.ts'
import { buildProgram } from '../../src/cli/program.ts'
import { jsonLines, workplace } from './running.ts'

const program = buildProgram('1.0.0')

/** A command of `keys`. */
function commandOf(name: string): Command {
  const keys = program.commands.find((one) => one.name() === 'keys')
  return keys?.commands.find((one) => one.name() === name) ?? assert.fail(name)
}

describe('a field of the table', { concurrency: 2 }, () => {
  test('has its options in keys issue and keys change, and its word after --clear where it may be none', () => {
    for (const name of ['issue', 'change']) {
      const flags = new Set(commandOf(name).options.map(({ long }) => long))
      for (const [, { options }] of keyFields) for (const { long } of options) assert.ok(flags.has(long), long)
    }
    const cleared = keyFields.flatMap(([, { clear }]) => clear ?? [])
    assert.deepEqual(completions(program, ['keys', 'change', '--clear', '']), cleared)
  })

  test('is imported from a CSV as its flag says it, and comes back in JSON and on the page of its key', async () => {
    const here = workplace()
    const given: Readonly<Record<string, readonly [flags: string, field: string, shown: RegExp]>> = {
      name: ['--name Shop', 'Shop', /^name +Shop$/m],
      owner: ['--owner acme', 'acme', /^owner +acme$/m],
      scopes: ['--scope orders:read,orders:write', 'orders:read orders:write', /^scopes +orders:read, orders:write$/m],
      expiresAt: ['--expires 2040-01-31', '2040-01-31', /^expires +2040-01-31T00:00:00\.000Z$/m],
      notBefore: ['--not-before 2026-01-31', '2026-01-31', /^valid from +2026-01-31T00:00:00\.000Z$/m],
      addresses: ['--address 192.0.2.0/24,::1', '192.0.2.0/24;::1', /^addresses +192\.0\.2\.0\/24, ::1(?:\/128)?$/m],
      limits: ['--limit a=5/1m --limit b=9/1h', 'a=5/1m b=9/1h', /^limits +a=5\/1m, b=9\/1h$/m],
      quota: ['--quota 1000/day', '1000/day', /^quota +1000\/day, 1000 left$/m],
      metadata: ['--metadata plan=pro', 'pro', /^metadata +plan=pro$/m],
    }
    // What an admin key may give is not written in one field.
    const names = keyFields.map(([member]) => member).filter((member) => member !== 'delegation')
    assert.deepEqual(Object.keys(given), names)
    const flags = Object.values(given).map(([words]) => words)
    await here.done(['keys', 'issue', '--create', ...flags.join(' ').split(' ')])
    const columns = names.map((name) => (name === 'metadata' ? 'metadata.plan' : name))
    const fields = Object.values(given).map(([, field]) => field)
    const csv = [
      [...columns, 'hash', 'bits'],
      [...fields, hash('sha256', 'some secret'), '128'],
    ]
    const input = csv.map((record) => `${record.join(',')}\n`).join('')
    await here.done(['keys', 'import', '--format', 'csv'], { input })
    const [issued = {}, imported = {}] = jsonLines(await here.done(['keys', 'list', '--json']))
    for (const name of names) assert.deepEqual(imported[name], issued[name], name)
    for (const name of ['expiresAt', 'notBefore']) assert.match(String(issued[name]), /^20\d\d-01-31T00:00:00\.000Z$/)
    const page = await here.done(['keys', 'show', String(imported['id'])])
    for (const [, , shown] of Object.values(given)) assert.match(page, shown)
  })

  test('is not set and cleared at once', async () => {
    const { code, stderr } = await workplace().run(['keys', 'change', 'key_1', '--expires', '1d', '--clear', 'expires'])
    assert.equal(code, 2)
    assert.match(stderr, /expires/)
  })
})
