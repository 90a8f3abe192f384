// A process of its own: Fastify with @fastify/bearer-auth, which compares with one key.

import bearerAuth from '@fastify/bearer-auth'
import Fastify from 'fastify'
import { routes, serve } from './serve.ts'

const [secret = ''] = process.argv.slice(2)
const app = Fastify()
app.post(routes.open, (_request, reply) => reply.send())
await app.register(async (guarded) => {
  await guarded.register(bearerAuth, { keys: new Set([secret]) })
  guarded.post(routes.guarded, (_request, reply) => reply.send())
})
await app.ready()
await serve(app.server, { secrets: [secret] })
