/**
 * A request as bytes on the wire, with the fields that curl sends.
 *
 * @param body - JSON; a GET without one if left out.
 *
 * @example requestOf({ target: '/orders', secret })
 */
export function requestOf({ target, secret, body }: { target: string; secret: string; body?: string }): string {
  const key = `X-API-Key: ${secret}`
  if (body === undefined) return textOf(`GET ${target}`, [key])
  return textOf(`POST ${target}`, [key, 'Content-Type: application/json', `Content-Length: ${body.length}`], body)
}

/**
 * A POST without a body.
 *
 * @param credential - the name and the value of the field that has the key.
 */
export function emptyPost(target: string, credential: string): string {
  return textOf(`POST ${target}`, [credential, 'Content-Length: 0'])
}

function textOf(line: string, fields: readonly string[], body = ''): string {
  const lines = [`${line} HTTP/1.1`, 'Host: 127.0.0.1', 'User-Agent: bench/1.0.0', 'Accept: */*', ...fields]
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
