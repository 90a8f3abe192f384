import type { UsageCount, UsageOptions } from 'latchkey'
import { bounds } from 'latchkey'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { described, label, refusalCodes, strict, timestamp } from './wire.ts'

const count = {
  hour: described(timestamp, 'When the hour begins, in milliseconds since 1970 (UTC)'),
  key: Type.String({ description: 'The id of the key; empty if the credential belonged to no key' }),
  owner: Type.String({ description: 'The owner of the key' }),
  outcome: Type.Enum(['accepted', ...refusalCodes], {
    description: '`accepted`, or the code of the refusal',
    examples: ['accepted'],
  }),
  count: Type.Integer({ description: 'How many calls had this outcome' }),
} satisfies SchemasOf<UsageCount>

/** How many counts an answer has if a request does not say. */
const usualCounts = 1000

const filters = {
  key: Type.Optional(described(label, 'Only this key, by its id')),
  owner: Type.Optional(described(label, 'Only keys of this owner')),
  outcome: Type.Optional(described(label, 'Only this outcome: `accepted`, or the code of a refusal')),
  from: Type.Optional(described(timestamp, 'The first time that counts, in milliseconds since 1970 (UTC)')),
  to: Type.Optional(described(timestamp, 'The first time that no longer counts, in milliseconds since 1970 (UTC)')),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: bounds.usage,
      default: usualCounts,
      description: 'How many counts the answer may have',
    }),
  ),
} satisfies SchemasOf<UsageOptions>

const usage = Type.Array(Type.Object(count, { title: 'UsageCount' }))

/** How often keys were used. */
export function usageRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/usage',
    {
      onRequest: guard.requires('usage:read'),
      schema: {
        operationId: 'listUsage',
        summary: 'Read how often keys were used',
        description:
          'Answers counts of calls by hour, key and outcome; those of the last 24 hours if `from` and `to` are left out.',
        tags: ['Usage'],
        querystring: Type.Object(filters, strict),
        response: {
          200: json('The counts, as they were last written', Type.Object({ usage })),
          ...failures(404, 422),
        },
      },
    },
    async (request) => ({ usage: await acting(request).usage({ limit: usualCounts, ...request.query }) }),
  )
}
