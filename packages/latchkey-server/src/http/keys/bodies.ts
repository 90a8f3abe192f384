import type { VerifiedKey } from 'latchkey'
import type { Static, TSchema } from 'typebox'
import { Type } from '../type.ts'
import { label, note, nullable, strict } from '../wire.ts'
import { answered, answeredAlone, importable, settable, settableOnce } from './fields.ts'
import { quotaPatch } from './values.ts'

// The bodies of requests and answers about keys, made of the table of fields.

interface AskedRow {
  readonly description: string
  readonly example: unknown
  readonly presence: 'required' | 'optional' | 'clearable'
  readonly asked: TSchema
}

interface AnsweredRow {
  readonly description: string
  readonly example: unknown
  readonly answered?: TSchema
}

type AskedRows = Readonly<Record<string, AskedRow>>

type ValueOf<Row extends AskedRow> = Static<Row['asked']> | (Row['presence'] extends 'clearable' ? null : never)

/** A body in which every one of these fields is optional. */
type Patch<Rows extends AskedRows> = { -readonly [Name in keyof Rows]?: ValueOf<Rows[Name]> }

/** A body that has the required ones of these fields. */
type Whole<Rows extends AskedRows> = Patch<Rows> & {
  -readonly [Name in keyof Rows as Rows[Name]['presence'] extends 'required' ? Name : never]: ValueOf<Rows[Name]>
}

/** The members of a request that sets these fields. A change requires none of them. */
function asked(rows: AskedRows, isChange = false): Record<string, TSchema> {
  const members = Object.entries(rows).map(([name, { description, example, presence, asked: schema }]) => {
    const full = { ...(presence === 'clearable' ? nullable(schema) : schema), description, examples: [example] }
    return [name, presence === 'required' && !isChange ? full : Type.Optional(full)] as const
  })
  return Object.fromEntries(members)
}

/** The members of an answer that has these fields. */
function answeredAs(rows: Readonly<Record<string, AnsweredRow>>): Record<string, TSchema> {
  const members = Object.entries(rows).flatMap(([name, { description, example, answered: schema }]) =>
    schema === undefined ? [] : [[name, { ...schema, description, examples: [example] }] as const],
  )
  return Object.fromEntries(members)
}

const ofNew = { ...settable, ...settableOnce }
const ofImported = { ...ofNew, ...importable }
const ofAll = { ...answered, ...ofImported }

const { name, owner, scopes } = settable
/** An example of a new key: the fields that every key needs. */
export const smallest = { name: name.example, owner: owner.example, scopes: scopes.example }

export const newKey = Type.Unsafe<Whole<typeof ofNew>>(
  Type.Object(asked(ofNew), { ...strict, title: 'NewKey', examples: [smallest] }),
)

export const importedKey = Type.Unsafe<Whole<typeof ofImported>>(
  Type.Object(asked(ofImported), { ...strict, title: 'ImportedKey' }),
)

const patched = { ...settable, quota: { ...settable.quota, asked: quotaPatch } }

export const keyPatch = Type.Unsafe<Patch<typeof patched> & { note?: string }>(
  Type.Object(
    { ...asked(patched, true), note: Type.Optional(note) },
    {
      ...strict,
      title: 'KeyPatch',
      examples: [{ limits: settable.limits.example, note: 'Agreed with the owner' }],
      description:
        'What to change: a field that is left out stays as it is, null clears it, any other value replaces it',
    },
  ),
)

export const key = Type.Object(answeredAs(ofAll), { title: 'Key' })

export const keyDetails = Type.Object({ ...answeredAs(ofAll), ...answeredAs(answeredAlone) }, { title: 'KeyDetails' })

/** The key in the answer of a verification. */
export const verifiedKey = Type.Object(
  answeredAs({
    id: answered.id,
    name: settable.name,
    owner: settable.owner,
    environment: settableOnce.environment,
    scopes: { ...settable.scopes, description: 'The scopes that the key has, each by its name' },
    metadata: settable.metadata,
    expiresAt: settable.expiresAt,
    delegation: settable.delegation,
  } satisfies Readonly<Record<keyof VerifiedKey, AnsweredRow>>),
  { title: 'VerifiedKey' },
)

/** The path of one key. */
export const keyPath = Type.Object({ id: Type.String({ ...label, description: answered.id.description }) })
