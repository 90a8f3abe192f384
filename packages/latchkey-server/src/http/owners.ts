import type { ChangedOwner, ListedOwner, Owner, OwnerPage, OwnerPatch, OwnersOptions } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from './type.ts'
import { etag, failures, json } from './route/answers.ts'
import { erased } from './route/erased.ts'
import { idempotencyHeader, repeated } from './route/once.ts'
import { propagated } from './route/propagated.ts'
import { ifMatch, ifMatchHeader, tellRevision } from './route/preconditions.ts'
import type { App, RouteParts } from './route/parts.ts'
import { bodyLimits } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { cursor, described, label, limits, note, nullable, pageSize, revisionText } from './wire.ts'
import { stateCounts, strict, timestamp, usualPage } from './wire.ts'

const members = {
  owner: Type.String({ description: 'The name of the owner', examples: ['acme'] }),
  disabled: Type.Boolean({ description: 'Whether all keys of the owner are refused' }),
  disabledAt: nullable(
    described(
      timestamp,
      'When the owner was disabled, in milliseconds since 1970 (UTC); null while it is not disabled',
    ),
  ),
  limits: described(limits, 'The limits that all keys of the owner share'),
  revision: Type.Integer({ description: revisionText }),
} satisfies SchemasOf<Owner>
const owner = Type.Object(members, { title: 'Owner' })

const patch = {
  disabled: Type.Optional(Type.Boolean({ description: 'Refuse all keys of the owner, or accept them again' })),
  limits: Type.Optional(nullable(members.limits)),
} satisfies SchemasOf<OwnerPatch>

const changed = { owner, ...propagated, repeated } satisfies SchemasOf<ChangedOwner>

const listed = {
  ...members,
  keys: Type.Integer({ description: 'How many keys the owner has, of those that the admin key sees' }),
  states: described(stateCounts, 'How many of them are in each state'),
} satisfies SchemasOf<ListedOwner>

const page = {
  owners: Type.Array(Type.Object(listed, { title: 'ListedOwner' })),
  cursor: nullable(Type.String({ description: 'Leads to the next page; null on the last page' })),
} satisfies SchemasOf<OwnerPage>

const filters = {
  text: Type.Optional(described(label, 'Only owners whose names begin with this; capital letters do not matter')),
  cursor: Type.Optional(cursor),
  limit: Type.Optional(pageSize),
} satisfies SchemasOf<OwnersOptions>

const ownerPath = Type.Object({ owner: described(label, 'The name of the owner') })

/** The owners of keys. */
export function ownerRoutes(app: App, { guard, acting, once }: RouteParts): void {
  app.get(
    '/v1/owners',
    {
      onRequest: guard.requires('owners:read'),
      schema: {
        operationId: 'listOwners',
        summary: 'List owners, in the order of their names',
        description:
          'Answers a page of the owners that the admin key sees: those that have a key, and those that have limits or are disabled.',
        tags: ['Owners'],
        querystring: Type.Object(filters, strict),
        response: { 200: json('A page of owners', Type.Object(page)), ...failures(422) },
      },
    },
    async (request) => acting(request).owners({ limit: usualPage, ...request.query }),
  )

  app.get(
    '/v1/owners/:owner',
    {
      onRequest: guard.requires('owners:read'),
      schema: {
        operationId: 'getOwner',
        summary: 'Read an owner',
        description: 'Answers whether the owner is disabled, and the limits that all its keys share.',
        tags: ['Owners'],
        params: ownerPath,
        response: { 200: json('The owner', owner, etag), ...failures(404, 422) },
      },
    },
    async (request, reply) => {
      const found = await acting(request).owner(request.params.owner)
      if (found === undefined) throw problem({ status: 404, code: 'unknown_owner', detail: 'No key has this owner.' })
      tellRevision(reply, found)
      return found
    },
  )

  app.patch(
    '/v1/owners/:owner',
    {
      onRequest: guard.requires('owners:write'),
      bodyLimit: bodyLimits.one,
      schema: {
        operationId: 'changeOwner',
        summary: 'Change an owner: disable or enable all its keys, or set the limits that they share',
        description:
          'Changes the fields in the body, and leaves the others as they are. Limits may be set before the owner has a key.',
        tags: ['Owners'],
        params: ownerPath,
        headers: Type.Object({ ...ifMatchHeader, ...idempotencyHeader }),
        body: Type.Object(
          { ...patch, note: Type.Optional(note) },
          {
            ...strict,
            title: 'OwnerPatch',
            examples: [{ limits: [{ name: 'hourly', limit: 10_000, window: 3600 }], note: 'Agreed with the owner' }],
          },
        ),
        response: {
          200: json('The owner after the change', Type.Object(changed), etag),
          ...failures(404, 409, 412, 422),
        },
      },
    },
    async (request, reply) => {
      const { note: words, ...asked } = request.body
      const options = { ...(words === undefined ? {} : { note: words }), ...ifMatch(request) }
      const done = await once(request, (token) =>
        acting(request).changeOwner(request.params.owner, asked, { ...options, ...token }),
      )
      tellRevision(reply, done.owner)
      return done
    },
  )

  app.delete(
    '/v1/owners/:owner',
    {
      onRequest: guard.requires('owners:erase'),
      schema: {
        operationId: 'eraseOwner',
        summary: 'Erase a disabled owner for good, with all its keys',
        description:
          'Deletes the owner, its keys and their usage, and empties the journal entries about them, which stay verifiable. Only a disabled owner can be erased, by an admin key that sees all keys. No call takes this back. With many keys it takes minutes: if it is interrupted, send it again.',
        tags: ['Owners'],
        params: ownerPath,
        headers: Type.Object({ ...ifMatchHeader, ...idempotencyHeader }),
        response: { 200: json('The owner is erased', erased), ...failures(404, 409, 412, 422) },
      },
    },
    async (request) =>
      once(request, (token) => acting(request).eraseOwner(request.params.owner, { ...ifMatch(request), ...token })),
  )
}
