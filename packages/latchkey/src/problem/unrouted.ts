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
  /** `undefined` where what came could not be read that far. */
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
 * Hears of the answers that are given before any route is asked: to what is not HTTP, takes too long, has too large
 * headers, expects what nobody does, or cannot be decoded. For counting; they are in the log already.
 *
 * @example onUnrouted(app, ({ status }) => rejected.inc({ status }))
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
  // As Node's own answer does: what broke may be the rest of a request that has its answer already.
  if ((socket as { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent === true) {
    socket.end()
    linger(socket)
    return
  }
  const { id, status, title, headers, body } = lastAnswer(brokenRequest(error.code))
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const address = socket.remoteAddress
  socket.end(`HTTP/1.1 ${status} ${title}\r\ndate: ${new Date().toUTCString()}\r\n${lines.join('')}\r\n${body}`)
  linger(socket)
  noteUnrouted(app, { status, method: undefined, id, address })
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
