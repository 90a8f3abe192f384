/**
 * An address as its 16-bit groups from the left: two for IPv4, eight for IPv6. An IPv4-mapped IPv6 address
 * (`::ffff:1.2.3.4`, RFC 4291 §2.5.5.2) is the IPv4 address: sockets that serve both families report it so.
 */
export type Ip = readonly number[]

/**
 * Reads an address, strictly: no zone, port, brackets or white space, and no leading zeros in IPv4, which some programs
 * read as octal.
 *
 * @example parseIp('::FFFF:10.0.0.1') // [0x0a00, 0x0001], as '10.0.0.1'
 */
export function parseIp(text: string): Ip | undefined {
  const groups = text.includes(':') ? ipv6(text) : ipv4(text)
  return groups !== undefined && isMapped(groups) ? groups.slice(6) : groups
}

/** Whether these groups are of an IPv4-mapped address. */
function isMapped(groups: Ip): boolean {
  return groups.length === 8 && groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0)
}

function ipv4(text: string): Ip | undefined {
  const octets = text.split('.', 5)
  if (octets.length !== 4 || !octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet))) return undefined
  const [a = 256, b = 256, c = 256, d = 256] = octets.map(Number)
  return a < 256 && b < 256 && c < 256 && d < 256 ? [a * 256 + b, c * 256 + d] : undefined
}

/** The eight groups of an IPv6 address, mapped or not. */
function ipv6(text: string): Ip | undefined {
  // The longest there is: eight groups, the last two of them written as IPv4.
  if (text.length > 45) return undefined
  const [left = '', right, more] = text.split('::')
  if (more !== undefined) return undefined
  const head = hextets(left, right === undefined)
  const tail = right === undefined ? [] : hextets(right, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  // RFC 4291 §2.2: `::` stands for one group of zeros or more.
  if (right === undefined ? missing !== 0 : missing < 1) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

/** Groups between colons. Only the end of an address may be written as IPv4. */
function hextets(text: string, isEnd: boolean): Ip | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    const embedded = isEnd && index === parts.length - 1 ? ipv4(part) : undefined
    if (embedded !== undefined) groups.push(...embedded)
    else if (/^[\da-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16))
    else return undefined
  }
  return groups
}

/**
 * The one spelling of an address: RFC 5952 for IPv6, which is lower case, without leading zeros, and with `::` for the
 * longest run of two or more zero groups, the first of equals.
 *
 * @example formatIp([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]) // '2001:db8::1'
 */
export function formatIp(groups: Ip): string {
  if (groups.length === 2) return groups.flatMap((group) => [group >>> 8, group & 255]).join('.')
  let [start, length] = [0, 1]
  for (let from = 0; from < 8; from++) {
    let to = from
    while (groups[to] === 0) to++
    if (to - from > length) [start, length] = [from, to - from]
  }
  const written = groups.map((group) => group.toString(16))
  if (length < 2) return written.join(':')
  return `${written.slice(0, start).join(':')}::${written.slice(start + length).join(':')}`
}
