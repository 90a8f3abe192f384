import { bounds, keyStates } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'
import { etag, failures, json } from '../route/answers.ts'
import { tellRevision } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { environment, key, keyDetails, keyPath, label } from '../wire.ts'

const listQuery = Type.Object(
  {
    owner: Type.Optional(label),
    environment: Type.Optional(environment),
    state: Type.Optional(Type.Enum([...keyStates])),
    scope: Type.Optional(label),
    text: Type.Optional(
      Type.String({ minLength: 1, maxLength: bounds.label, description: 'Part of an id, a name, an owner or a start' }),
    ),
    issuedBy: Type.Optional(
      Type.String({
        ...label,
        description: 'An admin key: only keys with a secret that works and that it brought about',
      }),
    ),
    cursor: Type.Optional(Type.String({ pattern: '^[0-9]{1,15}$', description: 'From the page before' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: bounds.page, description: '100 if left out' })),
  },
  { additionalProperties: false },
)

const keyPage = Type.Object({
  keys: Type.Array(key),
  cursor: Type.Unsafe<string | null>({
    type: ['string', 'null'],
    description: 'Leads to the next page; null on the last',
  }),
})

/** Reading keys. */
export function readingRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/keys',
    {
      onRequest: guard.requires('keys:read'),
      schema: {
        summary: 'List keys in the order of issue',
        tags: ['Keys'],
        querystring: listQuery,
        response: { 200: json('A page of keys', keyPage), ...failures(422) },
      },
    },
    async (request) => acting(request).list(request.query),
  )

  app.get(
    '/v1/keys/:id',
    {
      onRequest: guard.requires('keys:read'),
      schema: {
        summary: 'Read a key',
        tags: ['Keys'],
        params: keyPath,
        response: { 200: json('The key', keyDetails, etag), ...failures(404, 422) },
      },
    },
    async (request, reply) => {
      const found = await acting(request).find(request.params.id)
      // In the words of the verbs, so that there is one answer to an id that is not there, or is another's.
      if (found === undefined) throw problem({ status: 404, code: 'unknown_key', detail: 'No key has this id.' })
      tellRevision(reply, found)
      return found
    },
  )
}
