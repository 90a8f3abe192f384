import type { FastifyReply, FastifyRequest } from 'fastify'
import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'

/** For the headers of routes that change something. */
export const ifMatchHeader = {
  'if-match': Type.Optional(
    Type.String({
      maxLength: 1000,
      description: 'The ETag of an earlier answer, or a list of them: change only if nobody has changed it since',
    }),
  ),
}

/** No revision: a tag that is well-formed but none of ours matches nothing (RFC 9110 13.1.1). */
const never = -1

const entityTag = String.raw`(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"`
const entityTags = new RegExp(String.raw`^[ \t,]*${entityTag}(?:[ \t]*,[ \t,]*${entityTag})*[ \t,]*$`)

/**
 * The revision that `If-Match` asks for, as the keyring's verbs take it. Of a list that is the newest: revisions only
 * grow, so that whoever has read one knows that those before it are over.
 *
 * @throws a problem, 400, for what is no entity tag and no list of them.
 */
export function ifMatch({ headers }: FastifyRequest): { readonly ifRevision?: number } {
  const text = headers['if-match']
  // `*` is any revision at all, and what does not exist is 404.
  if (text === undefined || text === '*') return {}
  if (!entityTags.test(text)) {
    throw problem({ status: 400, code: 'bad_request', detail: 'If-Match must be entity tags, such as "12".' })
  }
  // The comparison is strong (RFC 9110 13.1.1): a weak tag matches nothing.
  const tags = text.match(new RegExp(entityTag, 'g')) ?? []
  const revisions = tags.filter((tag) => /^"[0-9]{1,15}"$/.test(tag)).map((tag) => Number(tag.slice(1, -1)))
  return { ifRevision: Math.max(never, ...revisions) }
}

/** Tells the revision of what is answered. */
export function tellRevision(reply: FastifyReply, { revision }: { readonly revision: number }): void {
  reply.header('etag', `"${revision}"`)
}
