import type { Ip } from './ip.ts'
import { formatIp, parseIp } from './ip.ts'

/**
 * The addresses that begin with the same `prefix` bits. IPv4 and IPv6 never contain each other: `::/0` is every IPv6
 * address and no IPv4 one, though IPv4-mapped addresses would lie in it: a person who writes `::/0` does not mean IPv4.
 *
 * Node's `net.BlockList` says that `::/0` contains 10.0.0.1, and knows neither the one spelling of a range nor whether
 * one covers another; so this is done here.
 */
interface Range {
  readonly base: Ip
  readonly prefix: number
}

/**
 * The one spelling of a range of addresses, or `undefined` if the text is not a range. A single address becomes a range
 * of one. Bits after the prefix are cleared and not refused: `10.1.2.3/8` is how people write the network that a
 * machine is in, and it can mean nothing else. An IPv4-mapped range is the IPv4 range; a mapped address with a prefix
 * that does not reach into its IPv4 part is refused, because `::ffff:10.0.0.0/8` may have been meant as `10.0.0.0/8`
 * and says `::/8`.
 *
 * @example canonicalRange('10.1.2.3/8') // '10.0.0.0/8'
 * @example canonicalRange('2001:DB8::1') // '2001:db8::1/128'
 */
export function canonicalRange(text: string): string | undefined {
  const range = parseRange(text)
  return range === undefined ? undefined : `${formatIp(range.base)}/${range.prefix}`
}

function parseRange(text: string): Range | undefined {
  const [address = '', bits, more] = text.split('/', 3)
  const ip = parseIp(address)
  if (ip === undefined || more !== undefined) return undefined
  if (bits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return undefined
  const written = address.includes(':') ? 128 : 32
  const skipped = written - ip.length * 16
  const prefix = Number(bits ?? written) - skipped
  return prefix >= 0 && prefix <= ip.length * 16 ? { base: masked(ip, prefix), prefix } : undefined
}

function masked(ip: Ip, prefix: number): Ip {
  return ip.map((group, index) => group & maskOf(prefix, index))
}

/** The bits of the group at `index` that belong to the prefix. */
function maskOf(prefix: number, index: number): number {
  const kept = Math.min(16, Math.max(0, prefix - index * 16))
  return (0xffff << (16 - kept)) & 0xffff
}

function contains({ base, prefix }: Range, ip: Ip): boolean {
  if (base.length !== ip.length) return false
  for (let index = 0; index * 16 < prefix; index++) {
    if (base[index] !== ((ip[index] ?? 0) & maskOf(prefix, index))) return false
  }
  return true
}

/**
 * Whether an address lies in one of the ranges; for a key it is made once and then asked for every request. A text that
 * is not an address lies in no range. Neither does an address with a zone (`fe80::1%eth0`): it names a machine on one
 * link only, and a range cannot say which. A text that is not a range contains nothing, so an empty list of ranges
 * admits no address.
 *
 * @example addressMatcher(['10.0.0.0/8'])('::ffff:10.1.2.3') // true
 */
export function addressMatcher(ranges: readonly string[]): (address: string) => boolean {
  const compiled = ranges.flatMap((text) => parseRange(text) ?? [])
  return (address) => {
    const ip = parseIp(address)
    return ip !== undefined && compiled.some((range) => contains(range, ip))
  }
}

/**
 * Whether every inner range lies within one outer range, so that an address that `inner` admits is also admitted by
 * `outer`. Two outer ranges that only together contain an inner one do not count. Without inner ranges it is true,
 * because they admit no address. A key without restriction has no list of ranges at all, so it is not a case for this
 * function.
 *
 * @example rangesCover(['10.0.0.0/8'], ['10.1.0.0/16', '10.2.3.4']) // true
 */
export function rangesCover(outer: readonly string[], inner: readonly string[]): boolean {
  const compiled = outer.flatMap((text) => parseRange(text) ?? [])
  return inner.every((text) => {
    const range = parseRange(text)
    return range !== undefined && compiled.some((wide) => wide.prefix <= range.prefix && contains(wide, range.base))
  })
}
