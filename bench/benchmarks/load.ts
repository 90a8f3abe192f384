// A process of its own: the callers. Sends blocks of requests over connections that stay open, one request at a time on
// each, and says how long a block took. It does not sleep within a block: waking a process costs the process that
// writes to it, so the slower route, whose callers would sleep more, would seem more expensive than it is.

import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** Which requests a block sends, how many, and whether a connection sends the same one each time. */
export interface Block {
  readonly name: string
  readonly keys: 'kept' | 'changing'
  readonly count: number
  /** How many requests are sent in a second, evenly; as many as are answered, if left out. */
  readonly perSecond?: number
}

const connections = 32
const okay = Buffer.from('HTTP/1.1 200 ')

/** What the callers are told first. */
export interface Told {
  readonly port: number
  /** The port for requests of a name, where that is another one. */
  readonly ports?: Readonly<Record<string, number>> | undefined
  readonly requests: Readonly<Record<string, readonly string[]>>
}

const [told] = (await once(process, 'message')) as [Told]
// Made beforehand: callers that are slower than the server would not show what it can do.
const requests = new Map(
  Object.entries(told.requests).map(([name, texts]) => [name, texts.map((text) => Buffer.from(text))]),
)
const socketsTo = new Map<number, readonly Socket[]>()

let turn = 0
process.on('message', (block: Block) => {
  void run(block).then((milliseconds) => process.send?.(milliseconds))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')

async function run({ name, keys, count, perSecond }: Block): Promise<number> {
  const prepared = requests.get(name) ?? []
  const sockets = await connected(told.ports?.[name] ?? told.port)
  const began = performance.now()
  let left = count
  const stayAwake = (): void => {
    if (left > 0) setImmediate(stayAwake)
  }
  stayAwake()
  if (perSecond === undefined) await Promise.all(sockets.map((socket, index) => converse(socket, () => next(index))))
  else await keepPace(sockets, { perSecond, next })
  return performance.now() - began

  function next(index: number): Buffer | undefined {
    if (left === 0) return undefined
    left--
    // All keys in turn, whichever connection comes next: it never sends the key that it sent before.
    if (keys === 'changing') turn = (turn + 1) % prepared.length
    return prepared[keys === 'kept' ? index : turn]
  }
}

/** Sends requests at even times, over the connections in turn, until there is no next. */
async function keepPace(
  sockets: readonly Socket[],
  { perSecond, next }: { readonly perSecond: number; readonly next: (index: number) => Buffer | undefined },
): Promise<void> {
  const answered = sockets.map(() => Promise.resolve())
  const began = performance.now()
  for (let sent = 0; ; sent++) {
    while (performance.now() < began + (sent * 1000) / perSecond) await nextTurn()
    const index = sent % sockets.length
    const socket = sockets[index] as Socket
    const request = next(index)
    if (request === undefined) break
    const one = [request]
    answered[index] = (answered[index] as Promise<void>).then(() => converse(socket, () => one.pop()))
  }
  await Promise.all(answered)
}

async function connected(port: number): Promise<readonly Socket[]> {
  const open = socketsTo.get(port)
  if (open !== undefined) return open
  const sockets = Array.from({ length: connections }, () => connect({ host: '127.0.0.1', port, noDelay: true }))
  socketsTo.set(port, sockets)
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

const length = /\r\ncontent-length: (\d+)\r\n/

/** Sends requests one after the other until there is no next. */
function converse(socket: Socket, next: () => Buffer | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let pending: Buffer | undefined
  const send = (): void => {
    const request = next()
    if (request !== undefined) {
      socket.write(request)
      return
    }
    socket.off('data', receive)
    socket.off('close', closed)
    resolve()
  }
  const receive = (chunk: Buffer): void => {
    const answer = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    const end = answer.indexOf('\r\n\r\n')
    const body = end === -1 ? undefined : Number(length.exec(answer.toString('latin1', 0, end + 2))?.[1] ?? 0)
    const whole = body !== undefined && answer.length >= end + 4 + body
    pending = whole ? undefined : answer
    if (!whole) return
    if (answer.length === end + 4 + body && answer.subarray(0, okay.length).equals(okay)) send()
    else reject(new Error(`An answer is not a 200: ${answer.toString('latin1')}`))
  }
  const closed = (): void => reject(new Error('The server closed a connection.'))
  socket.on('data', receive)
  socket.on('close', closed)
  send()
  return promise
}
