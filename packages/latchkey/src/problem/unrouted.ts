import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { answerLast, keepAnswering } from '../connection/last-answer.ts'
import type { ProblemOptions } from './problem.ts'
import { problemDocument, problemMediaType } from './problem.ts'
import { requestIdHeader } from './request-id.ts'
import { securityHeaders } from './security.ts'

/** An answer to a request that never reached a route, so that no hook has seen it. */
export interface Unrouted {
  readonly status: number
  /** `undefined` if the request could not be read that far. */
  readonly method: string | undefined
}

/** The same, with what only the log shows. */
interface UnroutedEntry extends Unrouted {
  readonly id: string
  readonly address: string | undefined
}

/** The application that gave an answer: its server and its log. */
interface Answering {
  readonly server: object
  readonly log: Pick<FastifyBaseLogger, 'info'>
}

const listeners = new WeakMap<object, Set<(answer: Unrouted) => void>>()

/**
 * Calls a function for each answer that is given before any route is asked (400, 408, 417, 431): to what is not HTTP, takes
 * too long, has too large headers, expects what cannot be met, or cannot be decoded. It is for counting: the log has them
 * already.
 *
 * @example
 * const counts = new Map<number, number>()
 * onUnrouted(app, ({ status }) => counts.set(status, (counts.get(status) ?? 0) + 1))
 */
export function onUnrouted({ server }: Pick<FastifyInstance, 'server'>, listener: (answer: Unrouted) => void): void {
  const ofServer = listeners.get(server) ?? new Set()
  listeners.set(server, ofServer.add(listener))
}

/** Logs such an answer, and calls the functions that `onUnrouted` was given. */
export function noteUnrouted({ server, log }: Answering, { status, method, id, address }: UnroutedEntry): void {
  log.info({ reqId: id, method, remoteAddress: address, status, outcome: 'rejected' }, 'answered before any route')
  for (const listener of listeners.get(server) ?? []) listener({ status, method })
}

/** Answers a request that Node's parser could not read; it has no route, no request and no reply. */
export function answerBrokenRequest(app: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
  else answerOnSocket(app, socket, { ...brokenRequest(error.code), method: undefined })
}

/**
 * Answers CONNECT with 405; Node would close the connection without an answer. `Allow` is empty: the target is a host and
 * not a path (RFC 9110 9.3.6), and no host is reached through this server.
 */
export function answerConnect(app: FastifyInstance, socket: Socket): void {
  keepAnswering(socket)
  const detail = 'This server is no proxy: it takes no CONNECT.'
  answerOnSocket(app, socket, { status: 405, code: 'method_not_allowed', detail, method: 'CONNECT', allow: '' })
}

/** Writes a problem as the last answer on a connection that has only its socket left. */
function answerOnSocket(
  app: FastifyInstance,
  socket: Socket,
  { method, allow, ...options }: ProblemOptions & { readonly method: string | undefined; readonly allow?: string },
): void {
  answerLast(socket, () => {
    const { id, status, title, headers, body } = lastAnswer(options)
    const all = Object.entries(allow === undefined ? headers : { ...headers, allow })
    const lines = all.map(([name, value]) => `${name}: ${value}\r\n`)
    noteUnrouted(app, { status, method, id, address: socket.remoteAddress })
    return `HTTP/1.1 ${status} ${title}\r\ndate: ${new Date().toUTCString()}\r\n${lines.join('')}\r\n${body}`
  })
}

/** Answers an unknown expectation with 417 (RFC 9110 10.1.1); Node's own answer would have no body. */
export function answerUnmetExpectation(app: FastifyInstance, request: IncomingMessage, response: ServerResponse): void {
  const detail = 'No expectation but 100-continue can be met.'
  const { id, status, headers, body } = lastAnswer({ status: 417, code: 'expectation_failed', detail })
  response.writeHead(status, headers)
  response.end(body)
  noteUnrouted(app, { status, method: request.method, id, address: request.socket.remoteAddress })
}

/** The problem of a request that could not be read, by Node's code for it. */
export function brokenRequest(code: string | undefined): ProblemOptions {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, code: 'timeout', detail: 'The request took too long.' }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, code: 'headers_too_large', detail: 'The headers are too large.' }
  }
  return { status: 400, code: 'bad_request', detail: 'This is not a well-formed HTTP/1.1 request.' }
}

/** A problem as a whole answer, after which the connection ends. */
function lastAnswer(options: ProblemOptions): {
  readonly id: string
  readonly status: number
  readonly title: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
} {
  const id = randomUUID()
  const document = problemDocument(options, id)
  const body = JSON.stringify(document)
  const headers = {
    ...securityHeaders,
    'content-type': problemMediaType,
    'content-length': String(Buffer.byteLength(body)),
    [requestIdHeader]: id,
    connection: 'close',
  }
  return { id, status: document.status, title: document.title, headers, body }
}
