import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { connectionOptions, connections } from '../../src/connection/fastify.ts'
import { problemOptions, problems } from '../../src/problem/fastify.ts'

/** How many listeners the server of an application has for the events with which a connection's end begins. */
function listeners({ server }: FastifyInstance): readonly number[] {
  return ['connection', 'secureConnection', 'checkContinue'].map((event) => server.listenerCount(event))
}

test('an application that registers problems alone ends its connections as it would without them', async () => {
  const [bare, app] = [Fastify(), Fastify(problemOptions)]
  await app.register(problems)
  assert.deepEqual(listeners(app), listeners(bare))
  for (const option of Object.keys(connectionOptions)) assert.ok(!(option in problemOptions), option)
})

test('connections watches the server once, however often it is registered', async () => {
  const [bare, app] = [Fastify(), Fastify(connectionOptions)]
  await app.register(connections)
  await app.register(async (scope) => {
    await scope.register(connections)
  })
  await app.ready()
  assert.deepEqual(
    listeners(app),
    listeners(bare).map((count) => count + 1),
  )
})
