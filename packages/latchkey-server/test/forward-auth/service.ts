// A service behind a proxy, which keeps what it sees.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A request as the service has seen it. */
export interface Seen {
  readonly method: string
  readonly url: string
  /** The names as they came, and the values. */
  readonly lines: readonly (readonly [name: string, value: string])[]
}

/** A service that answers every request with what it has seen of it. */
export interface EchoService {
  readonly port: number
  /** All requests since the last call. */
  readonly taken: () => readonly Seen[]
  readonly close: () => Promise<void>
}

export async function echoService(): Promise<EchoService> {
  let seen: Seen[] = []
  const server = createServer({ maxHeaderSize: 65_536 }, (request, response) => {
    const { method = '', url = '', rawHeaders } = request
    const lines = rawHeaders.flatMap((name, index) =>
      index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
    )
    seen.push({ method, url, lines })
    request.resume()
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ service: true }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    taken() {
      const taken = seen
      seen = []
      return taken
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
