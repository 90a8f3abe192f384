// A process of its own: Fastify with our guard, as the README begins, and keys in a SQLite file.

import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { fill, scopes, twoLimits } from '../fill.ts'
import { routes, serve } from './serve.ts'

const [file = '', wanted = ''] = process.argv.slice(2)
const count = Number(wanted)
const store = sqliteStore({ file })
const secrets = await fill(store, { count, keep: count })
const limited = await fill(store, { count, keep: count, limits: twoLimits })
const guard = fastifyGuard(await openKeyring({ store, scopes }))

const app = Fastify()
await app.register(guard.plugin)
app.post(routes.open, { onRequest: guard.open }, (_request, reply) => reply.send())
app.post(routes.guarded, { onRequest: guard.requires('orders:read') }, (_request, reply) => reply.send())
await app.ready()
await serve(app.server, { secrets, limited })
