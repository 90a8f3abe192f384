import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem } from 'latchkey/problem/fastify'
import { Type } from '../type.ts'

/** A header of every route that changes something. */
export const ifMatchHeader = {
  'if-match': Type.Optional(
    Type.String({
      maxLength: 1000,
      description: 'The ETag of an earlier answer, or a list of them: change only if nobody has changed it since',
    }),
  ),
}

/** The revision of nothing: a well-formed tag that is not one of ours matches nothing (RFC 9110 13.1.1). */
const never = -1

const entityTag = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`
const entityTags = new RegExp(String.raw`^[ \t,]*${entityTag}(?:[ \t]*,[ \t,]*${entityTag})*[ \t,]*$`)

/**
 * The revision that `If-Match` names, as the keyring's verbs take it. Of a list it is the newest: revisions only grow, so
 * the older ones in the list are outdated.
 *
 * @throws a problem, 400, if it is not an entity tag or a list of them.
 */
export function ifMatch({ headers }: FastifyRequest): { readonly ifRevision?: number } {
  const text = headers['if-match']
  // `*` matches every revision. A key that does not exist is 404 in any case.
  if (text === undefined || text === '*') return {}
  if (!entityTags.test(text)) {
    throw problem({ status: 400, code: 'bad_request', detail: 'If-Match must be entity tags, such as "12".' })
  }
  // The comparison is strong (RFC 9110 13.1.1): a weak tag matches nothing.
  const tags = text.match(new RegExp(entityTag, 'g')) ?? []
  const revisions = tags.filter((tag) => /^"[0-9]{1,15}"$/.test(tag)).map((tag) => Number(tag.slice(1, -1)))
  return { ifRevision: Math.max(never, ...revisions) }
}

/** Sends the revision as the ETag of the answer. */
export function tellRevision(reply: FastifyReply, { revision }: { readonly revision: number }): void {
  reply.header('etag', `"${revision}"`)
}
