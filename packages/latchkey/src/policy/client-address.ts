import { formatIp, parseIp } from './ip.ts'

/**
 * Where a request comes from. That is the peer of the connection, unless it is a proxy that is trusted; then it is what
 * the proxy wrote at the end of `X-Forwarded-For`, unless that is a trusted one too, and so on to the left. What stands
 * further left than the first untrusted address was sent by that one, and may be anything.
 *
 * An entry that is no address (`unknown`, one with a port) ends the walk as well, and the answer is the trusted address
 * to the right of it: the last one that somebody trusted has seen. To skip the entry would hand the answer to whoever
 * wrote what is left of it. If it is a proxy that writes such entries, the answer is the proxy's own address, which is
 * let in nowhere, unless somebody allows addresses to come from their proxies.
 *
 * @param options.forwardedFor - the header, or its lines in order.
 * @returns the canonical spelling; the peer as it is given if that is no address (a Unix socket has none).
 * @example
 * const trusted = addressMatcher(['10.0.0.0/8'])
 * clientAddress({ peer: '10.0.0.1', forwardedFor: '1.1.1.1, 203.0.113.7, 10.0.0.2', trusted }) // '203.0.113.7'
 */
export function clientAddress({
  peer,
  forwardedFor,
  trusted,
}: {
  readonly peer: string
  readonly forwardedFor: string | readonly string[] | undefined
  readonly trusted: (address: string) => boolean
}): string {
  let client = canonical(peer) ?? peer
  if (forwardedFor === undefined || !trusted(client)) return client
  const entries = (typeof forwardedFor === 'string' ? forwardedFor : forwardedFor.join(',')).split(',')
  for (const entry of entries.toReversed()) {
    const address = canonical(entry.trim())
    if (address === undefined) return client
    client = address
    if (!trusted(client)) return client
  }
  return client
}

function canonical(text: string): string | undefined {
  const ip = parseIp(text)
  return ip === undefined ? undefined : formatIp(ip)
}
