import type { IncomingMessage } from 'node:http'

/**
 * Whether a request is ambiguous although Node's parser accepts it, so that a proxy in front may have read another one:
 * it has more or less than one Host (RFC 9112 3.2), or a transfer coding that is not decoded here (RFC 9112 6.1). HTTP/2
 * has neither field.
 *
 * Reads the lines and not `headers`, which Node would have to make first.
 */
export function isAmbiguous({
  httpVersion,
  httpVersionMajor,
  rawHeaders,
}: Pick<IncomingMessage, 'httpVersion' | 'httpVersionMajor' | 'rawHeaders'>): boolean {
  if (httpVersionMajor !== 1) return false
  let hosts = 0
  let codings = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (name.length === 4 && (name === 'Host' || name.toLowerCase() === 'host')) hosts++
    else if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') {
      if (rawHeaders[index + 1]?.toLowerCase() !== 'chunked') return true
      codings++
    }
  }
  return codings > 1 || hosts > 1 || (hosts === 0 && httpVersion !== '1.0')
}
