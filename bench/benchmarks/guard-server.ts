// A process of its own: the application whose CPU time is measured. Tells where it is and which keys it takes, then
// answers every message with its CPU time so far.

import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problemOptions, problems } from 'latchkey/problem/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { fill, scopes } from './fill.ts'

/** What the server says when it is ready. */
export interface Ready {
  readonly port: number
  readonly secrets: readonly string[]
}

const [file = '', count = ''] = process.argv.slice(2)
const store = sqliteStore({ file })
const secrets = await fill(store, { count: Number(count), keep: Number(count) })
const keyring = await openKeyring({ store, scopes })
const guard = fastifyGuard(keyring)

const app = Fastify(problemOptions)
await app.register(problems)
await app.register(guard.plugin)
// Paths of one length, so that requests are equally long.
app.get('/open', { onRequest: guard.open }, (_request, reply) => reply.send())
app.get('/twin', { onRequest: guard.open }, (_request, reply) => reply.send())
app.get('/keys', { onRequest: guard.requires('orders:read') }, (_request, reply) => reply.send())
await app.listen({ host: '127.0.0.1', port: 0 })

const address = app.server.address()
if (address === null || typeof address === 'string') throw new Error('The server has no port.')
process.send?.({ port: address.port, secrets } satisfies Ready)

process.on('message', () => {
  // Microseconds, of all threads: what is collected and compiled in the background counts too.
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
// Whoever measures is gone.
process.on('disconnect', () => process.exit())
