import type { FastifyReply } from 'fastify'
import { problemResponse } from 'latchkey/problem/fastify'
import type { TSchema } from 'typebox'

/** A response as OpenAPI writes it. It has no types: handlers answer with the library's own, and a test compares the two. */
export type Response = Readonly<Record<string, unknown>>

/** A JSON answer and its headers. */
export function json(description: string, schema: TSchema, headers: Readonly<Record<string, string>> = {}): Response {
  const described = Object.entries(headers).map(([name, what]) => [name, { type: 'string', description: what }])
  return { description, headers: Object.fromEntries(described), content: { 'application/json': { schema } } }
}

/** The header with the entity tag. */
export const etag: Readonly<Record<string, string>> = { ETag: 'The revision, to send as If-Match' }

const sentences = {
  400: 'The request is malformed',
  404: 'Not found, or the admin key does not see it',
  409: 'Not possible in its present state; `code` says why',
  412: 'Changed since the revision in If-Match',
  422: 'Part of the request is not valid; `errors` or `detail` says what',
} as const

/** The errors of a route, besides those that the guard and the reading of a body document by themselves. */
export function failures(...statuses: readonly (keyof typeof sentences)[]): Readonly<Record<number, Response>> {
  return Object.fromEntries(statuses.map((status) => [status, problemResponse(sentences[status])]))
}

/** Keeps an answer with a secret out of every cache, also the caller's own (RFC 9111 5.2.2.5). */
export function keepNowhere(reply: FastifyReply): void {
  reply.header('cache-control', 'no-store')
}
