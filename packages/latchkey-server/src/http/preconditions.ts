import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'

/** For the headers of routes that change something. */
export const ifMatchHeader = {
  'if-match': Type.Optional(Type.String({ maxLength: 100, description: 'An ETag that was read' })),
}

/** No revision: a tag that is well-formed but none of ours matches nothing (RFC 9110 13.1.1). */
const never = -1

/**
 * The revision that `If-Match` asks for, as the keyring's verbs take it.
 *
 * @throws a problem, 400, for what is not one entity tag.
 */
export function ifMatch({ headers }: FastifyRequest): { readonly ifRevision?: number } {
  const text = headers['if-match']
  // `*` is any revision at all, and what does not exist is 404.
  if (text === undefined || text === '*') return {}
  const [, weak, tag] = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/.exec(text) ?? []
  if (tag === undefined) {
    throw problem({ status: 400, code: 'bad_request', detail: 'If-Match must be one entity tag, such as "12".' })
  }
  // The comparison is strong (RFC 9110 13.1.1): a weak tag matches nothing.
  return { ifRevision: weak === undefined && /^[0-9]{1,15}$/.test(tag) ? Number(tag) : never }
}

/** Tells the revision of what is answered. */
export function tellRevision(reply: FastifyReply, { revision }: { readonly revision: number }): void {
  reply.header('etag', `"${revision}"`)
}
