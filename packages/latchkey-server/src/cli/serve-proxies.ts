import { once } from 'node:events'
import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { ForwardAuthAddress } from '../config/forward-auth-address.ts'
import { Failure } from './exit.ts'

/**
 * Listens for proxies. A socket is for its owner and the owner's group: give the proxy's user that group. One that a killed
 * process has left is replaced, and nothing else is.
 *
 * @returns the address, for people.
 * @throws Failure if nobody can listen there.
 */
export async function listenForProxies(app: FastifyInstance, address: ForwardAuthAddress): Promise<string> {
  try {
    if (!('path' in address)) return (await app.listen(address)).replace(/^http:\/\//, '')
    if (await isLeftOver(address.path)) unlinkSync(address.path)
    await app.listen(address)
    chmodSync(address.path, 0o660)
    return `unix:${address.path}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new Failure('failed', `LATCHKEY_FORWARD_AUTH names an address where nobody can listen (${code}).`, {
      cause: error,
    })
  }
}

/** Whether there is a socket on which nobody listens. */
async function isLeftOver(path: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
