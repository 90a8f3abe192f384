import type { FastifyReply, FastifyRequest } from 'fastify'

/* oxlint-disable eslint/max-params -- the signature is Fastify's */

/**
 * A hook for `onSend` that puts a refusal into the form that nginx understands: its `auth_request` knows 200, 401 and 403,
 * and every other status is a fault. It reads no body, and opens a new connection after an answer that has one. So the true
 * status, the code and the problem document are in headers.
 */
export function nginxForm(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const { statusCode: status } = reply
  if (status < 400 || typeof payload !== 'string') return done(null, payload)
  reply.headers({
    'x-latchkey-status': String(status),
    'x-latchkey-code': (JSON.parse(payload) as { code: string }).code,
    // A header has ASCII only, and JSON may be written so.
    'x-latchkey-problem': payload.replaceAll(/[^\x20-\x7e]/g, escaped),
  })
  reply.removeHeader('content-type')
  reply.removeHeader('content-length')
  reply.code(status === 401 ? 401 : 403)
  done(null, '')
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}
