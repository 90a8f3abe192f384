// A rotation in a world in which answers are lost, outputs are lost, processes are killed, and two people work at once.
// Each story goes on as somebody does who reads what they are told, and ends with a caller that works.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connectKeyring } from 'latchkey/client'
import { skipUnless } from '../../../test/machine.ts'
import { compose } from '../src/compose.ts'
import { readSettings } from '../src/config.ts'
import { firstAdminKey } from '../src/first-admin-key.ts'
import { command, workplace } from './cli/running.ts'
import { entriesOf } from '../../../test/entries.ts'

const wanted = { name: 'Shop', owner: 'acme', scopes: [] }

/** A server, and a way to it on which answers to changing calls are lost as often as is said. */
async function behindLoss(): Promise<{
  readonly url: string
  readonly direct: string
  readonly key: string
  lose: number
}> {
  const { app, keyring, close } = await compose(readSettings({ environment: { LATCHKEY_STORE: 'sqlite::memory:' } }))
  const direct = await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = new URL(direct)
  const state = { url: '', direct, key: (await firstAdminKey(keyring)) ?? '', lose: 0 }
  const open = new Set<Socket>()
  const way = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1')
    open.add(near).add(far)
    let changing = false
    near.on('data', (chunk: Buffer) => {
      // The body may come after its head, in a chunk of its own.
      const [method] = /^[A-Z]+(?= )/.exec(chunk.toString('latin1')) ?? []
      if (method !== undefined) changing = method === 'POST' || method === 'PATCH'
      far.write(chunk)
    })
    far.on('data', (chunk: Buffer) => {
      // The server has done it, and says so to nobody.
      if (changing && state.lose > 0) {
        state.lose--
        near.resetAndDestroy()
      } else near.write(chunk)
    })
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('close', () => other.destroy())
      one.on('error', () => undefined)
    }
  })
  way.listen(0, '127.0.0.1')
  await once(way, 'listening')
  state.url = `http://127.0.0.1:${(way.address() as AddressInfo).port}`
  after(async () => {
    way.close()
    for (const socket of open) socket.destroy()
    await close()
  })
  return state
}

test('an answer that is lost: the client asks again by itself, and the secret that it answers works', async () => {
  const way = await behindLoss()
  const keyring = await connectKeyring({ url: way.url, key: way.key })
  const { key, secret } = await keyring.issue(wanted)
  way.lose = 1
  const rotated = await keyring.rotate(key.id)
  assert.equal(way.lose, 0, 'an answer was lost')
  for (const one of [secret, rotated.secret]) assert.equal((await keyring.verify(one)).ok, true)
  assert.equal((await keyring.find(key.id))?.secrets.length, 2, 'and the one that was lost works no more')
})

test('an answer that is lost for good: another try with the same idempotency key gives a secret that works', async () => {
  const way = await behindLoss()
  const keyring = await connectKeyring({ url: way.url, key: way.key })
  const { key, secret } = await keyring.issue(wanted)
  way.lose = 3
  const token = { idempotencyKey: 'rotate shop' }
  await assert.rejects(keyring.rotate(key.id, token), { code: /unavailable|still_running/ } as never)
  way.lose = 0
  const waited = async (): Promise<string | null> => {
    for (;;) {
      try {
        return (await keyring.rotate(key.id, token)).secret
      } catch (error) {
        if ((error as { code?: string }).code !== 'still_running') throw error
      }
    }
  }
  const again = await waited()
  for (const one of [secret, again ?? '']) assert.equal((await keyring.verify(one)).ok, true)
})

test('other changes whose answer is lost are made once', async () => {
  const way = await behindLoss()
  const keyring = await connectKeyring({ url: way.url, key: way.key })
  const { key } = await keyring.issue(wanted)
  const before = (await entriesOf(keyring)).length
  for (const verb of [
    () => keyring.change(key.id, { name: 'Another' }),
    () => keyring.disable(key.id),
    () => keyring.changeOwner('acme', { disabled: true }),
    () => keyring.issue({ ...wanted, idempotencyKey: 'one' }),
    () => keyring.revoke(key.id, { reason: 'other' }),
  ]) {
    way.lose = 1
    assert.equal((await verb()).repeated, true)
  }
  assert.equal((await entriesOf(keyring)).length, before + 5)
})

const here = workplace()
const { run, done, folder, environment } = here
const issue = ['keys', 'issue', '--create', '--name', 'Shop', '--owner', 'acme', '--scope', 'orders:read']
const accepts = async (secret: string): Promise<boolean> =>
  (await run(['verify', '--spend'], { input: secret })).code === 0
const idOf = async (secret: string): Promise<string> =>
  (JSON.parse(await done(['verify', '--json'], { input: secret })) as { key: { id: string } }).key.id

/** The command that a message says to give, as words. */
function advised(message: string): readonly string[] {
  const [, line = ''] = /latchkey (keys rotate [^\n]*)/.exec(message) ?? []
  return line.trim().split(/\s+/)
}

test(
  'an output that is lost: the command that is advised gives a secret that works, and the old one goes on',
  { skip: skipUnless(existsSync('/dev/full'), 'there is no /dev/full') },
  async () => {
    const secret = await done(issue)
    const id = await idOf(secret)
    const words = command.map((word) => `'${word}'`).join(' ')
    const full = spawnSync('bash', ['-c', `${words} keys rotate ${id} > /dev/full`], {
      cwd: folder,
      env: environment,
      encoding: 'utf8',
    })
    assert.equal(full.status, 1)
    assert.match(full.stderr, /could not be written/)
    const again = await done(advised(full.stderr))
    assert.deepEqual([await accepts(secret), await accepts(again)], [true, true])
  },
)

test('a process that is killed between the change and its output: who rotates again is told the way, and it works', async () => {
  const secret = await done(issue)
  const id = await idOf(secret)
  const killed = spawnSync(
    process.execPath,
    [
      '--conditions=@latchkey/source',
      '--input-type=module',
      '--eval',
      `import { openKeyring } from 'latchkey'
       import { sqliteStore } from 'latchkey/store/sqlite'
       const store = sqliteStore({ file: process.argv[1] })
       const keyring = await openKeyring({ store, scopes: { 'orders:read': '', 'orders:write': '' } })
       await keyring.rotate(process.argv[2])
       process.kill(process.pid, 'SIGKILL')`,
      join(folder, 'data', 'latchkey.db'),
      id,
    ],
    { cwd: import.meta.dirname, encoding: 'utf8' },
  )
  assert.equal(killed.signal, 'SIGKILL', killed.stderr)
  const told = await run(['keys', 'rotate', id])
  assert.equal(told.code, 4)
  assert.match(told.stderr, /being rotated: application gave it a new secret at .* was never used/)
  const again = await done(advised(told.stderr))
  assert.deepEqual([await accepts(secret), await accepts(again)], [true, true])
})

test('two operators at once: the second is told of the first, and neither caller stands without a secret', async () => {
  const secret = await done(issue)
  const id = await idOf(secret)
  const rotate = async () => run(['keys', 'rotate', id], { alone: true })
  const both = await Promise.all([rotate(), rotate()])
  const [winner, ...others] = both.toSorted((one, other) => Number(one.code) - Number(other.code))
  assert.equal(winner?.code, 0)
  const rotated = winner?.stdout.trim() ?? ''
  for (const { code } of others) assert.equal(code, 4)
  assert.equal(await accepts(rotated), true)
  // Whoever comes later and believes that the secret was lost is stopped by its use.
  const later = await run(['keys', 'rotate', id, '--replace'])
  assert.equal(later.code, 4)
  assert.match(later.stderr, /was used at/)
  assert.deepEqual([await accepts(secret), await accepts(rotated)], [true, true])
})

test('a command given again with its idempotency key does nothing more, and says so', async () => {
  const token = ['--idempotency-key', 'shop of May']
  const secret = await done([...issue, ...token])
  const again = await run([...issue, ...token])
  assert.deepEqual([again.code, again.stdout], [0, ''])
  assert.match(again.stderr, /done before with the same idempotency key/)
  const id = await idOf(secret)
  const rotated = await done(['keys', 'rotate', id, ...token.with(1, 'rotate')])
  assert.equal(await accepts(rotated), true)
  const repeated = await run(['keys', 'rotate', id, ...token.with(1, 'rotate')])
  assert.deepEqual([repeated.code, repeated.stdout], [0, ''])
})
