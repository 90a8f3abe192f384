import { bounds } from 'latchkey'
import { Type } from '../type.ts'
import { etag, failures, json, keepNowhere } from '../route/answers.ts'
import { idempotencyHeader } from '../route/once.ts'
import { tellRevision } from '../route/preconditions.ts'
import type { App, RouteParts } from '../route/parts.ts'
import { bodyLimits } from '../route/parts.ts'
import { strict } from '../wire.ts'
import { importedKey, keyDetails, newKey, smallest } from './bodies.ts'
import { importable } from './fields.ts'

const secret = Type.String({ description: 'The secret. It is shown only now and cannot be read again' })

const first = Type.Literal(false, { description: 'This call was not made before with the same Idempotency-Key' })
const again = Type.Literal(true, { description: 'This call was made before with the same Idempotency-Key' })

const issued = Type.Object({ key: keyDetails, secret, repeated: first })
const issuedBefore = Type.Object({
  key: keyDetails,
  secret: Type.Null({ description: 'It was shown before and cannot be read again' }),
  repeated: again,
})
const issuedMany = Type.Object({ created: Type.Array(Type.Object({ key: keyDetails, secret })), repeated: first })
const skipped = Type.Array(Type.Integer(), {
  description: 'The places in the request, from 0, of the keys that were left out because their secrets are known',
})
const importedMany = Type.Object({ created: Type.Array(keyDetails), skipped, repeated: first })
const before = Type.Object({ keys: Type.Array(keyDetails), repeated: again })

const hash = importable.hash.example
const algorithm = importable.algorithm.example
const bits = importable.bits.example
const bulk = { minItems: 1, maxItems: bounds.bulk }
const manyKeys = Type.Object(
  { keys: Type.Array(newKey, bulk) },
  { ...strict, examples: [{ keys: [smallest, { ...smallest, name: 'Mobile app' }] }] },
)
const skipKnown = Type.Boolean({
  description: 'Whether keys whose secrets are known are left out; otherwise one such key is a conflict',
})
const manyImportedKeys = Type.Object(
  { keys: Type.Array(importedKey, bulk), skipKnown: Type.Optional(skipKnown) },
  {
    ...strict,
    examples: [{ keys: [{ ...smallest, name: 'Old web shop', hash, algorithm, bits }], skipKnown: true }],
  },
)

/** Creating keys. With an `Idempotency-Key`, repeating a call answers the same keys, without their secrets. */
export function creatingRoutes(app: App, { guard, acting, once }: RouteParts): void {
  const headers = Type.Object(idempotencyHeader)

  app.post(
    '/v1/keys',
    {
      onRequest: guard.requires('keys:write'),
      bodyLimit: bodyLimits.one,
      schema: {
        operationId: 'issueKey',
        summary: 'Issue a key',
        description:
          'Issues a key and answers its secret, which cannot be read again. Repeated with the same `Idempotency-Key`, the call issues nothing more, and answers the key without its secret.',
        tags: ['Keys'],
        headers,
        body: newKey,
        response: {
          200: json('Repeated: the key exists already, and its secret was shown before', issuedBefore, etag),
          201: json('The new key and its secret', issued, { ...etag, Location: 'The path of the key' }),
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
        operationId: 'issueKeys',
        summary: `Issue up to ${bounds.bulk} keys: all of them or none`,
        description:
          'Issues several keys in one change and answers their secrets, which cannot be read again. If one of the keys is refused, none is issued.',
        tags: ['Keys'],
        headers,
        body: manyKeys,
        response: {
          200: json('Repeated: the keys exist already, and their secrets were shown before', before),
          201: json('The new keys and their secrets, in the order of the request', issuedMany),
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
        operationId: 'importKeys',
        summary: `Import up to ${bounds.bulk} keys from another system by the hashes of their secrets: all of them or none`,
        description:
          'Adds keys that callers have already: they go on with the secrets that they have, and no secret is sent here.',
        tags: ['Keys'],
        headers,
        body: manyImportedKeys,
        response: {
          200: json('Repeated: the keys exist already', before),
          201: json('The imported keys, in the order of the request, without those that were left out', importedMany),
          ...failures(409, 422),
        },
      },
    },
    async (request, reply) => {
      const { keys, skipKnown: skips = false } = request.body
      const done = await once(request, (options) => acting(request).importMany(keys, { ...options, skipKnown: skips }))
      if (!done.repeated) reply.code(201)
      return done
    },
  )
}
