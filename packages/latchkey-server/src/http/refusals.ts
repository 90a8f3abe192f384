import { problem } from 'latchkey/problem/fastify'
import { Type } from 'typebox'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import { label, moment } from './wire.ts'

const record = Type.Object(
  {
    requestId: Type.String(),
    at: moment,
    route: Type.Optional(Type.String()),
    code: Type.String(),
    step: Type.String({ description: 'The step of verification that failed' }),
    why: Type.String(),
    keyId: Type.Optional(Type.String()),
    owner: Type.Optional(Type.String()),
    environment: Type.Optional(Type.String()),
  },
  { title: 'RefusalRecord' },
)

/** Why a call was refused, for those who may know. */
export function refusalRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/refusals/:requestId',
    {
      onRequest: guard.requires('refusals:read'),
      schema: {
        summary: 'Read why a call was refused a short while ago',
        tags: ['Refusals'],
        params: Type.Object({ requestId: label }),
        response: { 200: json('Why', record), ...failures(404, 422) },
      },
    },
    async (request) => {
      // As the caller read it in `instance`, or the id alone.
      const requestId = request.params.requestId.replace(/^urn:uuid:/, '')
      const found = await acting(request).refusal(requestId)
      if (found !== undefined) return found
      const detail = 'No refusal of a request with this id is remembered.'
      throw problem({ status: 404, code: 'unknown_refusal', detail })
    },
  )
}
