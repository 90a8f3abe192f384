import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** How long a caller who is still sending may read the answer before the connection is cut, in milliseconds. */
const grace = 2000

/** Connections whose last answer waits for those before it. */
const ending = new WeakSet<Socket>()

/**
 * Gives the last answer on a connection that has only its socket left, once every request that arrived whole before has
 * its answer. Given earlier, it would be taken for the answer to one of them, and a change that was made would look
 * refused. If part of the answer to the broken request itself is sent already, the connection just ends.
 *
 * @param write - makes the answer, as it goes over the wire.
 */
export function answerLast(socket: Socket, write: () => string): void {
  // Node reports a broken request again with each further piece of it, and a late one every second.
  if (ending.has(socket)) return
  ending.add(socket)
  const next = (): void => {
    const before = answerUnderWay(socket)
    if (before?.req.complete === true) before.once('finish', next)
    else if (socket.writable) {
      // Node's own answer ends the connection in the same way.
      if (before?.headersSent === true) socket.end()
      else socket.end(write())
      linger(socket)
    }
  }
  next()
}

/** Keeps the answers under way on a socket going that Node has handed over, as it does for CONNECT. */
export function keepAnswering(socket: Socket): void {
  // Without a listener, a reset would end the process.
  socket.on('error', () => socket.destroy())
  // An answer may wait for room in the socket, which Node does not announce to it any more.
  socket.on('drain', () => answerUnderWay(socket)?.emit('drain'))
}

/**
 * Takes no more requests from a connection whose last answer is on its way, discards what still arrives, and cuts it
 * after a grace in which the caller can read the answer.
 */
export function linger(socket: Socket): void {
  socket.removeAllListeners('data')
  socket.on('data', () => {})
  socket.resume()
  const cut = setTimeout(() => socket.destroy(), grace).unref()
  socket.once('close', () => clearTimeout(cut))
}

/** The answer that a connection is waiting for, or is being sent on it. */
export function answerUnderWay(socket: Socket): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined
}
