import type { FastifyReply } from 'fastify'
import { problemResponse } from 'latchkey/problem/fastify'
import type { TSchema } from 'typebox'

/** A response as OpenAPI writes it. Without types: handlers answer with the library's own shapes, and the contract test compares. */
export type Response = Readonly<Record<string, unknown>>

/** A JSON answer, with the headers that come along. */
export function json(description: string, schema: TSchema, headers: Readonly<Record<string, string>> = {}): Response {
  const described = Object.entries(headers).map(([name, what]) => [name, { type: 'string', description: what }])
  return { description, headers: Object.fromEntries(described), content: { 'application/json': { schema } } }
}

/** An entity tag, for `If-Match`. */
export const etag: Readonly<Record<string, string>> = { ETag: 'The revision, to send as If-Match' }

const sentences = {
  404: 'Not found, or the admin key does not see it',
  409: 'Not possible in its present state; `code` says why',
  412: 'Changed since the revision in If-Match',
  422: 'Part of the request is not valid; `errors` or `detail` says what',
} as const

/** The errors of a route, besides those that the guard and the reading of a body document by themselves. */
export function failures(...statuses: readonly (keyof typeof sentences)[]): Readonly<Record<number, Response>> {
  return Object.fromEntries(statuses.map((status) => [status, problemResponse(sentences[status])]))
}

/** An answer with a secret in it belongs into no cache, not even the caller's own (RFC 9111 5.2.2.5). */
export function keepNowhere(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store')
}
