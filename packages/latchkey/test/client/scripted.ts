import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { TestContext } from 'node:test'

/** What a scripted server does with a request: it answers with these bytes, or something worse. */
export type Step = { readonly bytes: string; readonly after: 'keep' | 'end' | 'reset' } | 'reset' | 'nothing'

/** An answer of HTTP/1.1 as bytes. */
export function answer(status: number, body: unknown, fields: Readonly<Record<string, string>> = {}): Step {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const lines = Object.entries({ 'content-length': String(Buffer.byteLength(text)), ...fields })
  const head = [`HTTP/1.1 ${status} X`, ...lines.map(([name, value]) => `${name}: ${value}`)].join('\r\n')
  return { bytes: `${head}\r\n\r\n${text}`, after: 'keep' }
}

/** A problem document with a code. */
export function problem(status: number, code: string, fields: Readonly<Record<string, string>> = {}): Step {
  return answer(status, { type: 'about:blank', status, code, detail: `Detail of ${code}.` }, fields)
}

/** A server that is a socket, and does one step for each request; the last one for all that follow. */
export interface Scripted {
  readonly url: string
  /** The requests that came whole, head and body. */
  readonly requests: readonly string[]
  /** Is called with each request that came whole, before the step. */
  onRequest: () => void
}

/** Starts a scripted server; on a port of its own unless one is given. */
export async function scripted(context: TestContext, steps: readonly Step[], port = 0): Promise<Scripted> {
  const requests: string[] = []
  const sockets = new Set<Socket>()
  const result = { url: '', requests, onRequest: () => undefined as void }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    let received = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      received += String(chunk)
      const head = received.indexOf('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1] ?? 0)
      if (head === -1 || received.length < head + 4 + length) return
      const step = steps[Math.min(requests.length, steps.length - 1)] ?? 'nothing'
      requests.push(received)
      received = ''
      result.onRequest()
      act(socket, step)
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  result.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return result
}

function act(socket: Socket, step: Step): void {
  if (step === 'nothing') return
  if (step === 'reset') {
    socket.resetAndDestroy()
    return
  }
  socket.write(step.bytes, () => {
    if (step.after === 'end') socket.end()
    if (step.after === 'reset') socket.resetAndDestroy()
  })
}
