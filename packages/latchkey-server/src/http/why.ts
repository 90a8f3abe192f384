import type { Cause, OutcomeCount, Why, WhyOptions } from 'latchkey'
import { bounds } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { journalEntry } from './journal.ts'
import { refusalRecord } from './refusals.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import { Type } from './type.ts'
import type { SchemasOf } from './wire.ts'
import { described, label, refusalCodes, strict, timestamp } from './wire.ts'

const filters = {
  owner: Type.Optional(described(label, 'The owner that is asked about; without owner, key and requestId, all calls')),
  key: Type.Optional(described(label, 'The key that is asked about, by its id')),
  requestId: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: bounds.requestId + 9,
      description: 'The request that is asked about: its id, or `instance` of its answer',
    }),
  ),
  at: Type.Optional(
    described(timestamp, 'The time that is asked about, in milliseconds since 1970 (UTC); now if left out'),
  ),
  minutes: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1440,
      default: 10,
      description: 'How many minutes before that time and after it are looked at',
    }),
  ),
} satisfies SchemasOf<WhyOptions>

const cause = {
  key: Type.String({ description: 'The id of the key that was refused' }),
  code: Type.Enum(refusalCodes, { description: 'The code of the refusals', examples: ['secret_ended'] }),
  entry: journalEntry,
} satisfies SchemasOf<Cause>

const outcomeCount = {
  hour: described(timestamp, 'When the hour begins, in milliseconds since 1970 (UTC)'),
  outcome: Type.String({ description: '`accepted`, or the code of a refusal', examples: ['accepted'] }),
  count: Type.Integer({ description: 'How many calls had this outcome' }),
} satisfies SchemasOf<OutcomeCount>

const members = {
  from: described(timestamp, 'The first time that is looked at, in milliseconds since 1970 (UTC)'),
  to: described(timestamp, 'The first time that is no longer looked at, in milliseconds since 1970 (UTC)'),
  refusal: Type.Union([refusalRecord, Type.Null()], {
    description: 'The refusal of the request that was asked about; null if none was',
  }),
  refusals: Type.Array(refusalRecord, { description: 'The calls that were refused then, the newest first' }),
  entries: Type.Array(journalEntry, { description: 'The changes of then, the newest first' }),
  causes: Type.Array(Type.Object(cause, { title: 'Cause' }), {
    description: 'The changes, of then or from before, that led to the refusals',
  }),
  usage: Type.Array(Type.Object(outcomeCount, { title: 'OutcomeCount' }), {
    description: 'How many calls had which outcome, in the hours that this time touches',
  }),
  complete: Type.Boolean({
    description: 'Whether `refusals` and `entries` have everything: each has 1,000 items at most',
  }),
} satisfies SchemasOf<Why>

/** Why calls fail: what support asks when a customer calls. */
export function whyRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/why',
    {
      onRequest: guard.requires('refusals:read', 'journal:read', 'usage:read'),
      schema: {
        operationId: 'explainRefusals',
        summary: 'Read what happened to the calls of an owner, a key or a request',
        description:
          'Answers the refusals, the changes and the usage round a time, and the changes that led to the refusals. It needs three scopes: `refusals:read`, `journal:read` and `usage:read`.',
        tags: ['Refusals'],
        querystring: Type.Object(filters, strict),
        response: { 200: json('What happened', Type.Object(members, { title: 'Why' })), ...failures(404, 422) },
      },
    },
    async (request) => {
      const answer = await acting(request).why(request.query)
      if (answer !== undefined) return answer
      const detail = 'No refused request with this id is known.'
      throw problem({ status: 404, code: 'unknown_refusal', detail })
    },
  )
}
