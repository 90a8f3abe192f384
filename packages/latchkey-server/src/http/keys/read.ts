import type { KeyPage, KeyState, ListOptions, MetadataFilter } from 'latchkey'
import { bounds, keyStates, listOrders } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from '../type.ts'
import { etag, failures, json } from '../route/answers.ts'
import { tellRevision } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import type { SchemasOf } from '../wire.ts'
import { cursor, described, label, nullable, pageSize, strict, timestamp, usualPage } from '../wire.ts'
import { key, keyDetails, keyPath } from './bodies.ts'
import { settable, settableOnce } from './fields.ts'

const filters = {
  owner: Type.Optional(described(settable.owner.asked, 'Only keys of this owner')),
  environment: Type.Optional(described(settableOnce.environment.asked, 'Only keys of this environment')),
  state: Type.Optional(
    // The keyring refuses other states, and names these. A pattern would be refused with the pattern.
    Type.String({
      maxLength: bounds.label,
      description: `Only keys in this state, or in any of several with commas between: ${keyStates.join(', ')}`,
    }),
  ),
  scope: Type.Optional(described(label, 'Only keys that have this scope, or all scopes of its resource')),
  text: Type.Optional(
    described(
      label,
      'Only keys with this text in their id, name, owner or start; one or two characters: at the beginning of their name, owner or start. The capital letters of ASCII do not matter',
    ),
  ),
  issuedBy: Type.Optional(
    described(label, 'Only keys with a secret that works and that this admin key issued, imported or rotated'),
  ),
  expiresBefore: Type.Optional(described(timestamp, 'Only keys that expire before this time')),
  neverExpires: Type.Optional(Type.Boolean({ description: 'Only keys that never expire; false: only those that do' })),
  unusedSince: Type.Optional(
    described(timestamp, 'Only keys last used before this time; of those never used, the ones created before it'),
  ),
  metadata: Type.Optional(
    Type.String({
      contentMediaType: 'application/json',
      minLength: 1,
      maxLength: bounds.cursor,
      description: `Only keys whose metadata has all of 1 to ${bounds.metadata.asked.members} members of its first level, as JSON: \`{"plan":"gold","seats":5}\`. A value is a text, a number, true or false; null is a member that is not there`,
    }),
  ),
  rotating: Type.Optional(
    Type.Boolean({ description: 'Only keys with an old secret that still works; false: only those without' }),
  ),
  order: Type.Optional(
    Type.Enum([...listOrders], {
      default: 'oldest',
      description:
        'The order of the keys. `oldest`: the first issued first. `newest`: the last issued first. `last_used`: the last used first, then those never used. `expires`: the first to expire first, then those that never expire. `name`: by the code points of the name',
    }),
  ),
  cursor: Type.Optional(cursor),
  count: Type.Optional(
    Type.Boolean({ description: 'Whether all keys that meet the filters are counted too, up to 1,000' }),
  ),
  limit: Type.Optional(pageSize),
} satisfies SchemasOf<ListOptions>

const keyPage = Type.Object({
  keys: Type.Array(key),
  cursor: nullable(
    Type.String({
      description:
        'Leads to the next page; null on the last page, and on no other: a page may have fewer keys than its limit, or none, where very many were looked at',
    }),
  ),
  total: Type.Optional(
    Type.Object(
      {
        count: Type.Integer({ description: 'How many keys meet the filters, on all pages together; 1,000 at most' }),
        more: Type.Boolean({ description: 'Whether there are, or may be, more than that' }),
      },
      { title: 'KeyCount' },
    ),
  ),
} satisfies SchemasOf<KeyPage>)

/** The members in JSON that was sent. The keyring refuses by its name what is none. */
function membersIn(sent: string): MetadataFilter {
  try {
    return JSON.parse(sent) as MetadataFilter
  } catch {
    return sent as unknown as MetadataFilter
  }
}

/** Reading keys. */
export function readingRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/keys',
    {
      onRequest: guard.requires('keys:read'),
      schema: {
        operationId: 'listKeys',
        summary: 'List keys',
        description: 'Answers a page of the keys that the admin key sees and that meet every filter, in an order.',
        tags: ['Keys'],
        querystring: Type.Object(filters, strict),
        response: { 200: json('A page of keys', keyPage), ...failures(422) },
      },
    },
    async (request) => {
      const { state, metadata, ...query } = request.query
      const states = state === undefined ? {} : { state: state.split(',') as readonly KeyState[] }
      const members = metadata === undefined ? {} : { metadata: membersIn(metadata) }
      return acting(request).list({ limit: usualPage, ...query, ...states, ...members })
    },
  )

  app.get(
    '/v1/keys/:id',
    {
      onRequest: guard.requires('keys:read'),
      schema: {
        operationId: 'getKey',
        summary: 'Read a key',
        description:
          'Answers one key, with the secrets that work, by their first characters, and what is left of its quota.',
        tags: ['Keys'],
        params: keyPath,
        response: { 200: json('The key', keyDetails, etag), ...failures(404, 422) },
      },
    },
    async (request, reply) => {
      const found = await acting(request).find(request.params.id)
      // The same words as the verbs use: the ids of unknown keys and of keys out of sight get the same answer.
      if (found === undefined) throw problem({ status: 404, code: 'unknown_key', detail: 'No key has this id.' })
      tellRevision(reply, found)
      return found
    },
  )
}
