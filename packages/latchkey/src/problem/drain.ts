import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** Servers whose callers are being let go: a plugin that is registered twice in one application waits once. */
const watched = new WeakSet<object>()

/** How long a closing application waits, in milliseconds. */
interface Patience {
  /** For callers to go. */
  readonly forCallers?: number
  /** For requests to arrive that have begun. */
  readonly forRequests?: number
}

/**
 * Lets callers go before the application closes. Node ends a connection on which nothing is being asked, though a
 * request may be on its way, and whoever sent it hears nothing. So the application goes on answering, and says with each
 * answer that it is the last on its connection (RFC 9112 9.6), until none is left or nobody has asked for long.
 * A request that has arrived is answered, however long that takes; one that does not arrive is not waited for.
 *
 * @example drainOnClose(app)
 */
export function drainOnClose(app: FastifyInstance, { forCallers = 1000, forRequests = 10_000 }: Patience = {}): void {
  if (watched.has(app.server)) return
  watched.add(app.server)
  const connections = new Set<Socket>()
  const answers = new Set<ServerResponse>()
  const allGone = Promise.withResolvers<void>()
  let closing = false
  app.server.on('connection', (socket) => {
    connections.add(socket)
    socket.once('close', () => {
      connections.delete(socket)
      if (closing && connections.size === 0) allGone.resolve()
    })
  })
  app.server.on('request', (_request, answer: ServerResponse) => {
    answers.add(answer)
    answer.once('close', () => answers.delete(answer))
  })
  app.addHook('preClose', async () => {
    closing = true
    if (connections.size === 0) return
    // Node takes no time of requests any more once its server closes.
    setTimeout(endUnarrived, forRequests).unref()
    // Fastify says it with the answers to requests that come from now on.
    for (const answer of answers) answer.shouldKeepAlive = false
    const impatience = new AbortController()
    const tooLong = sleep(forCallers, undefined, { signal: impatience.signal }).catch(() => {})
    await Promise.race([allGone.promise, tooLong])
    impatience.abort()
    // For answers whose head was out already, and did not say it: their connections are idle for a moment, then closed.
    app.server.keepAliveTimeout = 1
  })

  function endUnarrived(): void {
    const arrived = new Set([...answers].filter(({ req }) => req.complete).map(({ req }) => req.socket))
    for (const socket of connections) if (!arrived.has(socket)) socket.destroy()
  }
}
