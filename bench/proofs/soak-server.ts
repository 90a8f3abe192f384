// Started by soak.ts: an application with one guarded route and the admin API, on a database that is full of keys. Says
// once a second how much memory it takes, and how long something held its event loop.

import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problems } from 'latchkey/problem/fastify'
import { firstAdminKey, latchkeyServer, serverOptions } from 'latchkey-server'
import { sqliteStore } from 'latchkey/store/sqlite'
import { scopes } from '../benchmarks/fill.ts'
import type { Gaps } from './loop-watch.ts'
import { watchLoop } from './loop-watch.ts'

/** The first line of the server. */
export interface Ready {
  readonly port: number
  /** An admin key that may do everything that callers do. */
  readonly admin: string
}

/** Every later line: what the second before was like. */
export interface Second extends Gaps {
  /** Resident memory in bytes. */
  readonly resident: number
}

if (import.meta.main) await main(process.argv[2] ?? '')

async function main(file: string): Promise<void> {
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  const admin = (await firstAdminKey(keyring)) ?? ''
  const guard = fastifyGuard(keyring)

  const app = Fastify({ ...serverOptions, ...connectionOptions })
  await app.register(problems)
  await app.register(connections)
  await app.register(guard.plugin)
  app.get('/orders', { onRequest: guard.requires('orders:read') }, (_request, reply) => reply.send())
  await app.register(latchkeyServer, { prefix: '/latchkey', keyring })
  app.addHook('onClose', () => keyring.close())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')

  console.log(JSON.stringify({ port: address.port, admin } satisfies Ready))
  const watch = watchLoop()
  const telling = setInterval(() => {
    const second: Second = { resident: process.memoryUsage.rss(), ...watch.take() }
    console.log(JSON.stringify(second))
  }, 1000)
  process.once('SIGTERM', () => {
    clearInterval(telling)
    watch.end()
    void app.close()
  })
}
