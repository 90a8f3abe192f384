import { once } from 'node:events'
import type { Server } from 'node:http'
import { beMeasured } from '../measured-server.ts'

/** The routes of every peer, of one length: the first takes no key, the second a valid one only. Both do no work. */
export const routes = { open: '/welcome', guarded: '/process' } as const

/** The answer to a caller without a valid key; the benchmark never sees it. */
export const refusal = 'Invalid or missing API Key'

/**
 * The end of every peer that is a Node server: listens and is measured.
 *
 * @param server - one that does not listen yet.
 */
export async function serve(server: Server, secrets: Readonly<Record<string, readonly string[]>>): Promise<void> {
  // As Fastify has it: callers whose turn it is not keep their connections.
  server.keepAliveTimeout = 72_000
  server.listen({ host: '127.0.0.1', port: 0 })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  beMeasured({ port: address.port, secrets: [], ...secrets })
}
