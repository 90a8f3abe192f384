// Requests as bytes: clients of HTTP would not send most of these.

import { once } from 'node:events'
import { connect } from 'node:net'

/** An answer as it came over the wire. */
export interface RawAnswer {
  readonly status: number
  /** The values of all lines, by their names in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
}

/** A request by its lines. */
export interface RawRequest {
  readonly line?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string
}

/** Sends one request on a connection of its own, and reads until the other side ends it or the answer is whole. */
export async function sendRaw(
  port: number,
  { line = 'GET /orders HTTP/1.1', headers = [], body = '' }: RawRequest,
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`${line}\r\nHost: service.example\r\n${lines.join('')}\r\n${body}`)
  let text = ''
  socket.setEncoding('latin1')
  // Whatever is missing then is told by what it is compared with.
  const patience = setTimeout(() => socket.destroy(), 10_000)
  for await (const chunk of socket) {
    text += chunk
    if (isWhole(text, line)) break
  }
  clearTimeout(patience)
  socket.destroy()
  return parsed(text)
}

function isWhole(text: string, line: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  if (line.startsWith('HEAD ')) return true
  const head = text.slice(0, end)
  const length = /^content-length: *(\d+)\r?$/im.exec(head)?.[1]
  if (length !== undefined) return text.length >= end + 4 + Number(length)
  return /^transfer-encoding: *chunked\r?$/im.test(head) ? text.endsWith('0\r\n\r\n') : / 204 /.test(head.slice(0, 14))
}

function parsed(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers: Record<string, string[]> = {}
  for (const one of lines) {
    const [name = '', ...value] = one.split(':')
    ;(headers[name.toLowerCase()] ??= []).push(value.join(':').trim())
  }
  const body = rest.join('\r\n\r\n')
  const isChunked = headers['transfer-encoding']?.[0] === 'chunked'
  return { status: Number(first.split(' ')[1]), headers, body: isChunked ? joined(body) : body }
}

/** The content of chunks. */
function joined(chunks: string): string {
  let [rest, whole] = [chunks, '']
  for (;;) {
    const [, digits = '0'] = /^([0-9a-f]+)/i.exec(rest) ?? []
    const length = Number.parseInt(digits, 16)
    if (length === 0) return whole
    const start = rest.indexOf('\r\n') + 2
    whole += rest.slice(start, start + length)
    rest = rest.slice(start + length + 2)
  }
}
