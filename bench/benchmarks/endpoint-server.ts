// A process of its own: an application with a guarded route, and Latchkey's server mounted in it.

import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problems } from 'latchkey/problem/fastify'
import { latchkeyServer, serverOptions } from 'latchkey-server'
import { sqliteStore } from 'latchkey/store/sqlite'
import { fill, scopes } from './fill.ts'
import type { Ready } from './measured-server.ts'
import { beMeasured } from './measured-server.ts'

/** The ready message of this server. */
export interface EndpointReady extends Ready {
  /** The admin key with which applications ask. */
  readonly admin: string
}

const [file = '', wanted = ''] = process.argv.slice(2)
const count = Number(wanted)
const store = sqliteStore({ file })
const secrets = await fill(store, { count, keep: count })
const keyring = await openKeyring({ store, scopes })
const { secret: admin } = await keyring.issue({
  name: 'Gateway',
  owner: 'operator',
  environment: 'admin',
  scopes: ['keys:verify'],
  delegation: { owner: null, environments: ['live'], scopes: [] },
})
const guard = fastifyGuard(keyring)

const app = Fastify({ ...serverOptions, ...connectionOptions })
await app.register(problems)
await app.register(connections)
await app.register(guard.plugin)
app.get('/keys', { onRequest: guard.requires('orders:read') }, (_request, reply) => reply.send())
await app.register(latchkeyServer, { prefix: '/latchkey', keyring })
await app.listen({ host: '127.0.0.1', port: 0 })

const address = app.server.address()
if (address === null || typeof address === 'string') throw new Error('The server has no port.')
const said: EndpointReady = { port: address.port, secrets, admin }
beMeasured(said)
