import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'

/** How long a caller who is still sending may read the answer before the connection is cut, in milliseconds. */
const grace = 2000

/**
 * An `onSend` hook: an answer that is there before the request's body is the last on its connection (RFC 9112 9.6), so
 * that nobody makes us read what nobody wants. A body that came along with its head is not waited for, and costs nothing.
 */
export const partWithUnread: onSendHookHandler = (request, reply, payload, done) => {
  if (!isUnread(request)) {
    done(null, payload)
    return
  }
  // Node tells of a request before it has looked at what came in the same packet.
  setImmediate(() => {
    if (isUnread(request)) partAfter(request, reply)
    done(null, payload)
  })
}

function isUnread({ raw }: FastifyRequest): boolean {
  // In HTTP/2 a connection has other requests; an injected request has no connection at all.
  return raw.httpVersionMajor === 1 && !(raw.complete ?? true) && hasBody(raw)
}

/** Whether a request has a body, by its head. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

function partAfter({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.header('connection', 'close')
  // Node would destroy the connection as soon as the answer is written. What the caller is still sending would then be
  // met with a reset, which can overtake the answer.
  raw.socket.destroySoon = () => {
    raw.socket.end()
    linger(raw.socket)
  }
}

/**
 * Takes no more requests from a connection whose last answer is on its way, reads past what still comes, and cuts it
 * after a grace in which the caller can read the answer.
 */
export function linger(socket: Socket): void {
  socket.removeAllListeners('data')
  socket.on('data', () => {})
  socket.resume()
  const cut = setTimeout(() => socket.destroy(), grace).unref()
  socket.once('close', () => clearTimeout(cut))
}

/**
 * Answers `Expect: 100-continue` when somebody begins to read the body, and not before: whoever is refused by its head
 * gets the refusal as the first word (RFC 9110 10.1.1). Node would write 100 before it asks anybody.
 */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read.bind(request)
  request._read = (size) => {
    request._read = read
    if (!response.headersSent) response.writeContinue()
    read(size)
  }
}
