import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'
import { etag, failures, json } from './route/answers.ts'
import { idempotencyHeader, repeated } from './route/once.ts'
import { ifMatch, ifMatchHeader, tellRevision } from './route/preconditions.ts'
import type { App, RouteParts } from './route/parts.ts'
import { bodyLimits } from './route/parts.ts'
import { label, limits, moment, note, nullable, tookMs } from './wire.ts'

const owner = Type.Object(
  {
    owner: Type.String(),
    disabled: Type.Boolean({ description: 'All its keys are refused' }),
    disabledAt: nullable(moment),
    limits,
    revision: Type.Integer({ description: 'Grows with every change; in quotation marks it is the ETag' }),
  },
  { title: 'Owner' },
)

const ownerPatch = Type.Object(
  {
    disabled: Type.Optional(Type.Boolean()),
    limits: Type.Optional(nullable(limits)),
    note: Type.Optional(note),
  },
  { additionalProperties: false, title: 'OwnerPatch' },
)

const ownerPath = Type.Object({ owner: label })

/** Whom keys belong to. */
export function ownerRoutes(app: App, { guard, acting, once }: RouteParts): void {
  app.get(
    '/v1/owners/:owner',
    {
      onRequest: guard.requires('owners:read'),
      schema: {
        summary: 'Read an owner',
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
        summary: 'Disable or enable all keys of an owner, or set the limits that they share',
        tags: ['Owners'],
        params: ownerPath,
        headers: Type.Object({ ...ifMatchHeader, ...idempotencyHeader }),
        body: ownerPatch,
        response: {
          200: json('The owner as it is now', Type.Object({ owner, tookMs, repeated }), etag),
          ...failures(404, 409, 412, 422),
        },
      },
    },
    async (request, reply) => {
      const { note: words, ...patch } = request.body
      const options = { ...(words === undefined ? {} : { note: words }), ...ifMatch(request) }
      const done = await once(request, (token) =>
        acting(request).changeOwner(request.params.owner, patch, { ...options, ...token }),
      )
      tellRevision(reply, done.owner)
      return done
    },
  )
}
