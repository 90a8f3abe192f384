import { BlockList, isIP } from 'node:net'
import type { FastifyRequest } from 'fastify'
import type { AdminScope, Keyring, OpenKeyring, Refused, Requirement } from 'latchkey'

/** The header with the admin key of a proxy. */
const proxyHeader = 'x-latchkey-proxy'

const mayAsk: Requirement<AdminScope> = Object.freeze({ allOf: Object.freeze(['keys:verify'] as const) })

/** The keyring as a proxy may use it. */
export type Asked = Pick<Keyring, 'verify' | 'noteRefusal'>

/** Who asks: a proxy that may, or nobody that may, and why. */
export type Asker = { readonly keyring: Asked } | { readonly keyring: undefined; readonly refused: Refused | undefined }

/** Which proxies there are. */
export interface Proxies {
  /** Says who asks. Whoever is on this machine may ask, or is listed, or sends an admin key with `keys:verify`. */
  readonly askerOf: (request: FastifyRequest) => Asker | Promise<Asker>
  /** The address of the caller as the proxy says it; `undefined` if it says none. */
  readonly callerOf: (request: FastifyRequest) => string | undefined
}

/**
 * Knows proxies.
 *
 * @param listed - addresses and ranges of those that need no admin key.
 * @param passed - the same of those whose entries in `X-Forwarded-For` are passed over.
 */
export function proxiesOf(
  keyring: OpenKeyring,
  { listed, passed }: { readonly listed: readonly string[]; readonly passed: readonly string[] },
): Proxies {
  const mayAskFrom = addresses(listed)
  const isProxy = addresses([...listed, ...passed])
  const all: Asker = { keyring }

  return {
    askerOf(request) {
      const address = request.socket.remoteAddress
      const keys = valuesOf(proxyHeader, request.raw.rawHeaders)
      if (keys.length === 0) {
        const near = address === undefined || isLoopback(address)
        return near || mayAskFrom(address) ? all : { keyring: undefined, refused: undefined }
      }
      if (keys.length > 1) return { keyring: undefined, refused: undefined }
      const verdict = keyring.admin.verify(keys[0], mayAsk, { ip: address })
      const asker = (found: Awaited<typeof verdict>): Asker =>
        found.ok ? { keyring: keyring.as(found.key) } : { keyring: undefined, refused: found }
      return verdict instanceof Promise ? verdict.then(asker) : asker(verdict)
    },
    callerOf({ raw: { rawHeaders } }) {
      // The last line counts, and in it the last entry: what stands before was written by others.
      const chain = valuesOf('x-forwarded-for', rawHeaders)
        .join(',')
        .split(',')
        .map((one) => one.trim())
      const caller = chain.findLast((one) => !isProxy(one))
      return caller !== undefined && isIP(caller) !== 0 ? caller : undefined
    },
  }
}

/** The values of all lines of a header: Node would join them. */
function valuesOf(name: string, lines: readonly string[]): readonly string[] {
  const values: string[] = []
  for (let index = 0; index < lines.length; index += 2) {
    if (lines[index]?.length === name.length && lines[index]?.toLowerCase() === name)
      values.push(lines[index + 1] ?? '')
  }
  return values
}

function addresses(ranges: readonly string[]): (address: string) => boolean {
  if (ranges.length === 0) return () => false
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', length] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (length === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(length), family)
  }
  return (address) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address)
}
