import type { Refill } from 'latchkey'
import { bounds, delegableMembers, importedHashes, keyStates, limitName, refills, revocationReasons } from 'latchkey'
import type { Static, TSchema } from 'typebox'
import { Type } from 'typebox'

// What goes over the wire, as JSON Schema. A `title` makes a schema a named one of the OpenAPI document.

/** The same, or null. Not a union: faults would then be told of every arm. */
export function nullable<Schema extends TSchema>(
  schema: Schema,
): ReturnType<typeof Type.Unsafe<Static<Schema> | null>> {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [(schema as { type?: string }).type, 'null'] })
}

const strict = { additionalProperties: false }

export const moment = Type.Integer({ minimum: 0, maximum: 8.64e15, description: 'Milliseconds since 1970 (UTC)' })
export const label = Type.String({ minLength: 1, maxLength: bounds.label })
export const note = Type.String({ minLength: 1, maxLength: bounds.note, description: 'For those who read the journal' })
export const environment = Type.String({ minLength: 1, maxLength: 16 })
export const scope = Type.String({ minLength: 1, maxLength: 65, description: '`resource:action`' })
const grants = Type.Array(scope, { maxItems: bounds.scopes, description: 'Scopes, or `resource:*`' })

const limit = Type.Object(
  {
    name: Type.String({ pattern: limitName.source }),
    limit: Type.Integer({ minimum: 1, maximum: bounds.limits.limit }),
    window: Type.Integer({ minimum: 1, maximum: bounds.limits.window, description: 'Seconds' }),
    reportOnly: Type.Optional(Type.Boolean({ description: 'Counts whom it would have refused, and refuses nobody' })),
  },
  { ...strict, title: 'Limit' },
)
export const limits = Type.Array(limit, { maxItems: bounds.limits.count })

const refill = Type.Unsafe<Refill>({ type: ['string', 'null'], enum: [...refills, null] })
const quotaOptions = Type.Object(
  {
    amount: Type.Integer({ minimum: 0, maximum: bounds.quota }),
    refill: Type.Optional(refill),
    remaining: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: bounds.quota,
        description: 'What is to be left now. Without it a quota of the same periods is not filled up',
      }),
    ),
  },
  strict,
)

const delegation = Type.Object(
  {
    owner: nullable(label),
    environments: Type.Array(environment, { maxItems: 32 }),
    scopes: Type.Array(scope, {
      maxItems: bounds.scopes,
      description: 'Scopes that it may give, `resource:*`, or `*` alone for all, those declared later included',
    }),
    members: Type.Optional(
      Type.Array(Type.Enum([...delegableMembers]), {
        maxItems: delegableMembers.length,
        description: 'Members of a key that it may set; left out: all where `owner` is null, otherwise none',
      }),
    ),
  },
  { ...strict, description: 'Whose keys an admin key sees and gives, and with which scopes' },
)

const metadata = Type.Record(Type.String(), Type.String({ minLength: 1, maxLength: bounds.metadata.value }), {
  maxProperties: bounds.metadata.members,
  propertyNames: { minLength: 1, maxLength: bounds.metadata.name },
})

const addresses = Type.Array(Type.String({ maxLength: 64 }), {
  minItems: 1,
  maxItems: bounds.addresses,
  description: 'Addresses and ranges, such as `192.0.2.0/24`',
})

const optionalMembers = {
  notBefore: Type.Optional(nullable(moment)),
  expiresAt: Type.Optional(nullable(moment)),
  metadata: Type.Optional(nullable(metadata)),
  addresses: Type.Optional(nullable(addresses)),
  limits: Type.Optional(nullable(limits)),
  quota: Type.Optional(nullable(quotaOptions)),
  delegation: Type.Optional(nullable(delegation)),
}

const newMembers = {
  name: label,
  owner: label,
  scopes: grants,
  environment: Type.Optional(environment),
  ...optionalMembers,
}

export const newKey = Type.Object(newMembers, { ...strict, title: 'NewKey' })

export const importedKey = Type.Object(
  {
    ...newMembers,
    hash: Type.String({
      pattern: '^(?:[0-9a-fA-F]{64}|[0-9a-fA-F]{128})$',
      description: 'Of the secret, in hexadecimal',
    }),
    algorithm: Type.Enum([...importedHashes]),
    bits: Type.Integer({
      minimum: bounds.bits.least,
      maximum: bounds.bits.most,
      description: 'How many random bits its maker gave the secret: 128 for 32 random hexadecimal digits',
    }),
    start: Type.Optional(Type.String({ maxLength: 16, description: 'What may be shown of the secret' })),
  },
  { ...strict, title: 'ImportedKey' },
)

export const keyPatch = Type.Object(
  {
    name: Type.Optional(label),
    owner: Type.Optional(label),
    scopes: Type.Optional(grants),
    ...optionalMembers,
    note: Type.Optional(note),
  },
  { ...strict, title: 'KeyPatch', description: 'A member that is left out stays, null clears, anything else is set' },
)

const keyMembers = {
  id: Type.String(),
  name: Type.String(),
  owner: Type.String(),
  environment: Type.String(),
  scopes: Type.Array(Type.String()),
  metadata: Type.Record(Type.String(), Type.String()),
  notBefore: nullable(moment),
  expiresAt: nullable(moment),
  addresses: nullable(Type.Array(Type.String())),
  limits: Type.Array(limit),
  quota: nullable(Type.Object({ amount: Type.Integer(), refill })),
  delegation: nullable(delegation),
  start: Type.String({ description: 'The visible start of its newest secret' }),
  createdAt: moment,
  state: Type.Enum([...keyStates]),
  disabledAt: nullable(moment),
  disabledBy: nullable(Type.String({ description: 'The admin key that disabled it' })),
  revoked: nullable(
    Type.Object({ at: moment, reason: Type.Enum([...revocationReasons]), note: nullable(Type.String()) }),
  ),
  lastUsedAt: nullable(moment),
  revision: Type.Integer({ description: 'Grows with every change; in quotation marks it is the ETag' }),
}

export const key = Type.Object(keyMembers, { title: 'Key' })

export const keyDetails = Type.Object(
  {
    ...keyMembers,
    secrets: Type.Array(
      Type.Object({
        start: Type.String(),
        kind: Type.Enum(['minted', ...importedHashes]),
        createdAt: moment,
        retiredAt: nullable(moment),
        endsAt: nullable(moment),
        lastUsedAt: nullable(moment),
      }),
      { description: 'Those that work, the newest first' },
    ),
    quotaLeft: nullable(Type.Object({ remaining: Type.Integer(), refillsAt: nullable(moment) })),
  },
  { title: 'KeyDetails' },
)

export const tookMs = Type.Number({ description: 'Milliseconds until no instance could act on what was before' })

/** The path of one key. */
export const keyPath = Type.Object({ id: label })
