// Code of a user of the published package; compiled against its types, and run on the oldest and the newest supported
// Node.
import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { openKeyring, parse } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problemOptions, problems } from 'latchkey/problem/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { testKeyring } from 'latchkey/testing'
import { firstAdminKey, latchkeyServer, serverOptions } from 'latchkey-server'

const threads: unknown[] = []
process.on('worker', (thread) => threads.push(thread))

const scopes = { 'orders:read': 'Read orders' }
const keyring = await openKeyring({ store: sqliteStore({ file: 'keys.db' }), scopes })
const { secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:*'] })
assert.ok(typeof parse(secret) === 'object')

const { plugin, requires, keyOf } = fastifyGuard(keyring)
// @ts-expect-error -- a misspelt scope does not compile, from the published types either
assert.throws(() => requires('orders:raed'))

const app = Fastify({ ...problemOptions, ...connectionOptions })
await app.register(problems)
await app.register(connections)
await app.register(plugin)
app.get('/orders', { onRequest: requires('orders:read') }, (request) => ({ owner: keyOf(request).owner }))

const accepted = await app.inject({ url: '/orders', headers: { 'x-api-key': secret } })
assert.deepEqual([accepted.statusCode, accepted.json()], [200, { owner: 'acme' }])
assert.equal((await app.inject('/orders')).statusCode, 401)
assert.equal((await app.inject({ method: 'PUT', url: '/orders' })).statusCode, 405)

const mounted = Fastify(serverOptions)
await mounted.register(latchkeyServer, { prefix: '/latchkey', keyring })
const listed = await mounted.inject({
  url: '/latchkey/v1/keys',
  headers: { 'x-api-key': (await firstAdminKey(keyring)) ?? '' },
})
assert.equal(listed.json().keys.length, 2)
assert.equal(threads.length, 1, 'the program of the thread that reads is published')
assert.equal((await mounted.inject('/latchkey/docs')).statusCode, 200)
await mounted.close()
await keyring.close()

const { headersFor } = await testKeyring({ scopes })
assert.ok('X-API-Key' in (await headersFor(['orders:read'])))
console.log(`the packed packages work on Node ${process.version}`)
