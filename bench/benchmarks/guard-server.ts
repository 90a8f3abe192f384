// A process of its own: the application whose CPU time is measured.

import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problemOptions, problems } from 'latchkey/problem/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { fill, scopes, twoLimits } from './fill.ts'
import type { Ready } from './measured-server.ts'
import { beMeasured } from './measured-server.ts'

/** The ready message of this server. */
export interface GuardReady extends Ready {
  /** Of keys with two limits. */
  readonly limited: readonly string[]
}

const [file = '', wanted = ''] = process.argv.slice(2)
const count = Number(wanted)
const store = sqliteStore({ file })
const secrets = await fill(store, { count, keep: count })
const limited = await fill(store, { count, keep: count, limits: twoLimits })
const keyring = await openKeyring({ store, scopes })
const guard = fastifyGuard(keyring)

const app = Fastify({ ...problemOptions, ...connectionOptions })
await app.register(problems)
await app.register(connections)
await app.register(guard.plugin)
// Paths of one length, so that requests are equally long.
app.get('/open', { onRequest: guard.open }, (_request, reply) => reply.send())
app.get('/twin', { onRequest: guard.open }, (_request, reply) => reply.send())
app.get('/keys', { onRequest: guard.requires('orders:read') }, (_request, reply) => reply.send())
await app.listen({ host: '127.0.0.1', port: 0 })

const address = app.server.address()
if (address === null || typeof address === 'string') throw new Error('The server has no port.')
const said: GuardReady = { port: address.port, secrets, limited }
beMeasured(said)
