import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import { linger } from './last-answer.ts'

/**
 * An `onSend` hook: an answer that is ready before the request's body has arrived is the last on its connection (RFC
 * 9112 9.6). So a caller cannot make us read a body that no handler reads. A body that arrives in the packet of its
 * head does not cost the caller the connection.
 */
// oxlint-disable-next-line eslint/max-params -- the signature is Fastify's
export const partWithUnread: onSendHookHandler = (request, reply, payload, done) => {
  if (!isUnread(request)) {
    done(null, payload)
    return
  }
  // Node announces a request before it has read the rest of the packet.
  setImmediate(() => {
    if (isUnread(request)) partAfter(request, reply)
    done(null, payload)
  })
}

function isUnread({ raw }: FastifyRequest): boolean {
  // A connection of HTTP/2 carries other requests; an injected request has no connection.
  return raw.httpVersionMajor === 1 && !(raw.complete ?? true) && hasBody(raw)
}

/**
 * Whether a request has a body, according to its head. Reads the lines: Node makes `headers` of them when it is read for
 * the first time, which is the dearest part of a hook, and a request without a body may not need it.
 */
export function hasBody({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): boolean {
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true
    if (name.length === 14 && name.toLowerCase() === 'content-length' && rawHeaders[index + 1] !== '0') return true
  }
  return false
}

function partAfter({ raw }: FastifyRequest, reply: FastifyReply): void {
  reply.header('connection', 'close')
  // Node would destroy the connection as soon as the answer is written. The rest of the body would then cause a reset,
  // which can overtake the answer.
  raw.socket.destroySoon = () => {
    raw.socket.end()
    linger(raw.socket)
  }
}

/**
 * Answers `Expect: 100-continue` when a handler begins to read the body, and not before: a caller who is refused because
 * of the head gets the refusal first (RFC 9110 10.1.1). Node would write 100 before any hook runs.
 */
export function continueWhenRead(request: IncomingMessage, response: ServerResponse): void {
  const read = request._read.bind(request)
  request._read = (size) => {
    request._read = read
    if (!response.headersSent) response.writeContinue()
    read(size)
  }
}
