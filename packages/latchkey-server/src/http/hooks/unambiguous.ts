import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { problem } from 'latchkey/problem/fastify'

/**
 * A hook for `onRequest` that refuses requests which two programs could read differently: an address that is not UTF-8
 * after decoding, and a header with one value that is sent twice, which Node joins into one.
 */
export function unambiguous(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  if (!isWellFormed(request.url)) return done(problem(malformed('The address is not well-formed UTF-8.')))
  const repeated = request.headers['idempotency-key']?.includes(',') === true && isRepeated(request, 'idempotency-key')
  if (repeated) return done(problem(malformed('Idempotency-Key is given more than once.')))
  done()
}

function malformed(detail: string): Parameters<typeof problem>[0] {
  return { status: 400, code: 'bad_request', detail }
}

/** Characters outside ASCII must be encoded (RFC 3986 2.1), and the encoded bytes must be UTF-8. */
function isWellFormed(url: string): boolean {
  if (/[^\x21-\x7e]/.test(url)) return false
  if (!url.includes('%')) return true
  try {
    decodeURIComponent(url)
    return true
  } catch {
    return false
  }
}

function isRepeated({ raw: { rawHeaders } }: FastifyRequest, name: string): boolean {
  const lines = rawHeaders.filter((line, index) => index % 2 === 0 && line.toLowerCase() === name)
  return lines.length > 1
}
