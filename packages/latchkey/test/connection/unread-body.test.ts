import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect } from 'node:net'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import Fastify from 'fastify'
import { connectionOptions, connections } from '../../src/connection/fastify.ts'
import { problem, problemOptions, problems } from '../../src/problem/fastify.ts'

/** An application that refuses whoever has no key, before it reads what they send. */
async function guarded(
  context: TestContext,
  options: Pick<typeof problemOptions, 'http'> = {},
): Promise<{
  readonly connected: () => Promise<Socket>
  readonly accepted: () => Promise<Socket>
  readonly served: () => number
}> {
  let served = 0
  const app = Fastify({ ...problemOptions, ...connectionOptions, ...options })
  await app.register(problems)
  await app.register(connections)
  const onRequest = async ({ headers }: { headers: object }): Promise<void> => {
    if (!('x-api-key' in headers)) throw problem({ status: 401, code: 'invalid_key', detail: 'No.' })
  }
  app.post('/', { onRequest }, () => {
    served++
    return 'served'
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  context.after(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const connected = async (): Promise<Socket> => {
    // Stays, even when it is told to go.
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    await once(socket, 'connect')
    return socket
  }
  const accepted = async (): Promise<Socket> => ((await once(app.server, 'connection')) as [Socket])[0]
  return { connected, accepted, served: () => served }
}

/** What comes until the other side ends; the socket stays as it is. */
async function read(socket: Socket): Promise<string> {
  let all = ''
  socket.on('data', (chunk) => (all += String(chunk)))
  await once(socket, 'end')
  return all
}

/** Sends on and on, until the socket is cut. */
async function dripUntilCut(context: TestContext, socket: Socket): Promise<void> {
  const dripping = setInterval(() => socket.write('x'), 50)
  context.after(() => clearInterval(dripping))
  // A reset is an error for whoever still sends.
  socket.on('error', () => {})
  await new Promise((resolve) => socket.once('close', resolve))
  clearInterval(dripping)
}

const head = (length: number, more = ''): string =>
  `POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${more}Content-Length: ${length}\r\n\r\n`

test('a stranger who sends a body slowly is told that the connection ends, can read it, and is then cut off', async (context) => {
  const { connected } = await guarded(context)
  const socket = await connected()
  socket.write(head(60_000))
  const cut = dripUntilCut(context, socket)
  assert.match(await read(socket), /^HTTP\/1\.1 401 [^]*connection: close[^]*"code":"invalid_key"/i)
  await cut
})

test('a stranger who sends a large body before they read gets the answer whole', async (context) => {
  const { connected } = await guarded(context)
  const socket = await connected()
  socket.on('error', () => {})
  const megabyte = 'x'.repeat(1_000_000)
  await new Promise((resolve) => socket.write(head(megabyte.length) + megabyte, resolve))
  assert.match(await read(socket), /^HTTP\/1\.1 401 [^]*"code":"invalid_key"/)
  socket.destroy()
})

test('after the last answer on a connection nothing on it is served', async (context) => {
  const { connected, served } = await guarded(context)
  const socket = await connected()
  socket.write(head(2))
  await once(socket, 'readable')
  socket.write(`{}${head(2, 'X-API-Key: k\r\n')}{}`)
  assert.doesNotMatch(await read(socket), /served/)
  assert.equal(served(), 0)
  socket.destroy()
})

test('a body that came along with its head does not cost a stranger the connection', async (context) => {
  const { connected } = await guarded(context)
  const socket = await connected()
  socket.write(`${head(2)}{}`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(first), /^HTTP\/1\.1 401 [^]*connection: keep-alive/i)
  socket.write(`${head(2, 'X-API-Key: k\r\n')}{}`)
  const [second] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(second), /^HTTP\/1\.1 200 [^]*served$/)
  socket.end()
})

test('whoever is told that half a request took too long, and then stays, is cut off, too', async (context) => {
  const http = { ...problemOptions.http, headersTimeout: 50, connectionsCheckingInterval: 10 }
  const { connected, accepted } = await guarded(context, { http })
  const [theirs, socket] = await Promise.all([accepted(), connected()])
  socket.write('POST / HTTP/1.1\r\nHost: x\r\n')
  assert.match(await read(socket), /^HTTP\/1\.1 408 /)
  await once(theirs, 'close')
  socket.destroy()
})

test('whoever asks whether to send a body hears of a refusal first, and of the go-ahead when the body is read', async (context) => {
  const { connected, served } = await guarded(context)
  const asking = 'Expect: 100-continue\r\n'
  const refused = await connected()
  refused.write(head(2, asking))
  assert.match(await read(refused), /^HTTP\/1\.1 401 [^]*connection: close/i)
  refused.destroy()
  const welcome = await connected()
  welcome.write(head(2, `${asking}X-API-Key: k\r\n`))
  const [first] = (await once(welcome, 'data')) as [Buffer]
  assert.equal(String(first), 'HTTP/1.1 100 Continue\r\n\r\n')
  assert.equal(served(), 0)
  welcome.write('{}')
  const [second] = (await once(welcome, 'data')) as [Buffer]
  assert.match(String(second), /^HTTP\/1\.1 200 [^]*connection: keep-alive[^]*served$/i)
  welcome.end()
})

test('a body that is too large is refused before anybody is told to send it', async (context) => {
  const { connected } = await guarded(context)
  const socket = await connected()
  socket.write(head(10_000_000, 'Expect: 100-continue\r\nX-API-Key: k\r\n'))
  assert.match(await read(socket), /^HTTP\/1\.1 413 /)
  socket.destroy()
})
