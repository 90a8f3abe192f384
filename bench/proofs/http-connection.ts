import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import type { HttpAnswer } from './http-answers.ts'
import { readAnswers } from './http-answers.ts'

/** The outcome of a request: its complete answer, or the bytes that came before the connection ended. */
export type Exchange =
  | { readonly intact: true; readonly answer: HttpAnswer }
  | { readonly intact: false; readonly received: string }

/** A connection that stays open, with one request at a time. */
export interface Connection {
  readonly isOpen: () => boolean
  /** Sends a request and resolves when its answer is there to the last byte, or never will be. */
  readonly ask: (request: Buffer) => Promise<Exchange>
  readonly end: () => void
}

/**
 * Keeps idle connections open for any time: a machine may stand still for minutes, and a server that then closes idle
 * connections is no finding of a proof.
 */
export function keepConnections(server: Server): void {
  server.keepAliveTimeout = 0
  server.headersTimeout = 0
}

/**
 * Opens a connection to a server on this machine.
 *
 * @throws Error if no server listens, or the connection is not accepted.
 *
 * @example
 * const connection = await openConnection(8000)
 * const exchange = await connection.ask(Buffer.from('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'))
 */
export async function openConnection(port: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let open = true
  let received = ''
  let pending: ((exchange: Exchange) => void) | undefined

  const settle = (exchange: Exchange): void => {
    const resolve = pending
    pending = undefined
    received = ''
    resolve?.(exchange)
  }
  const over = (): void => {
    open = false
    settle({ intact: false, received })
  }
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
    const answer = wholeAnswer(received)
    if (answer === undefined) return
    // RFC 9112 9.6: after this the server answers nothing more, so nothing more is sent.
    if (answer.headers.get('connection')?.toLowerCase() === 'close') {
      open = false
      socket.end()
    }
    settle({ intact: true, answer })
  })
  // A reset is one way to end a connection; `close` follows.
  socket.on('error', () => {})
  socket.on('end', over)
  socket.on('close', over)

  return {
    isOpen: () => open,
    ask(request) {
      const { promise, resolve } = Promise.withResolvers<Exchange>()
      pending = resolve
      if (open) socket.write(request)
      else over()
      return promise
    },
    end: () => void socket.destroy(),
  }
}

const length = /^content-length: *(\d+)$/im

/** The answer, once it is whole. */
function wholeAnswer(received: string): HttpAnswer | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const declared = length.exec(received.slice(0, end))?.[1]
  if (declared !== undefined && received.length < end + 4 + Number(declared)) return undefined
  try {
    return readAnswers(received, { head: false })[0]
  } catch (error) {
    // In chunks, the last of which is not here yet.
    if (declared === undefined) return undefined
    throw error
  }
}
