import type { Random } from './random.ts'

// Requests as bytes, one character each, so that they can be requests that no client would send.

/** The parts of a request. */
export interface Parts {
  readonly method?: string
  readonly target?: string
  readonly version?: string
  /** Header lines besides those that belong to the connection and the body. */
  readonly lines?: readonly string[]
  /** The line that says how long the body is, or nothing. */
  readonly length?: readonly string[]
  readonly body?: string
}

/** A body that the service does its work for. */
export const goodBody = '{"status":"SUCCESS"}'

/**
 * A request. Members that are left out have the values of a well-behaved caller.
 *
 * @example requestOf({ lines: [`X-API-Key: ${secret}`] })
 */
export function requestOf({
  method = 'POST',
  target = '/process',
  version = 'HTTP/1.1',
  lines = [],
  body = goodBody,
  length = [`Content-Length: ${body.length}`],
}: Parts): string {
  const all = ['Host: 127.0.0.1', 'Content-Type: application/json', ...lines, ...length]
  return `${method} ${target} ${version}\r\n${all.join('\r\n')}\r\n\r\n${body}`
}

/** Ends a connection: an answer to this says that all before it was read. */
export const drain: string = requestOf({
  method: 'GET',
  target: '/drain',
  lines: ['Connection: close'],
  length: [],
  body: '',
})

/** The name of the header in any case, all of which are the same name. */
export function headerName(random: Random): string {
  return Array.from('X-API-Key', (letter) => (random.chance(0.5) ? letter.toUpperCase() : letter.toLowerCase())).join(
    '',
  )
}

/** Requests with the right key, in forms that HTTP allows: all of them must be accepted. */
export const rightRequests: Readonly<Record<string, (random: Random, secret: string) => string>> = {
  plain: (_, secret) => requestOf({ lines: [`X-API-Key: ${secret}`] }),
  'name in any case': (random, secret) => requestOf({ lines: [`${headerName(random)}: ${secret}`] }),
  // RFC 9110 5.5: white space around a field's value is not part of it.
  'white space around': (random, secret) => {
    const space = (): string => random.text(random.below(5), ' \t')
    return requestOf({ lines: [`X-API-Key:${space()}${secret}${space()}`] })
  },
  'task that fails': (_, secret) => requestOf({ lines: [`X-API-Key: ${secret}`], body: '{"status":"FAILED"}' }),
  'in chunks': (_, secret) => {
    const body = `${goodBody.length.toString(16)};x=y\r\n${goodBody}\r\n0\r\nX-Trailer: z\r\n\r\n`
    return requestOf({ lines: [`X-API-Key: ${secret}`], length: ['Transfer-Encoding: chunked'], body })
  },
  'absolute form': (_, secret) => requestOf({ target: 'http://127.0.0.1/process', lines: [`X-API-Key: ${secret}`] }),
  'with a query': (_, secret) => requestOf({ target: '/process?a=b', lines: [`X-API-Key: ${secret}`] }),
  'among many headers': (random, secret) => {
    const others = Array.from(
      { length: random.below(100) },
      (__, index) => `X-Other-${index}: ${random.text(20, 'abc ')}`,
    )
    return requestOf({ lines: [...others, `X-API-Key: ${secret}`, ...others] })
  },
}
