// A process of its own: an application that notes how long the hook of each request takes.

import Fastify from 'fastify'
import { openKeyring } from 'latchkey'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import type { GuardHook } from 'latchkey/guard/fastify'
import { fastifyGuard } from 'latchkey/guard/fastify'
import { problemOptions, problems } from 'latchkey/problem/fastify'
import { sqliteStore } from 'latchkey/store/sqlite'
import { fill, scopes } from './fill.ts'
import { beMeasured } from './measured-server.ts'

const [file = ''] = process.argv.slice(2)
const store = sqliteStore({ file })
const secrets = await fill(store, { count: 32, keep: 32 })
const keyring = await openKeyring({ store, scopes })
const guard = fastifyGuard(keyring)

/** Microseconds. */
let times: number[] = []

const app = Fastify({ ...problemOptions, ...connectionOptions })
await app.register(problems)
await app.register(connections)
await app.register(guard.plugin)
app.get('/open', { onRequest: timed(guard.open) }, (_request, reply) => reply.send())
app.get('/twin', { onRequest: timed(guard.open) }, (_request, reply) => reply.send())
app.get('/keys', { onRequest: timed(guard.requires('orders:read')) }, (_request, reply) => reply.send())
await app.listen({ host: '127.0.0.1', port: 0 })

const address = app.server.address()
if (address === null || typeof address === 'string') throw new Error('The server has no port.')
beMeasured(
  { port: address.port, secrets },
  {
    noted() {
      const noted = times
      times = []
      return noted
    },
  },
)

/** The same hook, with the same declaration. */
function timed(hook: GuardHook): GuardHook {
  const timing: GuardHook = (request, reply, done) => {
    const began = performance.now()
    hook(request, reply, (error) => {
      times.push((performance.now() - began) * 1000)
      done(error)
    })
  }
  return Object.assign(timing, hook)
}
