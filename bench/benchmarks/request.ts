/**
 * A request as bytes on the wire, with the fields that curl sends.
 *
 * @param body - JSON; a GET without one if left out.
 *
 * @example requestOf({ target: '/orders', secret })
 */
export function requestOf({ target, secret, body }: { target: string; secret: string; body?: string }): string {
  const content = body === undefined ? [] : ['Content-Type: application/json', `Content-Length: ${body.length}`]
  const lines = [
    `${body === undefined ? 'GET' : 'POST'} ${target} HTTP/1.1`,
    'Host: 127.0.0.1',
    'User-Agent: bench/1.0.0',
    'Accept: */*',
    `X-API-Key: ${secret}`,
    ...content,
  ]
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}
