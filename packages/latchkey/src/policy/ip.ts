/**
 * An address as its 16-bit groups from the left: two for IPv4, eight for IPv6. An IPv4-mapped IPv6 address
 * (`::ffff:1.2.3.4`, RFC 4291 §2.5.5.2) is the IPv4 address: sockets that serve both families report it so.
 */
export type Ip = readonly number[]

const dot = 46
const colon = 58

/**
 * Reads an address, strictly: no zone, port, brackets or white space, and no leading zeros in IPv4, which some programs
 * read as octal. Character by character and without regular expressions, because it is asked for every request.
 *
 * @example parseIp('::FFFF:10.0.0.1') // [0x0a00, 0x0001], as '10.0.0.1'
 */
export function parseIp(text: string): Ip | undefined {
  if (!text.includes(':')) return ipv4(text)
  // How Node writes an IPv4 peer of a socket that serves both, and so worth a short cut.
  const mapped = text.startsWith('::ffff:') ? ipv4(text.slice(7)) : undefined
  if (mapped !== undefined) return mapped
  const groups = ipv6(text)
  return groups !== undefined && isMapped(groups) ? groups.slice(6) : groups
}

/** Whether these eight groups are of an IPv4-mapped address. */
function isMapped(groups: Ip): boolean {
  for (let index = 0; index < 5; index++) if (groups[index] !== 0) return false
  return groups[5] === 0xffff
}

function ipv4(text: string): Ip | undefined {
  const octets: number[] = []
  let octet = -1
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? dot : text.charCodeAt(index)
    if (code === dot) {
      if (octet === -1) return undefined
      octets.push(octet)
      octet = -1
    } else {
      const digit = code - 48
      if (digit < 0 || digit > 9 || octet === 0) return undefined
      octet = octet === -1 ? digit : octet * 10 + digit
      if (octet > 255) return undefined
    }
  }
  const [a = 0, b = 0, c = 0, d = 0] = octets
  return octets.length === 4 ? [a * 256 + b, c * 256 + d] : undefined
}

/** The eight groups of an IPv6 address, mapped or not. */
function ipv6(text: string): Ip | undefined {
  // The longest there is: eight groups, the last two of them written as IPv4.
  if (text.length > 45) return undefined
  const cut = text.indexOf('::')
  const left = cut === -1 ? text : text.slice(0, cut)
  const right = cut === -1 ? undefined : text.slice(cut + 2)
  const head = hextets(left, right === undefined)
  const tail = right === undefined ? [] : hextets(right, true)
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  // RFC 4291 §2.2: `::` stands for one group of zeros or more.
  if (right === undefined ? missing !== 0 : missing < 1) return undefined
  for (let group = 0; group < missing; group++) head.push(0)
  for (const group of tail) head.push(group)
  return head
}

/** Groups between colons. Only the end of an address may be written as IPv4. */
function hextets(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  let digits = 0
  let group = 0
  let start = 0
  for (let index = 0; index <= text.length; index++) {
    const code = index === text.length ? colon : text.charCodeAt(index)
    if (code === colon) {
      if (digits === 0) return undefined
      groups.push(group)
      digits = 0
      group = 0
      start = index + 1
    } else if (code === dot) {
      const embedded = isEnd ? ipv4(text.slice(start)) : undefined
      return embedded === undefined ? undefined : groups.concat(embedded)
    } else {
      const digit = hexadecimal(code)
      if (digit === -1 || ++digits > 4) return undefined
      group = group * 16 + digit
    }
  }
  return groups
}

/** The value of a hexadecimal digit; -1 for any other character. */
function hexadecimal(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  // The letters of both cases differ in this bit only.
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/**
 * The one spelling of an address: RFC 5952 for IPv6, which is lower case, without leading zeros, and with `::` for the
 * longest run of two or more zero groups, the first of equals.
 *
 * @example formatIp([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]) // '2001:db8::1'
 */
export function formatIp(groups: Ip): string {
  if (groups.length === 2) return groups.flatMap((group) => [group >>> 8, group & 255]).join('.')
  let [start, length] = [0, 0]
  for (let from = 0; from < 8; from++) {
    let to = from
    while (groups[to] === 0) to++
    if (to - from > length) [start, length] = [from, to - from]
  }
  const written = groups.map((group) => group.toString(16))
  if (length < 2) return written.join(':')
  return `${written.slice(0, start).join(':')}::${written.slice(start + length).join(':')}`
}
