import type { LimitRefusalRecord, StateCounts } from 'latchkey'
import { bounds, limitFallbacks, limitName, refusals } from 'latchkey'
import type { Static, TSchema } from 'typebox'
import { Type } from './type.ts'

// The schemas that several resources share. A schema with a `title` is a named one in the OpenAPI document.

type MembersOf<Type> = Type extends unknown ? keyof Type : never

/**
 * A schema for every member of a type of the library, of a union for every member of any of its types. A member without
 * a schema does not compile, nor does a schema for no member.
 */
export type SchemasOf<Type> = Readonly<Record<MembersOf<Type>, TSchema>>

/** The same schema, or null. It is not a union, because a union reports its faults once for each arm. */
export function nullable<Schema extends TSchema>(
  schema: Schema,
): ReturnType<typeof Type.Unsafe<Static<Schema> | null>> {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [(schema as { type?: string }).type, 'null'] })
}

/** The same schema with a description of its own. */
export function described<Schema extends TSchema>(schema: Schema, description: string): Schema {
  return { ...schema, description }
}

/** Options of an object in a request: unknown members are refused. */
export const strict: { readonly additionalProperties: false } = { additionalProperties: false }

export const timestamp = Type.Integer({
  minimum: 0,
  maximum: bounds.timestamp,
  description: 'Milliseconds since 1970 (UTC)',
})
export const label = Type.String({ minLength: 1, maxLength: bounds.label })
export const scope = Type.String({ ...label, description: 'A scope, written `resource:action`' })
export const note = Type.String({
  minLength: 1,
  maxLength: bounds.note,
  description: 'A note for the people who read the journal',
})

export const limit = Type.Object(
  {
    name: Type.String({ pattern: limitName.source, description: 'The name of the limit' }),
    limit: Type.Integer({
      minimum: 1,
      maximum: bounds.limits.limit,
      description: 'How much is allowed in any interval of this length: calls, or their cost',
    }),
    window: Type.Integer({
      minimum: 1,
      maximum: bounds.limits.window,
      description: 'The length of the interval in seconds',
    }),
    reportOnly: Type.Optional(
      Type.Boolean({ description: 'Report only: count the calls over the limit and refuse none of them' }),
    ),
    whenUnavailable: Type.Optional(
      Type.Enum([...limitFallbacks], {
        description:
          'While instances that share a limiter cannot reach it: admit calls within the share of each instance (`share`, the default), or refuse them with 503',
      }),
    ),
  },
  { ...strict, title: 'Limit' },
)
export const limits = Type.Array(limit, { maxItems: bounds.limits.count })

/** The revision of a key or an owner. */
export const revisionText = 'A number that grows with every change; in quotation marks it is the ETag'

/** The codes of refusals, and the steps of verification that give them. */
export const refusalCodes = Object.keys(refusals)
export const refusalSteps = [...new Set(Object.values(refusals).map(({ step }) => step))]

const count = (description: string): ReturnType<typeof Type.Integer> => Type.Integer({ description })

/** The number of keys in each state. */
export const stateCounts = Type.Object({
  active: count('Keys that are accepted'),
  pending: count('Keys that are not yet valid'),
  expired: count('Keys that are no longer valid'),
  disabled: count('Keys that are disabled'),
  owner_disabled: count('Keys whose owner is disabled'),
  revoked: count('Keys that are revoked'),
} satisfies SchemasOf<StateCounts>)

/** How many items a page has if a request does not say. */
export const usualPage = 100
export const pageSize = Type.Integer({
  minimum: 1,
  maximum: bounds.page,
  default: usualPage,
  description: 'How many items the page may have',
})
export const cursor = Type.String({
  minLength: 1,
  maxLength: bounds.cursor,
  description: 'The `cursor` of the page before, of the same list in the same order; the first page if left out',
})

const limitThatRefused = {
  name: Type.String({ description: 'The name of the limit; `quota` for the quota' }),
  limit: Type.Number({ description: 'How much is allowed' }),
  window: nullable(Type.Number({ description: 'The length of the interval in seconds; null for the quota' })),
} satisfies SchemasOf<NonNullable<LimitRefusalRecord['limit']>>

/** The limit of a refusal. */
export const refusedLimit = Type.Object(limitThatRefused, {
  description: 'The limit or the quota that refused the call; of several limits, the one to be waited for longest',
})
