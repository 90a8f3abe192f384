import type { UsageCount, UsageOptions } from 'latchkey'
import { bounds, usageOutcomes } from 'latchkey'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { cursor, described, label, nullable, strict, timestamp } from './wire.ts'

const count = {
  hour: described(timestamp, 'When the hour begins, in milliseconds since 1970 (UTC)'),
  key: Type.String({ description: 'The id of the key; empty if the credential belonged to no key' }),
  owner: Type.String({ description: 'The owner that the key had at the time; empty if there is no key' }),
  environment: Type.String({ description: 'The environment of the key; empty if there is no key' }),
  outcome: Type.Enum([...usageOutcomes], {
    description: '`accepted`, the code of the refusal, or `over_limit_reported`, which counts accepted calls once more',
    examples: ['accepted'],
  }),
  limitName: Type.String({ description: 'The name of the limit that had no room; empty with other outcomes' }),
  count: Type.Integer({ description: 'How many calls had this outcome' }),
  cost: Type.Integer({ description: 'What the accepted calls cost; 0 with other outcomes' }),
} satisfies SchemasOf<UsageCount>

/** How many counts a page has if a request does not say. */
const usualCounts = 1000

const filters = {
  key: Type.Optional(described(label, 'Only this key, by its id')),
  owner: Type.Optional(described(label, 'Only keys of this owner')),
  environment: Type.Optional(described(label, 'Only keys of this environment')),
  outcome: Type.Optional(Type.Enum([...usageOutcomes], { description: 'Only this outcome' })),
  limitName: Type.Optional(
    described(label, 'Only calls for which this limit had no room; a limit of the owner is `owner:` and its name'),
  ),
  from: Type.Optional(described(timestamp, 'The first time that counts, in milliseconds since 1970 (UTC)')),
  to: Type.Optional(described(timestamp, 'The first time that no longer counts, in milliseconds since 1970 (UTC)')),
  order: Type.Optional(Type.Enum(['newest', 'oldest'], { default: 'oldest', description: 'Which counts come first' })),
  cursor: Type.Optional(cursor),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: bounds.usage,
      default: usualCounts,
      description: 'How many counts the page may have',
    }),
  ),
} satisfies SchemasOf<UsageOptions>

const usagePage = Type.Object({
  usage: Type.Array(Type.Object(count, { title: 'UsageCount' })),
  cursor: nullable(Type.String({ description: '`cursor` of the next page; null on the last page' })),
})

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
          'Answers a page of counts of calls by hour, key, owner, environment, outcome and limit; those of the last 24 hours if `from` and `to` are left out.',
        tags: ['Usage'],
        querystring: Type.Object(filters, strict),
        response: {
          200: json('The counts, as they were last written', usagePage),
          ...failures(404, 422),
        },
      },
    },
    async (request) => acting(request).usage({ limit: usualCounts, ...request.query }),
  )
}
