import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { answerUnderWay } from './last-answer.ts'

/** Servers that drain already: a plugin that is registered twice in one application waits only once. */
const watched = new WeakSet<object>()

/** How long a closing application waits, in milliseconds. */
interface Patience {
  /** For callers to close their connections. */
  readonly forCallers?: number
  /** For requests that have begun to arrive. */
  readonly forRequests?: number
}

/**
 * Lets callers go before the application closes. Node would end every idle connection at once; if a request is on its
 * way there, its caller gets no answer. So the application goes on answering, and says in each answer that it is the
 * last on its connection (RFC 9112 9.6), until no connection is left or no request has come for a second. A request
 * that has arrived gets its answer, however long that takes. A request that does not arrive is cut off after ten
 * seconds.
 *
 * @example drainOnClose(app)
 */
export function drainOnClose(app: FastifyInstance, { forCallers = 1000, forRequests = 10_000 }: Patience = {}): void {
  if (watched.has(app.server)) return
  watched.add(app.server)
  const connections = new Set<Socket>()
  const allGone = Promise.withResolvers<void>()
  let closing = false
  app.server.on('connection', watch)
  // The requests of TLS come on a socket of their own, and no more on the one that it is made of.
  app.server.on('secureConnection', (socket: Socket & { readonly _parent?: Socket }) => {
    if (socket._parent !== undefined) connections.delete(socket._parent)
    watch(socket)
  })
  app.addHook('preClose', async () => {
    closing = true
    if (connections.size === 0) return
    // Once its server closes, Node does not limit the time of requests any more.
    setTimeout(endUnarrived, forRequests).unref()
    // Fastify itself says it in the answers to requests that come from now on.
    for (const socket of connections) {
      const answer = answerUnderWay(socket)
      if (answer !== undefined) answer.shouldKeepAlive = false
    }
    const impatience = new AbortController()
    const tooLong = sleep(forCallers, undefined, { signal: impatience.signal }).catch(() => {})
    await Promise.race([allGone.promise, tooLong])
    impatience.abort()
    // An answer whose head was sent before could not say it: its connection is idle for a moment, and then closed.
    app.server.keepAliveTimeout = 1
  })

  function watch(socket: Socket): void {
    connections.add(socket)
    socket.once('close', () => {
      connections.delete(socket)
      if (closing && connections.size === 0) allGone.resolve()
    })
  }

  function endUnarrived(): void {
    for (const socket of connections) if (answerUnderWay(socket)?.req.complete !== true) socket.destroy()
  }
}
