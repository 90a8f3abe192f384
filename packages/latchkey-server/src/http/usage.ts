import { Type } from 'typebox'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import { label, moment } from './wire.ts'

const count = Type.Object(
  {
    hour: moment,
    key: Type.String({ description: 'Empty where the credential belonged to none' }),
    owner: Type.String(),
    outcome: Type.String({ description: '`accepted`, or the code of a refusal' }),
    count: Type.Integer(),
  },
  { title: 'UsageCount' },
)

const usageQuery = Type.Object(
  {
    key: Type.Optional(label),
    owner: Type.Optional(label),
    outcome: Type.Optional(label),
    from: Type.Optional(moment),
    to: Type.Optional(moment),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, description: '1000 if left out' })),
  },
  { additionalProperties: false },
)

/** How often keys were used. */
export function usageRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/usage',
    {
      onRequest: guard.requires('usage:read'),
      schema: {
        summary: 'Read how often keys were used, by hour, key and outcome; the last 24 hours unless told otherwise',
        tags: ['Usage'],
        querystring: usageQuery,
        response: {
          200: json('As of the last time that usage was written', Type.Object({ usage: Type.Array(count) })),
          ...failures(404, 422),
        },
      },
    },
    async (request) => ({ usage: await acting(request).usage(request.query) }),
  )
}
