/** The remainder of each byte (the reflected polynomial of IEEE 802.3). */
const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte
  for (let bit = 0; bit < 8; bit++) remainder = (remainder & 1) === 1 ? (remainder >>> 1) ^ 0xedb88320 : remainder >>> 1
  return remainder
})

/**
 * CRC-32 of the first `length` characters of an ASCII text, below 2^32. Ours and not `node:zlib`'s because it is on the
 * way of every request: for the forty characters of a secret, calling out of JavaScript costs more than the work.
 */
export function crc32(text: string, length: number): number {
  let crc = -1
  for (let index = 0; index < length; index++) {
    crc = (remainders[(crc ^ text.charCodeAt(index)) & 0xff] ?? 0) ^ (crc >>> 8)
  }
  return ~crc >>> 0
}
