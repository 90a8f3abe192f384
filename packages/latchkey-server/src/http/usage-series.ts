import type { UsageGroup, UsagePoints, UsageSeries, UsageSeriesOptions } from 'latchkey'
import { bounds, usageOutcomes } from 'latchkey'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { described, label, nullable, strict, timestamp } from './wire.ts'

const { points: mostPoints, top: mostSeries, days: mostDays } = bounds.usageSeries

const step = Type.Enum(['hour', 'day'], { description: 'The length of a step, in UTC' })
const by = Type.Enum(['outcome', 'environment', 'owner', 'key'], { description: 'What each series is of' })

const filters = {
  key: Type.Optional(described(label, 'Only this key, by its id')),
  owner: Type.Optional(described(label, 'Only keys that had this owner at the time')),
  environment: Type.Optional(described(label, 'Only keys of this environment')),
  outcome: Type.Optional(Type.Enum([...usageOutcomes], { description: 'Only this outcome' })),
  step: Type.Optional({ ...step, default: 'day' }),
  by: Type.Optional({ ...by, default: 'outcome' }),
  top: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: mostSeries,
      description: 'How many series the answer may have, by key or owner; 10 if left out. The rest is in `others`',
    }),
  ),
  from: Type.Optional(
    described(
      timestamp,
      `A time in the first step; at most ${mostPoints} steps before \`to\`, and ${mostDays} days by key or owner`,
    ),
  ),
  to: Type.Optional(described(timestamp, 'The first time that no longer counts, rounded up to a whole step')),
} satisfies SchemasOf<UsageSeriesOptions>

const sums = {
  count: Type.Array(Type.Integer(), { description: 'How many calls there were in each step' }),
  cost: Type.Array(Type.Integer(), { description: 'What the accepted calls cost in each step' }),
  total: Type.Object(
    {
      count: Type.Integer({ description: 'How many calls there were' }),
      cost: Type.Integer({ description: 'What the accepted calls cost' }),
    },
    { description: 'The sum of all steps' },
  ),
} satisfies SchemasOf<UsagePoints>

const group = {
  group: Type.String({
    description: 'The outcome, environment, owner or id of the key; empty for calls that belong to no key',
  }),
  ...sums,
} satisfies SchemasOf<UsageGroup>

const series = {
  step,
  by,
  from: described(timestamp, 'When the first step begins, in milliseconds since 1970 (UTC)'),
  to: described(timestamp, 'When the last step ends, in milliseconds since 1970 (UTC)'),
  asOf: described(
    timestamp,
    'Calls before this time are in the sums, if every process writes its usage as often as this one',
  ),
  series: Type.Array(Type.Object(group, { title: 'UsageGroup' }), { description: 'Those with most calls first' }),
  others: nullable(Type.Object(sums, { description: 'All that is in no series; null by outcome and by environment' })),
} satisfies SchemasOf<UsageSeries>

/** Sums of usage over time. */
export function usageSeriesRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/usage/series',
    {
      onRequest: guard.requires('usage:read'),
      schema: {
        operationId: 'sumUsage',
        summary: 'Sum up how often keys were used, by hour or day',
        description:
          'Answers a point for each hour or day, of calls and of what they cost. Calls that a report-only limit reported are counted only by outcome, or if `outcome` asks for them: they are among the accepted ones.',
        tags: ['Usage'],
        querystring: Type.Object(filters, strict),
        response: { 200: json('The sums', Type.Object(series, { title: 'UsageSeries' })), ...failures(404, 422) },
      },
    },
    async (request) => acting(request).usageSeries(request.query),
  )
}
