/**
 * @module How a Fastify application ends its connections: when it closes, and when no handler reads a request's body.
 *   The form of errors is another matter, and neither needs the other.
 */

import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { drainOnClose } from './drain.ts'
import { continueWhenRead, partWithUnread } from './unread-body.ts'

/**
 * The options for Fastify's constructor that `connections` needs: while the application closes, Fastify serves the
 * requests that still arrive. Their callers could not know; Fastify would refuse them with 503.
 *
 * @example const app = Fastify({ ...problemOptions, ...connectionOptions })
 */
export const connectionOptions: Pick<FastifyServerOptions, 'return503OnClosing'> = { return503OnClosing: false }

/**
 * The plugin: how the application ends connections. When it closes, every request that has arrived gets its answer, and
 * the answer says that the connection ends. An answer that does not wait for the request's body ends the connection, so
 * a caller cannot make the application read a body; `Expect: 100-continue` is answered when a handler reads the body.
 *
 * It applies to the whole server: register it on the application itself, before the first route.
 *
 * @example await app.register(connections)
 */
export async function connections(app: FastifyInstance): Promise<void> {
  drainOnClose(app)
  app.addHook('onSend', partWithUnread)
  if (app.server.listenerCount('checkContinue') === 0) {
    app.server.on('checkContinue', (request, response) => {
      continueWhenRead(request, response)
      app.server.emit('request', request, response)
    })
  }
}

// Fastify would give the plugin a scope of its own; `skip-override` applies its hook to the application that registers it.
Object.assign(connections, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'connections' })
