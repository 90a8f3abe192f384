import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** Servers whose callers are being let go: a plugin that is registered twice in one application waits once. */
const watched = new WeakSet<object>()

/** How long a closing application waits for callers to go, in milliseconds. */
const longest = 1000

/**
 * Lets callers go before the application closes. Node ends a connection on which nothing is being asked, though a
 * request may be on its way, and whoever sent it hears nothing. So the application goes on answering, and says with each
 * answer that it is the last on its connection (RFC 9112 9.6), until none is left or nobody has asked for long.
 *
 * @example sayFarewell(app)
 */
export function sayFarewell(app: FastifyInstance): void {
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
    // Fastify says it with the answers to requests that come from now on.
    for (const answer of answers) answer.shouldKeepAlive = false
    const impatience = new AbortController()
    const tooLong = sleep(longest, undefined, { signal: impatience.signal }).catch(() => {})
    await Promise.race([allGone.promise, tooLong])
    impatience.abort()
    // For answers whose head was out already, and did not say it: their connections are idle for a moment, then closed.
    app.server.keepAliveTimeout = 1
  })
}
