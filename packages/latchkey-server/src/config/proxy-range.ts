import { BlockList, isIP } from 'node:net'

/** The IPv6 range of mapped IPv4 addresses, such as `::ffff:10.0.0.1`. */
const embedding = new BlockList()
embedding.addSubnet('::', 16, 'ipv6')

/** Whether a text is an address, or a range of addresses that may be trusted as proxies. */
export function isProxyRange(text: string): boolean {
  const [address = '', length, ...more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more.length > 0) return false
  if (length === undefined) return true
  // With a range of all addresses, or a few that add up to it, every caller could choose its address. 104 is 8 bits of IPv4.
  const bare = address.replace(/%.*/, '')
  const widest = family === 4 ? 8 : embedding.check(bare, 'ipv6') ? 104 : 16
  return /^[0-9]{1,3}$/.test(length) && Number(length) >= widest && Number(length) <= (family === 4 ? 32 : 128)
}
