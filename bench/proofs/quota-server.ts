// Started by quota.ts: an application with one guarded route, on a database that it may share with others. Its handler
// counts its work for each key, and reports the counts on request.

import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problemOptions, problems } from 'latchkey/problem/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { keepConnections } from './http-connection.ts'

/** The scopes of the keyring. */
export const scopes = { 'orders:read': 'Read orders' }

if (import.meta.main) {
  const [file = ''] = process.argv.slice(2)
  await main(file)
}

async function main(file: string): Promise<void> {
  const keyring = await openKeyring({ store: sqliteStore({ file }), scopes })
  const guard = fastifyGuard(keyring)
  const effects = new Map<string, number>()

  const app = Fastify({ ...problemOptions, ...connectionOptions })
  keepConnections(app.server)
  await app.register(problems)
  await app.register(connections)
  await app.register(guard.plugin)
  app.get('/orders', { onRequest: guard.requires('orders:read') }, (request) => {
    const { id } = guard.keyOf(request)
    const effect = (effects.get(id) ?? 0) + 1
    effects.set(id, effect)
    return { effect }
  })
  app.get<{ Params: { id: string } }>('/effects/:id', { onRequest: guard.open }, ({ params }) => ({
    effects: effects.get(params.id) ?? 0,
  }))
  app.addHook('onClose', () => keyring.close())
  process.once('SIGTERM', () => void app.close())
  console.log(await app.listen({ host: '127.0.0.1', port: 0 }))
}
