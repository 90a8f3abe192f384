// A process of its own: applications without any plugin, and with those for problem documents and for connections.

import type { FastifyInstance } from 'fastify'
import Fastify from 'fastify'
import { connectionOptions, connections } from 'latchkey/connection/fastify'
import { problemOptions, problems } from 'latchkey/problem/fastify'
import { beMeasured } from './measured-server.ts'

const [withProblems, withBoth] = [Fastify(problemOptions), Fastify({ ...problemOptions, ...connectionOptions })]
await withProblems.register(problems)
await withBoth.register(problems)
await withBoth.register(connections)

const ports = {
  bare: await listening(Fastify()),
  again: await listening(Fastify()),
  withProblems: await listening(withProblems),
  withBoth: await listening(withBoth),
}
beMeasured({ port: ports.bare, ports, secrets: [] })

async function listening(app: FastifyInstance): Promise<number> {
  app.get('/', (_request, reply) => reply.send())
  await app.listen({ host: '127.0.0.1', port: 0 })
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  return address.port
}
