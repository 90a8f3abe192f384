import type { KeyRotation, Metadata, QuotaStep, Refill } from 'latchkey'
import { bounds, delegableMembers, hashDigits, importedKinds, refills, revocationReasons } from 'latchkey'
import type { Static } from 'typebox'
import { Type } from '../type.ts'
import type { SchemasOf } from '../wire.ts'
import { described, label, nullable, scope, strict, timestamp } from '../wire.ts'

// The schemas of fields that only keys have.

export const grants = Type.Array(scope, { maxItems: bounds.scopes })
const refill = Type.Unsafe<Refill>({
  type: ['string', 'null'],
  enum: [...refills, null],
  description: 'When the quota is filled up again: with each UTC hour, day, week or month, or never if null',
})
const allowance = 'How much the key may spend: calls, or their cost'
const amount = { minimum: 0, maximum: bounds.quota }
const quotaParts = {
  refill: Type.Optional(refill),
  remaining: Type.Optional(
    Type.Integer({
      ...amount,
      description: 'How much is left now. If left out, a quota with the same refill is not filled up',
    }),
  ),
}
export const quota = Type.Object({ amount: Type.Integer({ ...amount, description: allowance }), ...quotaParts }, strict)

const step = { minimum: 1, maximum: bounds.quota }
/** Either a quota, or a step of what is left. It is not a union, because a union reports its faults once for each arm. */
export const quotaPatch = Type.Unsafe<Static<typeof quota> | QuotaStep>(
  Type.Object(
    {
      amount: Type.Optional(Type.Integer({ ...amount, description: allowance })),
      ...quotaParts,
      add: Type.Optional(
        Type.Integer({ ...step, description: 'Alone: how much is added to what is left now; the quota stays' }),
      ),
      take: Type.Optional(
        Type.Integer({ ...step, description: 'Alone: how much is taken from what is left now, as far as it is there' }),
      ),
    },
    strict,
  ),
)
export const delegation = Type.Object(
  {
    owner: nullable(Type.String({ ...label, description: 'The one owner whose keys it sees and gives; null is all' })),
    environments: Type.Array(label, {
      maxItems: 32,
      description: 'The environments whose keys it sees and gives',
    }),
    scopes: Type.Array(scope, {
      maxItems: bounds.scopes,
      description: 'The scopes that it may give: scopes, `resource:*`, or `*` alone for all, later ones included',
    }),
    members: Type.Optional(
      Type.Array(Type.Enum([...delegableMembers]), {
        maxItems: delegableMembers.length,
        description: 'The fields that it may set; if left out, all where `owner` is null, otherwise none',
      }),
    ),
  },
  strict,
)
/** The library checks its bytes and its depth. */
export const metadata = Type.Unsafe<Metadata>({ type: 'object', additionalProperties: true })

/** Any of the hashes by which secrets are imported, in hexadecimal, base64 or base64url. */
export const hashPattern = `^(?:${Object.values(hashDigits)
  .flatMap((digits) => [`[0-9a-fA-F]{${digits}}`, `[A-Za-z0-9+/_-]{${Math.ceil((digits * 2) / 3)}}={0,2}`])
  .join('|')})$`

/** A quota in answers. What is left of it is a field of its own. */
export const answeredQuota = Type.Object({ amount: Type.Integer({ description: allowance }), refill })

export const quotaLeft = Type.Object({
  remaining: Type.Integer({ description: 'How much is left in this period' }),
  refillsAt: nullable(Type.Integer({ description: 'When it is filled up again; null if never' })),
})

export const rotation = Type.Object(
  {
    oldEndsAt: Type.Integer({ description: 'When the old secret stops working' }),
    oldLastUsedAt: nullable(Type.Integer({ description: 'When the old secret was last used; null if never' })),
  } satisfies SchemasOf<KeyRotation>,
  { title: 'KeyRotation' },
)

export const addresses = Type.Array(label, { minItems: 1, maxItems: bounds.addresses })

export const revocation = Type.Object({
  at: described(timestamp, 'When it was revoked, in milliseconds since 1970 (UTC)'),
  reason: Type.Enum([...revocationReasons], { description: 'Why it was revoked' }),
  note: nullable(Type.String({ description: 'The note on the revocation; null if there is none' })),
})

export const secrets = Type.Array(
  Type.Object({
    start: Type.String({ description: 'Its first characters' }),
    kind: Type.Enum(['minted', ...importedKinds], {
      description: 'Minted here, or imported by its hash: then the hash function, and the part of it that is hashed',
    }),
    createdAt: timestamp,
    retiredAt: nullable(Type.Integer({ description: 'When a newer secret replaced it; null for the newest' })),
    endsAt: nullable(Type.Integer({ description: 'When it stops working; null for the newest' })),
    lastUsedAt: nullable(Type.Integer({ description: 'When it was last used, to the second; null if never' })),
  }),
)
