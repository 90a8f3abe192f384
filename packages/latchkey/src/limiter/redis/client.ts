import type { IoRedis, NodeRedis } from '../../ports.ts'

/** A connection to Redis, which answers commands in their order and does not mend itself. */
export interface Connection {
  /** Connects; rejects if that fails. */
  readonly open: () => Promise<unknown>
  readonly send: (args: readonly [string, ...string[]]) => Promise<unknown>
  /** Gives up what is unanswered. */
  readonly close: () => void
}

/**
 * A new connection like that of a client, which itself is never used. It queues nothing while it is not connected and does
 * not connect again: the limiter decides when.
 *
 * @param ended - called when the connection is lost, perhaps more than once.
 */
export function connectionLike(client: NodeRedis | IoRedis, ended: (error: unknown) => void): Connection {
  const made = 'call' in client ? likeIoRedis(client) : likeNodeRedis(client)
  made.on('error', ended)
  made.on('end', ended)
  return made
}

function likeNodeRedis(client: NodeRedis): Connection & Pick<NodeRedis, 'on'> {
  const { socket } = (client.options ?? {}) as { readonly socket?: object }
  const own = client.duplicate({ disableOfflineQueue: true, socket: { ...socket, reconnectStrategy: false } })
  return {
    open: () => own.connect(),
    send: (args) => own.sendCommand([...args]),
    close() {
      try {
        own.destroy()
      } catch {
        // It has ended by itself.
      }
    },
    on: (event, listener) => own.on(event, listener),
  }
}

function likeIoRedis(client: IoRedis): Connection & Pick<IoRedis, 'on'> {
  const own = client.duplicate({
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: null,
    reconnectOnError: null,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  })
  return {
    open: () => own.connect(),
    send: ([command, ...args]) => own.call(command, args),
    close: () => own.disconnect(),
    on: (event, listener) => own.on(event, listener),
  }
}

/**
 * The word with which an error that Redis has answered begins, such as `NOSCRIPT`; `undefined` for an error of the
 * connection.
 */
export function replyCode(error: unknown): string | undefined {
  return error instanceof Error ? /^([A-Z]{2,}) /.exec(error.message)?.[1] : undefined
}

/** Why a connection has failed, without a text of others: that may have a password. */
export function reasonOf(error: unknown): string {
  const answered = replyCode(error)
  if (answered !== undefined) return `Redis has answered ${answered}.`
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'string' && /^E[A-Z_]+$/.test(code)
    ? `The connection has failed: ${code}.`
    : 'The connection has ended.'
}
