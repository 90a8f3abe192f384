// What a person at a terminal sees and is asked.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { noTerminal } from '../../../../test/machine.ts'
import { secretPattern, workplace } from './running.ts'
import { inTerminal } from './terminal.ts'

// oxlint-disable-next-line no-control-regex
const colour = /\u001b\[[0-9;]*m/

describe('in a terminal', { skip: noTerminal(), concurrency: 2 }, () => {
  const here = workplace()
  const issued = async (name = 'Key'): Promise<{ id: string; secret: string }> => {
    const line = ['keys', 'issue', '--create', '--name', name, '--owner', 'acme', '--scope', 'orders:read', '--json']
    const { key, secret } = JSON.parse(await here.done(line)) as { key: { id: string }; secret: string }
    return { id: key.id, secret }
  }
  const stateOf = async (id: string): Promise<unknown> =>
    (JSON.parse(await here.done(['keys', 'show', id, '--json'])) as { state: unknown }).state

  const revoke = (id: string) => ['keys', 'revoke', id, '--reason', 'requested']
  const question = /Revoke .* for good\?/

  test('revoke names the key and asks; no leaves it as it is, yes revokes it', async () => {
    const { id } = await issued('Billing')
    const no = await inTerminal(here, revoke(id), { typed: [[question, 'n']] })
    assert.match(no.screen, /Revoke Billing of acme \(key_\w+, active\) for good\?/)
    assert.deepEqual([no.code, await stateOf(id)], [1, 'active'])
    const yes = await inTerminal(here, revoke(id), { typed: [[question, 'y']] })
    assert.deepEqual([yes.code, await stateOf(id)], [0, 'revoked'])
  })

  test('Ctrl-C at a question leaves everything as it is', async () => {
    const { id } = await issued()
    const { code, screen } = await inTerminal(here, revoke(id), { typed: [[question, '\u0003']] })
    assert.deepEqual([code, await stateOf(id)], [130, 'active'])
    assert.doesNotMatch(screen, /^\s+at /m)
  })

  test('there are colours, unless NO_COLOR says that there are not', async () => {
    await issued()
    const some = await inTerminal(here, ['doctor'])
    assert.match(some.screen, colour)
    const none = await inTerminal(here, ['doctor'], { env: { NO_COLOR: '1' } })
    assert.doesNotMatch(none.screen, colour)
  })

  test('verify asks for the secret and does not show it', async () => {
    const { secret } = await issued()
    const { code, screen } = await inTerminal(here, ['verify'], { typed: [[/Secret/, `${secret}\r`]] })
    assert.equal(code, 0, screen)
    assert.match(screen, /accepted/)
    assert.ok(!screen.includes(secret.slice(12)))
  })

  test('the first start of a server shows an admin key, once; Ctrl-C ends it cleanly', async () => {
    const there = workplace()
    const serve = ['serve', '--port', '0']
    const first = await inTerminal(there, serve, { typed: [[/shown only now:\s+\S+\s/, '\u0003']] })
    assert.equal(first.code, 0, first.screen)
    const shown = first.screen.match(secretPattern) ?? []
    assert.equal(shown.length, 1)
    assert.match(shown[0] ?? '', /^lk_admin_/)
    const second = await inTerminal(there, serve, { typed: [[/Serving \S+, .*docs/, '\u0003']] })
    assert.deepEqual([second.code, second.screen.match(secretPattern)], [0, null])
  })
})
