/** One answer as it came over the wire; every character is a byte. */
export interface HttpAnswer {
  readonly status: number
  /** By name, in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

const statusLine = /^HTTP\/1\.1 (\d{3}) [\t\x20-\x7e\x80-\xff]*$/
const headerLine = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*)$/
const chunkSize = /^([0-9a-f]{1,8})$/i

/**
 * Reads all that a server sent on one connection, strictly: lines end with CR LF, names and values have only the
 * characters of RFC 9110, bodies are as long as they say. Interim answers (1xx) are left out.
 *
 * @param head - whether one of the requests may have been HEAD, whose answer has a length and no body.
 *
 * @throws SyntaxError where it is not HTTP.
 *
 * @example readAnswers('HTTP/1.1 204 No Content\r\n\r\n', { head: false }) // one answer
 */
export function readAnswers(received: string, { head }: { head: boolean }): readonly HttpAnswer[] {
  const answers: HttpAnswer[] = []
  let place = 0
  while (place < received.length) {
    const end = received.indexOf('\r\n\r\n', place)
    if (end === -1) throw new SyntaxError('The header section does not end.')
    const [first = '', ...lines] = received.slice(place, end).split('\r\n')
    const status = Number(statusLine.exec(first)?.[1])
    if (!(status >= 100 && status < 600)) throw new SyntaxError(`Not a status line: ${JSON.stringify(first)}`)
    const headers = headersOf(lines)
    place = end + 4
    if (status < 200) continue
    const bodiless = status === 204 || status === 304 || (head && bodyIsMissing(received, place))
    const { body, next } = bodiless ? { body: '', next: place } : bodyAt({ received, place, headers })
    answers.push({ status, headers, body })
    place = next
  }
  return answers
}

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines) {
    const [, name, value] = headerLine.exec(line) ?? []
    if (name === undefined || value === undefined) throw new SyntaxError(`Not a header: ${JSON.stringify(line)}`)
    headers.set(name.toLowerCase(), value)
  }
  return headers
}

function bodyIsMissing(received: string, place: number): boolean {
  return place === received.length || received.startsWith('HTTP/1.1 ', place)
}

function bodyAt({
  received,
  place,
  headers,
}: {
  received: string
  place: number
  headers: ReadonlyMap<string, string>
}): { readonly body: string; readonly next: number } {
  if (headers.get('transfer-encoding') === 'chunked') return chunksAt(received, place)
  const length = headers.get('content-length')
  // RFC 9112 6.3: without a length the body goes on until the connection is closed.
  const next = length === undefined ? received.length : place + Number(length)
  if (!(next <= received.length)) throw new SyntaxError('The body is shorter than it says.')
  return { body: received.slice(place, next), next }
}

function chunksAt(received: string, place: number): { readonly body: string; readonly next: number } {
  let body = ''
  for (let start = place; ;) {
    const end = received.indexOf('\r\n', start)
    const size = Number.parseInt(chunkSize.exec(received.slice(start, end))?.[1] ?? '', 16)
    const after = end + 2 + size
    if (end === -1 || !received.startsWith('\r\n', after)) throw new SyntaxError('A chunk is not as long as it says.')
    if (size === 0) return { body, next: after + 2 }
    body += received.slice(end + 2, after)
    start = after + 2
  }
}
