import type { RefusalRecord } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { described, label, refusalCodes, refusalSteps, timestamp } from './wire.ts'

const record = {
  requestId: Type.String({ description: 'The id of the request' }),
  at: described(timestamp, 'When the call was refused, in milliseconds since 1970 (UTC)'),
  route: Type.Optional(Type.String({ description: 'The route', examples: ['POST /orders/:id'] })),
  code: Type.Enum(refusalCodes, { description: 'The code of the refusal', examples: ['expired'] }),
  step: Type.Enum(refusalSteps, { description: 'The step of verification that failed', examples: ['lifetime'] }),
  why: Type.String({ description: 'Why the call was refused' }),
  keyId: Type.Optional(Type.String({ description: 'The id of the key; left out if the credential belongs to no key' })),
  owner: Type.Optional(Type.String({ description: 'The owner of the key' })),
  environment: Type.Optional(Type.String({ description: 'The environment of the key' })),
  missing: Type.Optional(
    Type.Array(Type.String(), { description: 'The scopes that the key lacks, if that is the reason' }),
  ),
} satisfies SchemasOf<RefusalRecord>

/** Why calls were refused, for admin keys that may read it. */
export function refusalRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/refusals/:requestId',
    {
      onRequest: guard.requires('refusals:read'),
      schema: {
        operationId: 'getRefusal',
        summary: 'Read why a recent call was refused',
        description:
          'Answers the reason, which the caller was not told. The id of the request is in `X-Request-Id` and in `instance` of the answer to the caller.',
        tags: ['Refusals'],
        params: Type.Object({ requestId: described(label, 'The id of the request, or `instance` of its answer') }),
        response: {
          200: json('Why the call was refused', Type.Object(record, { title: 'RefusalRecord' })),
          ...failures(404, 422),
        },
      },
    },
    async (request) => {
      // Both forms are accepted: `instance` as the caller has it, and the id alone.
      const requestId = request.params.requestId.replace(/^urn:uuid:/, '')
      const found = await acting(request).refusal(requestId)
      if (found !== undefined) return found
      const detail = 'No refused request with this id is known.'
      throw problem({ status: 404, code: 'unknown_refusal', detail })
    },
  )
}
