import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { lookup } from 'node:dns/promises'

/** The codes of the system for an address that is not one of this machine. */
const notHere: ReadonlySet<string | undefined> = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENOTFOUND'])

/**
 * Says whether an address or a host name is one of this machine, without listening there: no client can connect
 * meanwhile. It is quick, so ask before you load anything heavy.
 *
 * @example
 * const here = await isOfThisMachine('127.0.0.1')
 * console.log(here) // true
 */
export async function isOfThisMachine(host: string): Promise<boolean> {
  try {
    const { address, family } = await lookup(host)
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4')
    try {
      const bound = once(socket, 'listening')
      socket.bind({ address, port: 0, exclusive: true })
      await bound
    } finally {
      socket.close()
    }
    return true
  } catch (error) {
    if (isNotHere(error)) return false
    // Any other fault shows, with a better message, when the server listens.
    return true
  }
}

/**
 * Says whether an error of `listen` means that the address is not one of this machine.
 *
 * @example isNotHere(Object.assign(new Error('bind'), { code: 'EADDRNOTAVAIL' })) // true
 */
export function isNotHere(error: unknown): boolean {
  return notHere.has((error as NodeJS.ErrnoException).code)
}

/** The sentence for an address that is not one of this machine. */
export const hostMust = 'HOST is not an address of this machine.'

/**
 * Says in one sentence why a port cannot be listened on; `undefined` if the error is about something else.
 *
 * @example await app.listen({ port: 0 }).catch((error: unknown) => console.error(portFault(error, 8080) ?? String(error)))
 */
export function portFault(error: unknown, port: number): string | undefined {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE')
    return `The port ${port} is in use. Set PORT to another one, or stop the program that uses it.`
  if (code === 'EACCES') return `The port ${port} may not be used. Set PORT to one from 1024 on.`
  return undefined
}
