import { once } from 'node:events'
import type { IncomingMessage, RequestListener } from 'node:http'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Served, WireAnswer, WireRequest } from './guard.ts'

/** Serves an application on a socket of this machine. */
export async function onNode(listener: RequestListener): Promise<Pick<Served, 'send' | 'close'>> {
  const server = createServer(listener).listen(0, '127.0.0.1').unref()
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  // One connection for all requests: what is remembered of it must not make a difference.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return {
    async send({ method = 'GET', path, headers = [] }: WireRequest): Promise<WireAnswer> {
      const outgoing = request({
        host: '127.0.0.1',
        port,
        agent,
        method,
        path,
        headers: ['Host', 'test', ...headers.flat()],
      })
      const [incoming] = (await once(outgoing.end(), 'response')) as [IncomingMessage]
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: await text(incoming) }
    },
    async close() {
      agent.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A log that is kept as a text. */
export function textLog(): { text: () => string; info: Write; error: Write } {
  let log = ''
  const write: Write = (entry, message) => {
    log += JSON.stringify([entry, message], (_name, value) => (value instanceof Error ? value.message : value))
  }
  return { text: () => log, info: write, error: write }
}

type Write = (entry: object, message: string) => void
