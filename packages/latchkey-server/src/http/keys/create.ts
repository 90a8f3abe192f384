import { bounds } from 'latchkey'
import { Type } from 'typebox'
import { etag, failures, json, keepNowhere } from '../route/answers.ts'
import { idempotencyHeader, repeated } from '../route/once.ts'
import { tellRevision } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { bodyLimits } from '../route/parts.ts'
import { importedKey, keyDetails, newKey, nullable } from '../wire.ts'

const secret = Type.String({ description: 'Shown now and never again' })

const issued = Type.Object({ key: keyDetails, secret: nullable(secret), repeated })
const issuedMany = Type.Object({ created: Type.Array(Type.Object({ key: keyDetails, secret })), repeated })
const importedMany = Type.Object({ created: Type.Array(keyDetails), repeated })
const before = Type.Object({ keys: Type.Array(keyDetails), repeated })

const manyKeys = Type.Object(
  { keys: Type.Array(newKey, { minItems: 1, maxItems: bounds.bulk }) },
  { additionalProperties: false },
)
const manyImportedKeys = Type.Object(
  { keys: Type.Array(importedKey, { minItems: 1, maxItems: bounds.bulk }) },
  { additionalProperties: false },
)

/** Creating keys. With `Idempotency-Key` a call happens once: its repetition gets the same keys, without their secrets. */
export function creatingRoutes(app: App, { guard, acting, once }: RouteParts): void {
  const headers = Type.Object(idempotencyHeader)

  app.post(
    '/v1/keys',
    {
      onRequest: guard.requires('keys:write'),
      bodyLimit: bodyLimits.one,
      schema: {
        summary: 'Issue a key',
        tags: ['Keys'],
        headers,
        body: newKey,
        response: {
          200: json('The call was made before; the secret was shown then', issued, etag),
          201: json('The key, and its secret for the only time', issued, { ...etag, Location: 'Where the key is' }),
          ...failures(409, 422),
        },
      },
    },
    async (request, reply) => {
      const done = await once(request, (options) => acting(request).issueMany([request.body], options))
      keepNowhere(reply)
      const key = done.repeated ? done.keys[0] : done.created[0]?.key
      if (key === undefined) throw new TypeError('A creating call answered without a key.')
      tellRevision(reply, key)
      if (done.repeated) return { key, secret: null, repeated: true }
      reply.code(201).header('location', `${app.prefix}/v1/keys/${encodeURIComponent(key.id)}`)
      return { key, secret: done.created[0]?.secret, repeated: false }
    },
  )

  app.post(
    '/v1/keys/bulk',
    {
      onRequest: guard.requires('keys:write'),
      bodyLimit: bodyLimits.many,
      schema: {
        summary: `Issue up to ${bounds.bulk} keys, all or none`,
        tags: ['Keys'],
        headers,
        body: manyKeys,
        response: {
          200: json('The call was made before; the secrets were shown then', before),
          201: json('The keys, in order, and their secrets for the only time', issuedMany),
          ...failures(409, 422),
        },
      },
    },
    async (request, reply) => {
      const done = await once(request, (options) => acting(request).issueMany(request.body.keys, options))
      keepNowhere(reply)
      if (!done.repeated) reply.code(201)
      return done
    },
  )

  app.post(
    '/v1/keys/import',
    {
      onRequest: guard.requires('keys:write'),
      bodyLimit: bodyLimits.many,
      schema: {
        summary: `Take in up to ${bounds.bulk} keys that were made elsewhere, by the hashes of their secrets, all or none`,
        tags: ['Keys'],
        headers,
        body: manyImportedKeys,
        response: {
          200: json('The call was made before', before),
          201: json('The keys, in order', importedMany),
          ...failures(409, 422),
        },
      },
    },
    async (request, reply) => {
      const done = await once(request, (options) => acting(request).importMany(request.body.keys, options))
      if (!done.repeated) reply.code(201)
      return done
    },
  )
}
