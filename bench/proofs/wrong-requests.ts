import { base62, wrongByOne } from './forgery.ts'
import { mutate, mutationNames } from './mutations.ts'
import type { Random } from './random.ts'
import { goodBody, headerName, requestOf } from './raw-requests.ts'

// Requests that must not be let through. None carries the right key, alone, as the value of one X-API-Key line.

/** The parts of wrong requests. */
export interface Ingredients {
  readonly random: Random
  /** The right key. It may stand anywhere but where it would be right. */
  readonly secret: string
}

type Form = (ingredients: Ingredients) => string

const anyByte = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte)).join('')

/** Header lines that look like the right one. */
const misspelt: readonly ((secret: string) => string)[] = [
  (secret) => `X-API-Key : ${secret}`,
  (secret) => `X-API-Key\t: ${secret}`,
  (secret) => ` X-API-Key: ${secret}`,
  (secret) => `\tX-API-Key: ${secret}`,
  (secret) => `X-API-Key\0: ${secret}`,
  (secret) => `\0X-API-Key: ${secret}`,
  (secret) => `X-API-Key\v: ${secret}`,
  (secret) => `X-API-Key\xa0: ${secret}`,
  (secret) => `X_API_Key: ${secret}`,
  (secret) => `X.API.Key: ${secret}`,
  (secret) => `X-API-Keys: ${secret}`,
  (secret) => `X-API-Key-: ${secret}`,
  (secret) => `XAPI-Key: ${secret}`,
  (secret) => `X%2DAPI%2DKey: ${secret}`,
  (secret) => `"X-API-Key": ${secret}`,
  (secret) => `X-API-Key=${secret}`,
  (secret) => `X-API-Key ${secret}`,
  (secret) => `X-API-Key;: ${secret}`,
  (secret) => `${utf8('X‑API‑Key')}: ${secret}`,
  (secret) => `${utf8('X-API-Kеy')}: ${secret}`,
  (secret) => `${utf8('X-API-\u212aey')}: ${secret}`,
  (secret) => `HTTP_X_API_KEY: ${secret}`,
  (secret) => `: X-API-Key: ${secret}`,
]

/** Values that are the right key and a little more, or less. */
const misframed: readonly ((secret: string) => string)[] = [
  (secret) => `"${secret}"`,
  (secret) => `Bearer ${secret}`,
  (secret) => `${secret};`,
  (secret) => `${secret},`,
  (secret) => `,${secret}`,
  (secret) => `${secret}, ${secret}`,
  (secret) => `${secret}\0`,
  (secret) => `\0${secret}`,
  (secret) => `${secret}\x7f`,
  (secret) => `\v${secret}`,
  (secret) => `${secret}\f`,
  (secret) => `\xa0${secret}`,
  (secret) => `${secret}\xa0`,
  (secret) => `\x85${secret}\x85`,
  (secret) => `\xef\xbb\xbf${secret}`,
  (secret) => `${utf8('\u2003')}${secret}`,
  (secret) => `${secret} ${secret}`,
  (secret) => `${secret.slice(0, 20)} ${secret.slice(20)}`,
  (secret) => `${secret.slice(0, 20)}\r${secret.slice(20)}`,
  (secret) => `${secret.slice(0, 20)}\n${secret.slice(20)}`,
  (secret) => `${secret.slice(0, 20)}\r\n ${secret.slice(20)}`,
  (secret) => `${secret.slice(0, 20)}\r\n\t${secret.slice(20)}`,
  (secret) => `${secret.slice(0, -1)}\r\n ${secret.slice(-1)}`,
]

/** Where a key does not belong. */
const misplaced: readonly ((secret: string) => string)[] = [
  (secret) => requestOf({ target: `/process?api_key=${secret}` }),
  (secret) => requestOf({ target: `/process?X-API-Key=${secret}` }),
  (secret) => requestOf({ target: `/process/${secret}` }),
  (secret) => requestOf({ target: `http://${secret}@127.0.0.1/process` }),
  (secret) => requestOf({ target: `http://x:${secret}@127.0.0.1/process` }),
  (secret) => requestOf({ lines: [`Authorization: Bearer ${secret}`] }),
  (secret) => requestOf({ lines: [`Authorization: ${secret}`] }),
  (secret) => requestOf({ lines: [`Authorization: Basic ${Buffer.from(`:${secret}`).toString('base64')}`] }),
  (secret) => requestOf({ lines: [`Cookie: X-API-Key=${secret}`] }),
  (secret) => requestOf({ lines: [`Api-Key: ${secret}`] }),
  (secret) => requestOf({ lines: [`X-Auth-Token: ${secret}`] }),
  (secret) => requestOf({ lines: [`Proxy-Authorization: Bearer ${secret}`] }),
  (secret) => requestOf({ lines: [`X-Forwarded-X-API-Key: ${secret}`] }),
  (secret) => requestOf({ lines: [`X-API-Key:`, `X-Other: ${secret}`] }),
  (secret) => requestOf({ lines: [`Connection: X-API-Key`, `Keep-Alive: ${secret}`] }),
  (secret) => requestOf({ body: JSON.stringify({ status: 'SUCCESS', 'X-API-Key': secret }) }),
  (secret) => requestOf({ lines: ['X-HTTP-Method-Override: POST'], body: `X-API-Key=${secret}` }),
]

const targets = [
  '/', '//process', '/process/', '/PROCESS', '/process;a=b', '/process?', '/process#', '/%70rocess', '/process%00', '/process%',
  '/process%2f', '/process%ff', '/./process', '/docs/../process', '/docs/%2e%2e/process', '/docs/..%2fprocess', '/docs/..\\process',
  '\\process', 'process', '*', '', 'http://127.0.0.1/process', 'http://example.com/process', 'HTTP://127.0.0.1//process',
  'https://127.0.0.1:443/process', 'ftp://127.0.0.1/process', '127.0.0.1:80', '/docs', '/docs/', '/docs/json', '/openapi.json',
  '/docs/static/../../process', '/__proto__', '/constructor', `/${'a'.repeat(5000)}`, '/process\xff', '/process\xc3\xa9', '/pro\0cess',
  '/process\t', '/process HTTP/1.1',
] // prettier-ignore

const methods = [
  'GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE', 'CONNECT', 'QUERY', 'PROPFIND', 'M-SEARCH', 'SOURCE', 'PRI',
  'post', 'Post', 'POST\t', ' POST', 'POST\0', 'FOO', '', '"POST"', 'P\xd6ST', 'POST'.repeat(1000),
] // prettier-ignore

const versions = [
  'HTTP/1.0', 'HTTP/0.9', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/2', 'HTTP/3', 'http/1.1', 'HTTP/1.1 ', 'HTTP/01.1', 'HTTP/1.1\0', 'HTTP/9.9',
  'HTTPS/1.1', 'RTSP/1.0', 'ICE/1.0', '', 'HTTP/1,1',
] // prettier-ignore

/** Lines that say how long a body is, in conflict with others or with reason. */
const lengths: readonly (readonly string[])[] = [
  [],
  ['Content-Length: 0'],
  ['Content-Length: 5'],
  ['Content-Length: 25'],
  ['Content-Length: 20', 'Content-Length: 20'],
  ['Content-Length: 20', 'Content-Length: 5'],
  ['Content-Length: 20, 20'],
  ['Content-Length: +20'],
  ['Content-Length: -1'],
  ['Content-Length: 0x14'],
  ['Content-Length: 2e1'],
  ['Content-Length: '],
  ['Content-Length: 99999999999999999999'],
  ['Content-Length: 1000000'],
  ['Content-Length : 20'],
  ['Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked', 'Content-Length: 20'],
  ['Content-Length: 20', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: xchunked'],
  ['Transfer-Encoding: chunked, identity'],
  ['Transfer-Encoding: identity'],
  ['Transfer-Encoding: gzip, chunked'],
  ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['Transfer-Encoding: chunked\0'],
  ['Transfer-Encoding: "chunked"'],
  ['Transfer-Encoding:\vchunked'],
  ['Transfer-Encoding : chunked'],
  ['Transfer_Encoding: chunked'],
]

const chunkings: readonly ((body: string) => string)[] = [
  (body) => body,
  (body) => `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
  (body) => `${body.length.toString(16)}\n${body}\n0\n\n`,
  (body) => `0x14\r\n${body}\r\n0\r\n\r\n`,
  (body) => `-1\r\n${body}\r\n0\r\n\r\n`,
  (body) => `ffffffffffffffff\r\n${body}\r\n0\r\n\r\n`,
  (body) => `14 \r\n${body}\r\n0\r\n\r\n`,
  (body) => `14;${'a'.repeat(20_000)}\r\n${body}\r\n0\r\n\r\n`,
  (body) => `14\r\n${body}0\r\n\r\n`,
  (body) => `14\r\n${body}\r\n`,
  (body) => `5\r\n${body}\r\n0\r\n\r\n`,
  () => '0\r\n\r\n',
  () => '\r\n',
]

/** Bodies, each with its media type. */
const bodies: readonly ((random: Random) => readonly [type: string, body: string])[] = [
  () => ['application/json', ''],
  () => ['application/json', '{}'],
  () => ['application/json', 'null'],
  () => ['application/json', '[1,2,3]'],
  () => ['application/json', '{"status":1}'],
  () => ['application/json', '{"status":"SUCCESS","__proto__":{"a":1}}'],
  () => ['application/json', '{"status":'],
  () => ['application/json', '\xff\xfe\x00'],
  () => ['application/json', '['.repeat(10_000)],
  (random) => ['application/json', JSON.stringify({ status: 'a'.repeat(random.below(200_000)) })],
  (random) => ['application/json', random.text(random.below(2000), anyByte)],
  () => ['text/plain', goodBody],
  () => ['application/x-www-form-urlencoded', 'status=SUCCESS'],
  () => [
    'multipart/form-data; boundary=x',
    '--x\r\nContent-Disposition: form-data; name="status"\r\n\r\nSUCCESS\r\n--x--\r\n',
  ],
  () => ['application/json; charset=utf-16', goodBody],
  () => ['application/json\0', goodBody],
  () => ['', goodBody],
]

/** Lines that ask for something else than an answer. */
const wishes: readonly (readonly string[])[] = [
  ['Expect: 100-continue'],
  ['Expect: 200-ok'],
  [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ],
  ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
  ['Connection: close'],
  ['Connection: keep-alive, close, X-API-Key'],
  ['Content-Encoding: gzip'],
  ['Accept-Encoding: gzip;q=0'],
  ['Range: bytes=0-'],
  ['If-None-Match: *'],
  ['Host: example.com'],
  ['Te: trailers', 'Trailer: X-API-Key'],
  ['X-Forwarded-For: 127.0.0.1', 'X-Real-IP: 127.0.0.1', 'Forwarded: for=127.0.0.1'],
  ['X-Original-URL: /docs', 'X-Rewrite-URL: /docs'],
]

/** Whole requests after which a connection can be used on: a right one that follows must be accepted. */
export const soundForms: Readonly<Record<string, Form>> = {
  'wrong key': ({ random, secret }) => requestOf({ lines: [`${headerName(random)}: ${visible({ random, secret })}`] }),
  'wrong by one': ({ random, secret }) => requestOf({ lines: [`X-API-Key: ${wrongByOne(random, secret)}`] }),
  'no key': () => requestOf({}),
  'empty key': ({ random }) => requestOf({ lines: [`X-API-Key:${random.text(random.below(4), ' \t')}`] }),
  'key elsewhere': ({ random, secret }) => random.pick(misplaced)(secret),
  'two lines': ({ random, secret }) => {
    const line = (): string => `${headerName(random)}: ${random.chance(0.5) ? secret : visible({ random, secret })}`
    const between = random.chance(0.5) ? ['X-Other: 1'] : []
    return requestOf({ lines: [line(), ...between, line(), ...(random.chance(0.2) ? [line()] : [])] })
  },
}

/** Everything else: after these the server may close the connection, or wait for more. */
export const oddForms: Readonly<Record<string, Form>> = {
  'any wrong credential': ({ random, secret }) => requestOf({ lines: [`X-API-Key: ${wrong({ random, secret })}`] }),
  'misspelt name': ({ random, secret }) => {
    const line = random.pick(misspelt)(secret)
    // Before the others or after them: a line that begins with white space goes on from the one before.
    return random.chance(0.5)
      ? requestOf({ lines: [line, 'X-Other: 1'] })
      : requestOf({}).replace('Host:', () => `${line}\r\nHost:`)
  },
  'misframed value': ({ random, secret }) => requestOf({ lines: [`X-API-Key: ${random.pick(misframed)(secret)}`] }),
  'odd target': (given) => requestOf({ target: given.random.pick(targets), lines: someKey(given) }),
  'odd method': (given) => requestOf({ method: given.random.pick(methods), lines: someKey(given) }),
  'odd method and target': (given) => {
    const { random } = given
    return requestOf({ method: random.pick(methods), target: random.pick(targets), lines: someKey(given) })
  },
  'odd version': (given) => requestOf({ version: given.random.pick(versions), lines: someKey(given) }),
  'no host, or two': (given) => {
    const lines = ['Host: other', ...someKey(given)]
    return given.random.chance(0.5) ? requestOf({ lines }) : requestOf({ lines }).replaceAll(/Host: .*\r\n/g, '')
  },
  'odd length': (given) => {
    const { random } = given
    return requestOf({ lines: someKey(given), length: random.pick(lengths), body: random.pick(chunkings)(goodBody) })
  },
  'key in the trailer': ({ random, secret }) => {
    const body = `14\r\n${goodBody}\r\n0\r\n${headerName(random)}: ${secret}\r\n\r\n`
    return requestOf({ lines: ['Trailer: X-API-Key'], length: ['Transfer-Encoding: chunked'], body })
  },
  'a request in the body': (given) => {
    const body = requestOf({ lines: someKey(given) })
    return requestOf({ lines: someKey(given), body, length: given.random.pick(lengths) })
  },
  'odd body': (given) => {
    const [type, body] = given.random.pick(bodies)(given.random)
    return requestOf({ lines: someKey(given), body }).replace('application/json', () => type)
  },
  'a wish': (given) => requestOf({ lines: [...given.random.pick(wishes), ...someKey(given)] }),
  'several at once': (given) => {
    return Array.from({ length: 2 + given.random.below(6) }, () => requestOf({ lines: someKey(given) })).join('')
  },
  'lone line ends': (given) => {
    const { random } = given
    const end = random.pick(['\n', '\r', '\n\r', '\r\r\n', '\v', '\u0085'])
    return random.chance(0.5)
      ? requestOf({ lines: someKey(given) }).replaceAll('\r\n', end)
      : requestOf({ lines: [...someKey(given), `X-Other: a${end}X-Another: b`] })
  },
  'giant header': (given) => {
    const { random } = given
    const size = random.pick([1000, 8000, 16_000, 17_000, 100_000])
    const filler = random.text(1, base62).repeat(size)
    const line = random.pick([`X-API-Key: ${filler}`, `${filler}: 1`, `X-Other: ${filler}`])
    return requestOf({ lines: [line, ...someKey(given)] })
  },
  'many headers': (given) => {
    const count = given.random.pick([100, 1000, 1990, 2010, 5000])
    return requestOf({ lines: [...Array.from({ length: count }, () => 'a:'), ...someKey(given)] })
  },
  'broken off': (given) => {
    const text = requestOf({ lines: someKey(given) })
    return text.slice(0, given.random.below(text.length))
  },
  'a few bytes changed': (given) => {
    const { random } = given
    let text = requestOf({ lines: someKey(given) })
    for (let times = 1 + random.below(4); times > 0; times--) {
      const place = random.below(text.length)
      text = text.slice(0, place) + random.text(random.below(3), anyByte) + text.slice(place + random.below(3))
    }
    return text
  },
  'not HTTP': ({ random, secret }) => {
    return random.pick([
      '',
      '\r\n'.repeat(random.below(100)),
      secret,
      `${secret}\r\n\r\n`,
      'GET /process\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03',
      'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n',
      '*1\r\n$4\r\nPING\r\n',
      random.text(random.below(500), anyByte),
    ])
  },
}

/** No key, or a wrong one. */
function someKey({ random, secret }: Ingredients): readonly string[] {
  return random.chance(0.3) ? [] : [`${headerName(random)}: ${visible({ random, secret })}`]
}

/** A wrong credential that a header can carry as it is, so that the request around it stays what it is. */
function visible({ random, secret }: Ingredients): string {
  for (;;) {
    const text = wrong({ random, secret })
    if (text.length < 2000 && /^[\x21-\x7e]+$/.test(text)) return text
  }
}

/** A wrong credential as bytes. */
function wrong({ random, secret }: Ingredients): string {
  for (;;) {
    const text = utf8(mutate(random, random.pick(mutationNames), secret))
    // Where it could end a line, or be trimmed as the white space around a value is, it might be the right one after all.
    const harmless = !/[\r\n]/.test(text) || !text.includes(secret)
    if (harmless && text.replaceAll(/^[ \t]+|[ \t]+$/g, '') !== secret) return text
  }
}

/** A text as the bytes that it is sent as: those of Latin-1 if it has them, otherwise of UTF-8. */
function utf8(text: string): string {
  return /^[\0-\xff]*$/.test(text) ? text : Buffer.from(text).toString('latin1')
}
