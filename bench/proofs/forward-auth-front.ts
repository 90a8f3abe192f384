import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'

/** How the server for proxies is there: as usual, gone, taking requests and silent, or ending in the midst of a header. */
export type Presence = 'there' | 'gone' | 'frozen' | 'resetting'

/** Stands before the server for proxies, and makes it fail. */
export interface Front {
  readonly port: number
  readonly become: (presence: Presence) => void
  readonly close: () => void
}

/** Opens a front before a port of this machine. */
export async function openFront(target: number): Promise<Front> {
  let presence: Presence = 'there'
  const open = new Set<Socket>()

  const server = createServer((from) => {
    open.add(from)
    from.on('close', () => open.delete(from)).on('error', () => from.destroy())
    if (presence === 'gone') from.destroy()
    else if (presence === 'resetting') {
      from.once('data', () => from.write('HTTP/1.1 200 OK\r\nX-Latchkey-Iden', () => from.resetAndDestroy()))
    } else if (presence === 'there') {
      const to = connect(target, '127.0.0.1')
      from.pipe(to).pipe(from)
      from.on('close', () => to.destroy())
      to.on('error', () => from.destroy()).on('close', () => from.destroy())
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    port: (server.address() as AddressInfo).port,
    become(next) {
      presence = next
      // A connection that is kept must not go on as before.
      for (const socket of open) socket.destroy()
    },
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
