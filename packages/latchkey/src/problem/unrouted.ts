import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { ProblemOptions } from './problem.ts'
import { problemDocument, problemMediaType } from './problem.ts'
import { securityHeaders } from './security.ts'
import { linger } from './unread-body.ts'

/** Carries the id of a request in its answer: the one in the log, and in the `instance` of a problem. */
export const requestIdHeader = 'x-request-id'

/** An answer that was given before any route was asked, so that no hook has seen it. */
export interface Unrouted {
  readonly status: number
  /** `undefined` if the request could not be read that far. */
  readonly method: string | undefined
}

interface Told extends Unrouted {
  readonly id: string
  readonly address: string | undefined
}

/** Where an answer was given: what listens, and where it is logged. */
interface Place {
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
export function onUnrouted({ server }: Pick<FastifyInstance, 'server'>, hear: (answer: Unrouted) => void): void {
  const heard = listeners.get(server) ?? new Set()
  listeners.set(server, heard.add(hear))
}

/** Logs such an answer, and tells whoever counts them. */
export function noteUnrouted({ server, log }: Place, { status, method, id, address }: Told): void {
  log.info({ reqId: id, method, remoteAddress: address, status, outcome: 'rejected' }, 'answered before any route')
  for (const hear of listeners.get(server) ?? []) hear({ status, method })
}

/** Answers what Node's parser could not read as a request; there is no route, no request and no reply yet. */
export function answerBrokenRequest(app: FastifyInstance, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  afterAnswers(socket, () => {
    // As Node's own answer does: what broke is the rest of a request that has its answer already.
    if (answerUnderWay(socket)?.headersSent === true) {
      socket.end()
      linger(socket)
      return
    }
    answerAndEnd(app, socket, { ...brokenRequest(error.code), method: undefined })
  })
}

/**
 * Node would close the connection without a word. There is no path to be asked for another method: the target of CONNECT
 * is a host (RFC 9110 9.3.6), and no host is reached through here.
 */
export function answerConnect(app: FastifyInstance, socket: Socket): void {
  // Node has let go of the socket; without a listener a reset would end the process.
  socket.on('error', () => socket.destroy())
  // It hands on no more that there is room again, either, which an answer under way may wait for.
  socket.on('drain', () => answerUnderWay(socket)?.emit('drain'))
  const detail = 'This server is no proxy: it takes no CONNECT.'
  afterAnswers(socket, () => {
    answerAndEnd(app, socket, { status: 405, code: 'method_not_allowed', detail, method: 'CONNECT', allow: '' })
  })
}

/** The answer that a connection is waiting for, or is being sent on it. */
function answerUnderWay(socket: Socket): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}

/** Connections whose last answer waits for those before it. */
const ending = new WeakSet<Socket>()

/**
 * Acts once all requests have their answers that came whole on a connection before what is answered here: it would be
 * taken for the answer to one of them, and a change that was made would look as if it was refused.
 */
function afterAnswers(socket: Socket, act: () => void): void {
  // Node tells of what is broken once more with every piece of it, and every second of one that is late.
  if (ending.has(socket)) return
  ending.add(socket)
  const next = (): void => {
    const before = answerUnderWay(socket)
    if (before?.req.complete === true) before.once('finish', next)
    else if (socket.writable) act()
  }
  next()
}

/** Writes a problem as the last answer on a connection, of which only the socket is left. */
function answerAndEnd(
  app: FastifyInstance,
  socket: Socket,
  { method, allow, ...options }: ProblemOptions & { readonly method: string | undefined; readonly allow?: string },
): void {
  const { id, status, title, headers, body } = lastAnswer(options)
  const all = Object.entries(allow === undefined ? headers : { ...headers, allow })
  const lines = all.map(([name, value]) => `${name}: ${value}\r\n`)
  const address = socket.remoteAddress
  socket.end(`HTTP/1.1 ${status} ${title}\r\ndate: ${new Date().toUTCString()}\r\n${lines.join('')}\r\n${body}`)
  linger(socket)
  noteUnrouted(app, { status, method, id, address })
}

/** Node would answer 417 itself, without a body (RFC 9110 10.1.1). */
export function answerUnmetExpectation(app: FastifyInstance, request: IncomingMessage, response: ServerResponse): void {
  const detail = 'No expectation but 100-continue can be met.'
  const { id, status, headers, body } = lastAnswer({ status: 417, code: 'expectation_failed', detail })
  response.writeHead(status, headers)
  response.end(body)
  noteUnrouted(app, { status, method: request.method, id, address: request.socket.remoteAddress })
}

/** What is wrong with a request that could not be read, by the code that Node gives it. */
export function brokenRequest(code: string | undefined): ProblemOptions {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { status: 408, code: 'timeout', detail: 'The request took too long.' }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return { status: 431, code: 'headers_too_large', detail: 'The headers are too large.' }
  }
  return { status: 400, code: 'bad_request', detail: 'This is not a well-formed HTTP/1.1 request.' }
}

/** A problem as the whole of an answer, after which the connection ends. */
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
