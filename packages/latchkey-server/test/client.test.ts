import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectKeyring } from 'latchkey/client'
import { conformanceScopes, keyringConformance } from '../../latchkey/test/conformance/keyring.ts'
import { compose } from '../src/compose.ts'
import { readSettings } from '../src/config.ts'
import { firstAdminKey } from '../src/first-admin-key.ts'

keyringConformance('over HTTP', async () => {
  const settings = readSettings({ environment: { LATCHKEY_STORE: 'sqlite::memory:' } })
  const { app, keyring, close } = await compose({ ...settings, scopes: conformanceScopes })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const key = await firstAdminKey(keyring)
  const connected = await connectKeyring<keyof typeof conformanceScopes>({ url, key: key ?? '' })
  return { keyring: connected, flushUsage: keyring.flushUsage, remove: close }
})

test('an error names its request as the answer does, and a call can be given up', async (context) => {
  const settings = readSettings({ environment: { LATCHKEY_STORE: 'sqlite::memory:' } })
  const { app, keyring, close } = await compose({ ...settings, scopes: conformanceScopes })
  context.after(close)
  const ids: (string | null)[] = []
  const noting: typeof fetch = async (address, init) => {
    const answer = await fetch(address, init)
    ids.push(answer.headers.get('x-request-id'))
    return answer
  }
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const connected = await connectKeyring({ url, key: (await firstAdminKey(keyring)) ?? '', fetch: noting })
  const error = await connected.disable('key_unknown').catch((reason: unknown) => reason as { requestId?: string })
  assert.ok('requestId' in error && typeof error.requestId === 'string')
  assert.equal(error.requestId, ids.at(-1))

  const asked = ids.length
  const given = connected.with({ signal: AbortSignal.abort('no longer needed') })
  await assert.rejects(given.list(), (reason) => reason === 'no longer needed')
  const verdict = await given.verify('x')
  assert.ok(!verdict.ok && verdict.refusal.answer.status === 503 && verdict.cause === 'no longer needed')
  assert.equal(ids.length, asked)
  assert.equal((await connected.list()).cursor, null)
  assert.throws(() => connected.with({ signl: AbortSignal.abort() } as never), {
    code: 'invalid_input',
    message: /"signl" is none/,
  })
})
