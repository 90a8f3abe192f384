import type { ImportedKey, Key, KeyDetails, KeyPatch, NewKey } from 'latchkey'
import { bounds, importedHashes, keyStates } from 'latchkey'
import type { TSchema } from 'typebox'
import { Type } from '../type.ts'
import { label, limit, limits, nullable, revisionText, timestamp } from '../wire.ts'
import * as values from './values.ts'

// Every field of a key, once. The bodies of requests, the answers and the OpenAPI document are made of these rows. Each
// table is for the fields that the same calls take. A field of the library without a row does not compile; nor does a row
// without a field, or in the wrong table.

type Asked = ImportedKey<string>

/** The members of every row. */
interface Row {
  readonly description: string
  readonly example: unknown
}

/** The row of a field that requests set. */
type AskedRow<Name extends keyof Asked> = Row & {
  readonly example: NonNullable<Asked[Name]>
  /** Whether a new key needs it, may do without it, or may also have null, which clears it. */
  readonly presence: undefined extends Asked[Name] ? (null extends Asked[Name] ? 'clearable' : 'optional') : 'required'
  readonly asked: TSchema
}

/** The row of a field that answers have. */
interface AnsweredRow extends Row {
  readonly answered: TSchema
}

type Answered<Name> = Name extends keyof KeyDetails ? AnsweredRow : { readonly answered?: undefined }

/** Set by issue, import and change. */
export const settable = {
  name: {
    description: 'The name that people know the key by',
    example: 'Web shop',
    presence: 'required',
    asked: label,
    answered: Type.String(),
  },
  owner: {
    description: 'The owner that the key belongs to',
    example: 'acme',
    presence: 'required',
    asked: label,
    answered: Type.String(),
  },
  scopes: {
    description: 'The scopes that the key has, or `resource:*` for all scopes of a resource; an empty list is none',
    example: ['orders:read'],
    presence: 'required',
    asked: values.grants,
    answered: Type.Array(Type.String()),
  },
  metadata: {
    description:
      'JSON of your own. A change sets the members that it has, removes those that are null, and keeps the others',
    example: { plan: 'pro', seats: 5 },
    presence: 'clearable',
    asked: values.metadata,
    answered: values.metadata,
  },
  notBefore: {
    description: 'When the key starts to work, in milliseconds since 1970 (UTC); null is at once',
    example: 1_893_456_000_000,
    presence: 'clearable',
    asked: timestamp,
    answered: nullable(timestamp),
  },
  expiresAt: {
    description: 'When the key expires, in milliseconds since 1970 (UTC); null is never',
    example: 4_102_444_800_000,
    presence: 'clearable',
    asked: timestamp,
    answered: nullable(timestamp),
  },
  addresses: {
    description: 'The addresses and ranges that the key may be used from; null is any',
    example: ['192.0.2.0/24'],
    presence: 'clearable',
    asked: values.addresses,
    answered: nullable(Type.Array(Type.String())),
  },
  limits: {
    description: 'How much the key may be used in an interval of time',
    example: [{ name: 'burst', limit: 100, window: 60 }],
    presence: 'clearable',
    asked: limits,
    answered: Type.Array(limit),
  },
  quota: {
    description: 'How much the key may be used in an hour, a day, a week, a month or in total; null is unlimited',
    example: { amount: 100_000, refill: 'month' },
    presence: 'clearable',
    asked: values.quota,
    answered: nullable(values.answeredQuota),
  },
  delegation: {
    description: 'Which keys an admin key sees and gives, and with which scopes; null for every other key',
    example: { owner: null, environments: ['live'], scopes: ['*'] },
    presence: 'clearable',
    asked: values.delegation,
    answered: nullable(values.delegation),
  },
} as const satisfies { readonly [Name in keyof KeyPatch<string>]-?: AskedRow<Name> & Answered<Name> }

/** Set by issue and import, and never changed. */
export const settableOnce = {
  environment: {
    description: 'The environment of the key, `admin` for an admin key; a new key has the first one if left out',
    example: 'live',
    presence: 'optional',
    asked: label,
    answered: Type.String(),
  },
} as const satisfies {
  readonly [Name in Exclude<keyof NewKey<string>, keyof KeyPatch<string>>]-?: AskedRow<Name> & Answered<Name>
}

/** Set by import. */
export const importable = {
  hash: {
    description: 'The hash of the secret, in hexadecimal, base64 or base64url',
    // The hash of no secret that anybody knows: an example that somebody executes lets nobody in.
    example: '0123456789abcdef'.repeat(4),
    presence: 'required',
    asked: Type.String({ pattern: values.hashPattern }),
  },
  algorithm: {
    description: 'The hash function',
    example: 'sha256',
    presence: 'required',
    asked: Type.Enum([...importedHashes]),
  },
  before: {
    description:
      'For a hash of the last part of the secret: the text before it, with one of `| _ . - :` at its end. The whole secret is accepted, and the part alone refused',
    example: '17|',
    presence: 'optional',
    asked: Type.String({ minLength: 1, maxLength: bounds.before }),
  },
  createdAt: {
    description: 'When the key was issued, in milliseconds since 1970 (UTC); an imported key may bring an earlier time',
    example: 1_795_687_138_982,
    presence: 'optional',
    asked: timestamp,
    answered: timestamp,
  },
  lastUsedAt: {
    description: 'When the key was last used, to the second, in milliseconds since 1970 (UTC); null is never',
    example: 1_795_687_152_310,
    presence: 'optional',
    asked: timestamp,
    answered: nullable(timestamp),
  },
  disabled: {
    description: 'Whether the key is imported disabled: it is refused until it is enabled',
    example: false,
    presence: 'optional',
    asked: Type.Boolean(),
  },
  bits: {
    description: 'How many random bits the secret was made of: 128 for 32 random hexadecimal digits',
    example: 128,
    presence: 'required',
    asked: Type.Integer({ minimum: bounds.bits.least, maximum: bounds.bits.most }),
  },
  start: {
    description: 'The first characters of the newest secret, by which people recognise it',
    example: 'lk_live_2WAx',
    presence: 'optional',
    asked: Type.String({ maxLength: bounds.start }),
    answered: Type.String(),
  },
} as const satisfies {
  readonly [Name in Exclude<keyof Asked, keyof NewKey<string>>]-?: AskedRow<Name> & Answered<Name>
}

/** In every answer, and never set. */
export const answered = {
  id: { description: 'The id of the key', example: 'key_IzlwDNLDQd7OvAvvFHLv', answered: Type.String() },
  state: {
    description: 'Whether the key works: `active`, or the first reason why not',
    example: 'active',
    answered: Type.Enum([...keyStates]),
  },
  disabledAt: {
    description: 'When the key was disabled, in milliseconds since 1970 (UTC); null while it is not disabled',
    example: null,
    answered: nullable(timestamp),
  },
  disabledBy: {
    description: 'The id of the admin key that disabled it; null while it is not disabled, or if no admin key did',
    example: null,
    answered: nullable(Type.String()),
  },
  revoked: {
    description: 'When and why the key was revoked; null while it is not revoked',
    example: null,
    answered: nullable(values.revocation),
  },
  rotation: {
    description: 'Until when the old secret works, and when it was last used; null while the key has only one secret',
    example: null,
    answered: nullable(values.rotation),
  },
  revision: { description: revisionText, example: 12, answered: Type.Integer() },
} as const satisfies Readonly<Record<Exclude<keyof Key, keyof Asked>, AnsweredRow>>

/** In the answers about one key, and not in lists. */
export const answeredAlone = {
  secrets: {
    description: 'The secrets that work, the newest first',
    example: [
      {
        start: 'lk_live_2WAx',
        kind: 'minted',
        createdAt: 1_795_687_138_982,
        retiredAt: null,
        endsAt: null,
        lastUsedAt: 1_795_687_152_310,
      },
    ],
    answered: values.secrets,
  },
  endedSecrets: {
    description: 'The secrets that work no more, the one that ended last first: the last 20',
    example: [],
    answered: values.secrets,
  },
  quotaLeft: {
    description: 'How much of the quota is left, and when it is filled up again; null without a quota',
    example: { remaining: 99_871, refillsAt: 1_796_083_200_000 },
    answered: nullable(values.quotaLeft),
  },
} as const satisfies Readonly<Record<Exclude<keyof KeyDetails, keyof Key | keyof Asked>, AnsweredRow>>
