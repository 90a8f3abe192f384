import { LatchkeyError } from '../error.ts'
import { objectOf } from '../input.ts'
import type { KeyringParts } from '../verify/parts.ts'
import type { BulkOptions, IdempotencyOptions } from './call-options.ts'
import { bulkOptions } from './call-options.ts'
import type { Created } from './create.ts'
import { create } from './create.ts'
import type { KeyDetails } from './key.ts'
import type { NewKey } from './members.ts'
import { newKeyMembers } from './members.ts'
import { mintSecret } from './minting.ts'

/** The members of a new key, and the actor who issues it. */
export interface IssueOptions<Scope extends string> extends NewKey<Scope> {
  /** The name of the issuer, for the journal. `application` if left out. */
  readonly actor?: string
}

/** A new key, with its secret for the only time. */
export interface Issued<Scope extends string = string> {
  readonly key: KeyDetails<Scope>
  /** The only copy: hand it over now. */
  readonly secret: string
}

/** A key that was issued with an idempotency key. */
export interface IssuedOrRepeated<Scope extends string = string> extends Omit<Issued<Scope>, 'secret'> {
  /** `null` if the call was made before: the secret was in that answer. */
  readonly secret: string | null
  /** The call was made before, with the same `idempotencyKey`. */
  readonly repeated: boolean
}

/** The function behind `Keyring.issue`. */
export async function issue<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: IssueOptions<Scope> & IdempotencyOptions,
): Promise<IssuedOrRepeated<Scope>> {
  objectOf('A new key', options, [...bulkOptions, ...newKeyMembers])
  const { actor, idempotencyKey, ...item } = options
  const done = await issueMany(parts, [item], { ...(actor === undefined ? {} : { actor }), idempotencyKey })
  const [issued] = done.repeated ? done.keys.map((key) => ({ key, secret: null })) : done.created
  if (issued === undefined) throw new LatchkeyError('conflict', 'The key was not issued. Try again.')
  return { ...issued, repeated: done.repeated }
}

/** The function behind `Keyring.issueMany`. */
export async function issueMany<Scope extends string>(
  parts: KeyringParts<Scope>,
  items: readonly NewKey<Scope>[],
  options: BulkOptions,
): Promise<Created<Scope, Issued<Scope>>> {
  const done = await create(parts, {
    action: 'issue',
    items,
    options,
    optionNames: bulkOptions,
    members: newKeyMembers,
    secretOf(_item, { environment, now }) {
      const { secret, stored } = mintSecret(parts, environment, now)
      return { stored, shown: secret }
    },
    details: () => ({}),
  })
  if (done.repeated) return done
  return { repeated: false, created: done.created.map(({ key, shown }) => ({ key, secret: shown })) }
}
