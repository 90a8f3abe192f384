import type { Counts, CountsOptions, EnvironmentCounts } from 'latchkey'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import { described, label, nullable, stateCounts, strict, timestamp } from './wire.ts'

const counts = {
  keys: Type.Integer({ description: 'How many keys there are' }),
  states: described(stateCounts, 'How many keys are in each state; each key has one'),
  expiring: nullable(
    Type.Integer({
      description: 'How many active and pending keys end before `expiresBefore`; null if it was left out',
    }),
  ),
}
const inEnvironment = {
  environment: Type.String({ description: 'The environment', examples: ['live'] }),
  ...counts,
} satisfies SchemasOf<EnvironmentCounts>

const answer = {
  asOf: described(timestamp, 'The time as of which the states are counted, in milliseconds since 1970 (UTC)'),
  ...counts,
  environments: Type.Array(Type.Object(inEnvironment), { description: 'The same for each environment' }),
} satisfies SchemasOf<Counts>

const filters = {
  owner: Type.Optional(described(label, 'Only keys of this owner')),
  environment: Type.Optional(described(label, 'Only keys of this environment')),
  expiresBefore: Type.Optional(
    described(timestamp, 'Also count keys that end before this time, in milliseconds since 1970 (UTC)'),
  ),
} satisfies SchemasOf<CountsOptions>

/** How many keys there are. */
export function countRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/counts',
    {
      onRequest: guard.requires('keys:read'),
      schema: {
        operationId: 'countKeys',
        summary: 'Count keys by state and environment',
        description: 'Counts the keys that the admin key sees, of one owner or of all.',
        tags: ['Keys'],
        querystring: Type.Object(filters, strict),
        response: { 200: json('How many keys there are', Type.Object(answer, { title: 'Counts' })), ...failures(422) },
      },
    },
    async (request) => acting(request).counts(request.query),
  )
}
