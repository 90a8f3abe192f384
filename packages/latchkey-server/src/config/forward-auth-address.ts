import { isIP } from 'node:net'

/** Where the listener for proxies is. */
export type ForwardAuthAddress = { readonly path: string } | { readonly host: string; readonly port: number }

/** The longest path that every system takes for a socket, in bytes. */
const longestPath = 103

/**
 * Reads `unix:` and a path, or a host and a port.
 *
 * @example forwardAuthAddress('127.0.0.1:8081') // { host: '127.0.0.1', port: 8081 }
 */
export function forwardAuthAddress(text: string): ForwardAuthAddress | undefined {
  if (text.startsWith('unix:')) {
    const path = text.slice('unix:'.length)
    return path === '' || path.includes('\0') || Buffer.byteLength(path) > longestPath ? undefined : { path }
  }
  const [, bracketed, named, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9A-Za-z.-]+)):([0-9]{1,5})$/.exec(text) ?? []
  const host = bracketed ?? named
  if (host === undefined || Number(digits) > 65_535 || (bracketed !== undefined && isIP(bracketed) !== 6)) {
    return undefined
  }
  return { host, port: Number(digits) }
}
