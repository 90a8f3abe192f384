import type {
  LimitRefusalRecord,
  PlainRefusalRecord,
  RefusalFacts,
  RefusalPage,
  RefusalsOptions,
  ScopeRefusalRecord,
} from 'latchkey'
import { bounds } from 'latchkey'
import { problem } from 'latchkey/problem/fastify'
import { Type } from './type.ts'
import { failures, json } from './route/answers.ts'
import type { App, RouteParts } from './route/parts.ts'
import type { SchemasOf } from './wire.ts'
import {
  cursor,
  described,
  label,
  nullable,
  pageSize,
  refusalCodes,
  refusalSteps,
  strict,
  timestamp,
  usualPage,
  refusedLimit,
} from './wire.ts'

const requirement = {
  scopes: Type.Array(Type.String(), { description: 'The scopes of which the key must have all' }),
  anyOf: Type.Array(Type.String(), { description: 'The scopes of which the key must have one' }),
  environments: Type.Array(Type.String(), {
    description: 'The environments that the key may belong to; empty is whichever',
  }),
  cost: Type.Integer({ description: 'The cost of the call' }),
} satisfies SchemasOf<NonNullable<RefusalFacts['requirement']>>

const facts = {
  requestId: Type.String({ description: 'The id of the request; of several calls, that of the first' }),
  at: described(timestamp, 'When the first of the calls was refused, in milliseconds since 1970 (UTC)'),
  count: Type.Integer({ minimum: 1, description: 'How many equal calls of one second this is' }),
  instance: Type.String({ description: 'The name of the process that refused the call' }),
  address: Type.Optional(Type.String({ description: 'The address of the caller', examples: ['192.0.2.7'] })),
  route: Type.Optional(Type.String({ description: 'The route', examples: ['POST /orders/:id'] })),
  requirement: Type.Optional(Type.Object(requirement, { description: 'What the key had to have' })),
  step: Type.Enum(refusalSteps, { description: 'The step of verification that failed', examples: ['lifetime'] }),
  why: Type.String({ description: 'Why the call was refused' }),
  keyId: Type.Optional(Type.String({ description: 'The id of the key; left out if the credential belongs to no key' })),
  owner: Type.Optional(Type.String({ description: 'The owner of the key at that time' })),
  environment: Type.Optional(Type.String({ description: 'The environment of the key' })),
} satisfies SchemasOf<RefusalFacts>

const forScope = {
  ...facts,
  code: Type.Literal('insufficient_scope', { description: 'The key lacked a scope' }),
  missing: Type.Optional(Type.Array(Type.String(), { description: 'The scopes that the key lacked' })),
} satisfies SchemasOf<ScopeRefusalRecord>

const limitCodes = ['over_limit', 'quota_exhausted'] as const

const forLimit = {
  ...facts,
  code: Type.Enum([...limitCodes], { description: 'A limit or the quota refused the call', examples: ['over_limit'] }),
  limit: Type.Optional(refusedLimit),
} satisfies SchemasOf<LimitRefusalRecord>

const others = refusalCodes.filter((code) => code !== 'insufficient_scope' && !limitCodes.some((one) => one === code))

const forOther = {
  ...facts,
  code: Type.Enum(others, { description: 'The code of the refusal', examples: ['expired'] }),
} satisfies SchemasOf<PlainRefusalRecord>

export const refusalRecord = Type.Union(
  [
    Type.Object(forScope, { title: 'ScopeRefusalRecord' }),
    Type.Object(forLimit, { title: 'LimitRefusalRecord' }),
    Type.Object(forOther, { title: 'PlainRefusalRecord' }),
  ],
  { title: 'RefusalRecord' },
)

/** With room for `urn:uuid:` before it. */
const requestId = Type.String({
  minLength: 1,
  maxLength: bounds.requestId + 9,
  description: 'The id of the request, or `instance` of its answer',
})

const page = Type.Object({
  refusals: Type.Array(refusalRecord),
  cursor: nullable(Type.String({ description: 'Leads to the next page; null on the last page' })),
} satisfies SchemasOf<RefusalPage>)

const filters = {
  key: Type.Optional(described(label, 'Only this key, by its id')),
  owner: Type.Optional(described(label, 'Only keys that this owner had at that time')),
  code: Type.Optional(Type.Enum(refusalCodes, { description: 'Only this code' })),
  route: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: bounds.route,
      description: 'Only this route, as it was declared',
      examples: ['POST /orders/:id'],
    }),
  ),
  from: Type.Optional(described(timestamp, 'The first time that counts, in milliseconds since 1970 (UTC)')),
  to: Type.Optional(described(timestamp, 'The first time that no longer counts, in milliseconds since 1970 (UTC)')),
  order: Type.Optional(Type.Enum(['newest', 'oldest'], { default: 'newest', description: 'Which come first' })),
  cursor: Type.Optional(cursor),
  limit: Type.Optional(pageSize),
} satisfies SchemasOf<RefusalsOptions>

/** Why calls were refused, for admin keys that may read it. */
export function refusalRoutes(app: App, { guard, acting }: RouteParts): void {
  app.get(
    '/v1/refusals',
    {
      onRequest: guard.requires('refusals:read'),
      schema: {
        operationId: 'listRefusals',
        summary: 'List refused calls',
        description:
          'Answers a page of the refusals that meet every filter, the newest first. Equal ones of one second are one, with their number. Those without a known key are for admin keys that see all keys.',
        tags: ['Refusals'],
        querystring: Type.Object(filters, strict),
        response: { 200: json('A page of refusals', page), ...failures(422) },
      },
    },
    async (request) => acting(request).refusals({ limit: usualPage, ...(request.query as RefusalsOptions) }),
  )

  app.get(
    '/v1/refusals/:requestId',
    {
      onRequest: guard.requires('refusals:read'),
      schema: {
        operationId: 'getRefusal',
        summary: 'Read why a call was refused',
        description:
          'Answers the reason, which the caller was not told. The id of the request is in `X-Request-Id` and in `instance` of the answer to the caller.',
        tags: ['Refusals'],
        params: Type.Object({ requestId }),
        response: { 200: json('Why the call was refused', refusalRecord), ...failures(404, 422) },
      },
    },
    async (request) => {
      // Both forms are accepted: `instance` as the caller has it, and the id alone.
      const found = await acting(request).refusal(request.params.requestId.replace(/^urn:uuid:/, ''))
      if (found !== undefined) return found
      const detail = 'No refused request with this id is known.'
      throw problem({ status: 404, code: 'unknown_refusal', detail })
    },
  )
}
