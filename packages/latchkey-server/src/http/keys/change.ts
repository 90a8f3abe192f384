import type { FastifyReply } from 'fastify'
import type { Changed, ChangeOptions, Revoked, RevokeOptions, RotatedOrRepeated, RotateOptions } from 'latchkey'
import { bounds, revocationReasons } from 'latchkey'
import { Type } from '../type.ts'
import { etag, failures, json, keepNowhere } from '../route/answers.ts'
import { bodyOptional } from '../route/body-or-none.ts'
import { idempotencyHeader, repeated } from '../route/once.ts'
import { propagated } from '../route/propagated.ts'
import { ifMatch, ifMatchHeader, tellRevision } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { bodyLimits } from '../route/parts.ts'
import type { SchemasOf } from '../wire.ts'
import { note, strict, timestamp } from '../wire.ts'
import { keyDetails, keyPatch, keyPath } from './bodies.ts'

/** The options that are not in the body: they are headers, or follow from the admin key. */
type NotInBody = 'actor' | 'ifRevision' | 'idempotencyKey'

const noted = { note: Type.Optional(note) } satisfies SchemasOf<Omit<ChangeOptions, NotInBody>>
const rotationOptions = {
  grace: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: bounds.grace,
      description: 'For how many seconds the old secret still works; one day if left out',
    }),
  ),
  replace: Type.Optional(
    Type.Boolean({
      description: 'Replace the newest secret, which was lost before it was used; the old secret ends as planned',
    }),
  ),
  ...noted,
} satisfies SchemasOf<Omit<RotateOptions, NotInBody>>
const revocation = {
  reason: Type.Enum([...revocationReasons], { description: 'Why the key is revoked' }),
  withIssued: Type.Optional(
    Type.Boolean({
      description: 'For an admin key: also revoke every key that has a secret which it issued, imported or rotated',
    }),
  ),
  ...noted,
} satisfies SchemasOf<Omit<RevokeOptions, NotInBody>>

const changed = { key: keyDetails, ...propagated, repeated } satisfies SchemasOf<Changed>
const revoked = {
  ...changed,
  alsoRevoked: Type.Integer({ description: 'With `withIssued`: how many other keys were revoked' }),
} satisfies SchemasOf<Revoked>
const rotated = {
  ...changed,
  secret: Type.String({ description: 'The new secret. It is shown only now and cannot be read again' }),
  oldEndsAt: Type.Integer({
    ...timestamp,
    description: 'When the old secret stops working, in milliseconds since 1970 (UTC)',
  }),
} satisfies SchemasOf<RotatedOrRepeated>
const rotatedBefore = {
  ...rotated,
  secret: Type.Null({ description: 'The call is repeated, and the new secret is in use: it cannot be read again' }),
}
const rotation = Type.Union([Type.Object(rotated), Type.Object(rotatedBefore)], { title: 'Rotation' })

const headers = Type.Object({ ...ifMatchHeader, ...idempotencyHeader })

/** Changing keys, and the verbs on them. */
export function changingRoutes(app: App, { guard, acting, once }: RouteParts): void {
  const common = { onRequest: guard.requires('keys:write'), bodyLimit: bodyLimits.one }
  const described = { tags: ['Keys'], params: keyPath, headers }
  const response = {
    200: json('The key after the change', Type.Object(changed), etag),
    ...failures(404, 409, 412, 422),
  }

  app.patch(
    '/v1/keys/:id',
    {
      ...common,
      schema: {
        operationId: 'changeKey',
        summary: 'Change a key',
        description: 'Changes the fields in the body, and leaves the others as they are.',
        ...described,
        body: keyPatch,
        response,
      },
    },
    async (request, reply) => {
      const { note: words, ...patch } = request.body
      const options = { ...withNote(words), ...ifMatch(request) }
      const { id } = request.params
      const done = await once(request, (token) => acting(request).change(id, patch, { ...options, ...token }))
      return withRevision(reply, done)
    },
  )

  app.post(
    '/v1/keys/:id/rotate',
    {
      ...common,
      ...bodyOptional,
      schema: {
        operationId: 'rotateKey',
        summary: 'Rotate a key: give it a new secret, and let the old one work for a while',
        description:
          'Answers the new secret, which cannot be read again. Both secrets work until `oldEndsAt`. The body may be left out.',
        ...described,
        body: Type.Object(rotationOptions, {
          ...strict,
          examples: [{ grace: 86_400, note: 'The yearly rotation' }],
        }),
        response: { ...response, 200: json('The key and its new secret', rotation, etag) },
      },
    },
    async (request, reply) => {
      const options = { ...request.body, ...ifMatch(request) }
      const done = await once(request, (token) => acting(request).rotate(request.params.id, { ...options, ...token }))
      keepNowhere(reply)
      return withRevision(reply, done)
    },
  )

  app.post(
    '/v1/keys/:id/revoke',
    {
      ...common,
      schema: {
        operationId: 'revokeKey',
        summary: 'Revoke a key permanently',
        description: 'Refuses all secrets of the key from now on. No call takes this back.',
        ...described,
        body: Type.Object(revocation, { ...strict, examples: [{ reason: 'unused', note: 'The shop is closed' }] }),
        response: { ...response, 200: json('The key after the change', Type.Object(revoked), etag) },
      },
    },
    async (request, reply) => {
      const options = { ...request.body, ...ifMatch(request) }
      const done = await once(request, (token) => acting(request).revoke(request.params.id, { ...options, ...token }))
      return withRevision(reply, done)
    },
  )

  const verbs = [
    [
      'retire',
      'End the old secret of a rotated key now',
      'Ends the old secret before the time that the rotation gave it. Changes nothing if the key has only one secret.',
    ],
    [
      'disable',
      'Disable a key: refuse it until it is enabled',
      'Refuses the key from now on. Changes nothing if it is disabled already.',
    ],
    ['enable', 'Enable a disabled key', 'Accepts the key again. Changes nothing if it is not disabled.'],
  ] as const
  for (const [verb, summary, description] of verbs) {
    app.post(
      `/v1/keys/:id/${verb}`,
      {
        ...common,
        ...bodyOptional,
        schema: {
          operationId: `${verb}Key`,
          summary,
          description: `${description} The body may be left out.`,
          ...described,
          body: Type.Object(noted, { ...strict, examples: [{ note: 'Agreed with the owner' }] }),
          response,
        },
      },
      async (request, reply) => {
        const options = { ...request.body, ...ifMatch(request) }
        const done = await once(request, (token) => acting(request)[verb](request.params.id, { ...options, ...token }))
        return withRevision(reply, done)
      },
    )
  }
}

function withNote(words: string | undefined): { readonly note?: string } {
  return words === undefined ? {} : { note: words }
}

function withRevision<Done extends Pick<Changed, 'key'>>(reply: FastifyReply, done: Done): Done {
  tellRevision(reply, done.key)
  return done
}
