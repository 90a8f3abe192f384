import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { testKeyring } from 'latchkey/testing'
import { scopes } from '../src/keys.ts'
import { buildServer } from '../src/server.ts'

test('an answer that does not fit what is documented is not sent', async () => {
  const { keyring } = await testKeyring({ scopes })
  const guard = fastifyGuard(keyring)
  const app = await buildServer({ title: 'API', keyring, guard, logger: false })
  const schema = { response: { 200: { type: 'object', properties: { id: { type: 'string', format: 'uuid' } } } } }
  app.get('/wrong', { onRequest: guard.open, schema }, () => ({ id: 'no UUID' }))
  const answer = await app.inject('/wrong')
  assert.deepEqual([answer.statusCode, answer.json().code], [500, 'internal'])
  assert.ok(!answer.body.includes('no UUID'))
})
