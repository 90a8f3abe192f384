// An owner is erased by the command line beside a server that is being called, as an operator does it.

import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { test } from 'node:test'
import type { Keyring, KeyDetails } from 'latchkey'
import { hashSecret } from 'latchkey'
import { connectKeyring } from 'latchkey/client'
import { serve, workplace } from './cli/running.ts'

const mark = 'Quisenberry'
const owner = `${mark} & "Söhne"`
const scopes = ['orders:read']

interface Issued {
  readonly key: KeyDetails
  readonly secret: string
}

/** Calls a server with a key that it refuses, and answers the id of the request. */
async function refused(url: string, secret: string): Promise<string> {
  const response = await fetch(`${url}/v1/keys`, { headers: { 'x-api-key': secret } })
  const { instance } = (await response.json()) as { readonly instance: string }
  assert.ok([401, 403].includes(response.status), String(response.status))
  return instance.replace('urn:uuid:', '')
}

/** Calls a server with keys, over and over, until it is told to end. */
async function traffic(
  keyring: Keyring,
  { url, keys, signal }: { readonly url: string; readonly keys: readonly Issued[]; readonly signal: AbortSignal },
): Promise<number> {
  let calls = 0
  while (!signal.aborted) {
    for (const { secret } of keys) {
      await keyring.verify(secret)
      await refused(url, secret)
      calls += 2
      await nextTurn()
    }
  }
  return calls
}

const here = workplace({}, { alone: true })
const file = join(here.folder, 'data', 'latchkey.db')

function filesWithTraces(copy: string): readonly string[] {
  const files = [file, `${file}-wal`, `${file}-shm`, join(here.folder, copy)]
  return files.filter((path) => existsSync(path) && readFileSync(path).includes(mark))
}

test('an owner that the command line erases is gone from the server that is being called, and from all files', async () => {
  const server = await serve(here)
  const keyring = await connectKeyring({ url: server.url, key: server.environment.LATCHKEY_ADMIN_KEY })
  const own: Issued[] = []
  for (let count = 0; count < 5; count++) {
    const idempotencyKey = `${mark} ${count}`
    const name = `Key of ${mark}`
    const { key, secret } = await keyring.issue({ name, owner, scopes, metadata: { who: mark }, idempotencyKey })
    own.push({ key, secret: secret ?? '' })
  }
  const [first, second, third] = own
  const other = await keyring.issue({ name: 'Shop', owner: 'globex', scopes })
  assert.ok(first !== undefined && second !== undefined && third !== undefined)
  await keyring.rotate(first.key.id, { note: `For ${mark}` })
  await keyring.change(third.key.id, { owner: 'globex', name: 'Given', metadata: null })
  const [ofOwn, ofOther] = [await refused(server.url, second.secret), await refused(server.url, other.secret)]
  assert.equal((await keyring.refusal(ofOwn))?.owner, owner)
  const ended = new AbortController()
  const calls = traffic(keyring, { url: server.url, keys: [...own, other], signal: ended.signal })

  await here.done(['owners', 'change', owner, '--disable'])
  const erased = JSON.parse(await here.done(['owners', 'erase', owner, '--yes', '--json'])) as { cleared: boolean }
  assert.equal(erased.cleared, true)
  // While the calls go on.
  assert.equal(await keyring.refusal(ofOwn), undefined)
  assert.equal((await keyring.refusal(ofOther))?.owner, 'globex')
  ended.abort()
  assert.ok((await calls) > 10)
  assert.equal(await keyring.refusal(ofOwn), undefined)
  assert.equal(await keyring.why({ requestId: ofOwn }), undefined)
  assert.equal(await keyring.owner(owner), undefined)
  assert.deepEqual((await keyring.list({ text: mark })).keys, [])
  assert.deepEqual((await keyring.refusals({ owner })).refusals, [])
  assert.deepEqual((await keyring.usage({ owner, from: 0, to: Date.now() + 3_600_000 })).usage, [])
  assert.ok(!JSON.stringify((await keyring.journal({ limit: 1000 })).entries).includes(mark))
  assert.equal((await keyring.verify(other.secret)).ok, true)

  assert.match(await here.done(['journal', 'verify', '--rows']), /intact/)
  await here.done(['backup', 'running.db'])
  assert.deepEqual(filesWithTraces('running.db'), [])
  // What the server has counted and noted is written when it ends, and nothing of the owner with it.
  server.process.kill('SIGTERM')
  await once(server.process, 'exit')
  assert.match(await here.done(['journal', 'verify', '--rows']), /intact/)
  await here.done(['backup', 'stopped.db'])
  assert.deepEqual(filesWithTraces('stopped.db'), [])
  assert.ok(!server.printed().includes(mark))

  const next = await serve(here)
  const again = await connectKeyring({ url: next.url, key: next.environment.LATCHKEY_ADMIN_KEY })
  const { secret } = second
  const taken = { name: 'Again', owner: 'globex', scopes, bits: 190 } as const
  await assert.rejects(again.importMany([{ ...taken, algorithm: 'sha256', hash: hashSecret(secret) }]), {
    code: 'conflict',
  })
  await again.importMany([{ ...taken, algorithm: 'sha512', hash: hash('sha512', secret, 'hex') }])
  const verdict = await again.verify(secret)
  assert.equal(verdict.ok ? 'accepted' : verdict.refusal.code, 'unknown')
})

test('scrub writes the database anew, and beside a server only if that is asked for', async () => {
  const there = workplace()
  const running = await serve(there)
  const beside = await there.run(['scrub'])
  assert.deepEqual([beside.code, /add --in-use/.test(beside.stderr)], [4, true])
  assert.deepEqual(JSON.parse(await there.done(['scrub', '--in-use', '--json'])), { cleared: true })
  assert.equal((await fetch(`${running.url}/readyz`)).status, 200)
  assert.match(await there.done(['journal', 'verify', '--rows']), /intact/)
})
