import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, get } from 'node:http'
import { request, Agent as TlsAgent } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import Fastify from 'fastify'
import { certificate, privateKey } from '../../../../test/certificates.ts'
import { drainOnClose } from '../../src/connection/drain.ts'
import { connectionOptions, connections } from '../../src/connection/fastify.ts'

test('a request on a connection that was open before the application closes is answered, as the last on it', async () => {
  const app = Fastify(connectionOptions)
  // Callers are waited for once; what the plugin would wait is too short for a machine that is slow.
  drainOnClose(app, { forCallers: 600_000 })
  await app.register(connections)
  app.get('/', async () => 'served')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = async (): Promise<IncomingMessage> => {
    const [answer] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [IncomingMessage]
    await once(answer.resume(), 'end')
    return answer
  }
  let opened = 0
  app.server.on('connection', () => opened++)
  const first = await ask()
  assert.equal(first.headers.connection, 'keep-alive')
  const closed = app.close()
  // As late as a request can be that was sent before the caller could know.
  await new Promise(setImmediate)
  const last = await ask()
  assert.deepEqual([last.statusCode, last.headers.connection], [200, 'close'])
  assert.equal(opened, 1)
  await closed
  await assert.rejects(ask())
})

test('an application that nobody is connected to does not wait for callers to go', { timeout: 300_000 }, async () => {
  const app = Fastify()
  drainOnClose(app, { forCallers: 600_000 })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await app.close()
})

test('a caller who stays and asks nothing is not waited for longer than a second', async () => {
  const app = Fastify()
  drainOnClose(app)
  app.get('/', async () => 'served')
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true })
  const [answer] = (await once(get({ port, host: '127.0.0.1', agent }), 'response')) as [IncomingMessage]
  await once(answer.resume(), 'end')
  await app.close()
  agent.destroy()
})

test('what has arrived is answered, however long it takes; half a body and half a head do not keep the application', async () => {
  const app = Fastify({ return503OnClosing: false })
  drainOnClose(app, { forCallers: 1, forRequests: 50 })
  const [begun, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  app.post('/', async () => {
    begun.resolve()
    await finish.promise
    return 'served'
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const ask = (bytes: string): ReturnType<typeof connect> => {
    const socket = connect({ port, host: '127.0.0.1' })
    // Nothing is said of who is cut off here.
    socket.on('error', () => {})
    socket.write(bytes)
    return socket
  }
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
  const halves = [ask(`${head}Content-Length: 60000\r\n\r\n{`), ask(head)]
  const whole = ask(`${head}Content-Length: 2\r\n\r\n{}`)
  const answer = text(whole)
  await Promise.all([begun.promise, ...halves.map((socket) => once(socket, 'connect'))])
  const closed = app.close()
  await Promise.all(halves.map((socket) => once(socket.resume(), 'close')))
  finish.resolve()
  assert.match(await answer, /^HTTP\/1\.1 200 OK[^]*served$/)
  await closed
})

test('what has arrived over TLS is answered too, as the last on its connection; a handshake is not waited for', async () => {
  const app = Fastify({ https: { key: privateKey, cert: certificate }, return503OnClosing: false })
  drainOnClose(app, { forCallers: 1, forRequests: 50 })
  const [begun, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  app.get('/', async () => {
    begun.resolve()
    await finish.promise
    return 'served'
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const asking = request({
    port,
    host: '127.0.0.1',
    agent: new TlsAgent({ keepAlive: true }),
    rejectUnauthorized: false,
  })
  const response = once(asking.end(), 'response')
  const silent = connect({ port, host: '127.0.0.1' })
  // Nothing is said of how it is cut off.
  silent.on('error', () => {})
  await Promise.all([begun.promise, once(silent, 'connect')])
  const closed = app.close()
  await once(silent.resume(), 'close')
  finish.resolve()
  const [answer] = (await response) as [IncomingMessage]
  assert.deepEqual([await text(answer), answer.headers.connection], ['served', 'close'])
  await closed
})
