import type { FastifyReply } from 'fastify'
import type { Changed } from 'latchkey'
import { bounds, revocationReasons } from 'latchkey'
import { Type } from 'typebox'
import { etag, failures, json, keepNowhere } from '../route/answers.ts'
import { bodyOptional } from '../route/body-or-none.ts'
import { idempotencyHeader, repeated } from '../route/once.ts'
import { ifMatch, ifMatchHeader, tellRevision } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { bodyLimits } from '../route/parts.ts'
import { keyDetails, keyPatch, keyPath, moment, note, nullable, tookMs } from '../wire.ts'

const strict = { additionalProperties: false }
const withNote = Type.Object({ note: Type.Optional(note) }, strict)
const rotation = Type.Object(
  {
    grace: Type.Optional(
      Type.Integer({ minimum: 0, maximum: bounds.grace, description: 'Seconds for the old secret; a day if left out' }),
    ),
    replace: Type.Optional(
      Type.Boolean({ description: 'Another secret in place of the newest, which was lost before anybody used it' }),
    ),
    note: Type.Optional(note),
  },
  strict,
)
const revocation = Type.Object(
  {
    reason: Type.Enum([...revocationReasons]),
    withIssued: Type.Optional(
      Type.Boolean({ description: 'Of an admin key: also every key with a secret that it brought about' }),
    ),
    note: Type.Optional(note),
  },
  strict,
)

const changed = Type.Object({ key: keyDetails, tookMs, repeated })
const revoked = Type.Object({
  key: keyDetails,
  alsoRevoked: Type.Integer({ description: 'With `withIssued`: how many keys besides' }),
  tookMs,
  repeated,
})
const rotated = Type.Object({
  key: keyDetails,
  secret: nullable(
    Type.String({ description: 'Shown now and never again; null where the call was made before and it is in use' }),
  ),
  oldEndsAt: moment,
  tookMs,
  repeated,
})

const headers = Type.Object({ ...ifMatchHeader, ...idempotencyHeader })

/** Changing keys, and the verbs on them. */
export function changingRoutes(app: App, { guard, acting, once }: RouteParts): void {
  const common = { onRequest: guard.requires('keys:write'), bodyLimit: bodyLimits.one }
  const described = { tags: ['Keys'], params: keyPath, headers }
  const response = { 200: json('The key as it is now', changed, etag), ...failures(404, 409, 412, 422) }

  app.patch(
    '/v1/keys/:id',
    { ...common, schema: { summary: 'Change a key', ...described, body: keyPatch, response } },
    async (request, reply) => {
      const { note: words, ...patch } = request.body
      const options = { ...noted(words), ...ifMatch(request) }
      return told(
        reply,
        await once(request, (token) => acting(request).change(request.params.id, patch, { ...options, ...token })),
      )
    },
  )

  app.post(
    '/v1/keys/:id/rotate',
    {
      ...common,
      ...bodyOptional,
      schema: {
        summary: 'Give a key a new secret; the old one works for the grace time',
        ...described,
        body: rotation,
        response: { ...response, 200: json('The key, and its new secret for the only time', rotated, etag) },
      },
    },
    async (request, reply) => {
      const options = { ...request.body, ...ifMatch(request) }
      const done = await once(request, (token) => acting(request).rotate(request.params.id, { ...options, ...token }))
      keepNowhere(reply)
      return told(reply, done)
    },
  )

  app.post(
    '/v1/keys/:id/revoke',
    {
      ...common,
      schema: {
        summary: 'Revoke a key for good',
        ...described,
        body: revocation,
        response: { ...response, 200: json('The key as it is now', revoked, etag) },
      },
    },
    async (request, reply) => {
      const options = { ...request.body, ...ifMatch(request) }
      return told(
        reply,
        await once(request, (token) => acting(request).revoke(request.params.id, { ...options, ...token })),
      )
    },
  )

  const verbs = {
    retire: 'End the old secret of a key that is being rotated, now',
    disable: 'Refuse a key until it is enabled again',
    enable: 'Accept a disabled key again',
  } as const
  for (const verb of ['retire', 'disable', 'enable'] as const) {
    app.post(
      `/v1/keys/:id/${verb}`,
      {
        ...common,
        ...bodyOptional,
        schema: { summary: verbs[verb], ...described, body: withNote, response },
      },
      async (request, reply) => {
        const options = { ...request.body, ...ifMatch(request) }
        return told(
          reply,
          await once(request, (token) => acting(request)[verb](request.params.id, { ...options, ...token })),
        )
      },
    )
  }
}

function noted(words: string | undefined): { readonly note?: string } {
  return words === undefined ? {} : { note: words }
}

function told<Done extends Pick<Changed, 'key'>>(reply: FastifyReply, done: Done): Done {
  tellRevision(reply, done.key)
  return done
}
