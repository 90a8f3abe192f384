import * as input from '../input.ts'
import { bounds, invalid, membersOf, text } from '../input.ts'
import type { AdminScope } from '../policy/admin.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Delegable, Delegation } from '../policy/delegation.ts'
import { undelegated } from '../policy/delegation.ts'
import type { Limit, Refill } from '../policy/limits.ts'
import type { Metadata } from '../policy/metadata.ts'
import type { Catalogue, Grant } from '../policy/scopes.ts'
import type { StoredKey } from '../ports.ts'
import { catalogueOf } from '../verify/parts.ts'
import { checkedDelegation } from './delegation.ts'
import { grants } from './grants.ts'
import { metadataAfter } from './metadata.ts'

/** A quota as a caller asks for it. */
export interface QuotaOptions {
  /** Calls, or what they cost. */
  readonly amount: number
  /** When it is filled up again: with each UTC hour, day, week (from Monday on) or month; never if left out. */
  readonly refill?: Refill
  /**
   * The remaining amount from now on. If left out, a quota that is new or has another period is full; any other quota
   * keeps its spent amount. So a quota that is sent back as it was read is not filled up.
   */
  readonly remaining?: number
}

/**
 * A change of what is left of a quota in its present period. `add` gives more, even beyond the amount of the quota; `take`
 * takes as much as is there. The quota itself stays, and calls that are made meanwhile are counted.
 */
export type QuotaStep = { readonly add: number } | { readonly take: number }

/**
 * The members that may be given to a key. For a member that is left out, a new key has the default in its comment, and
 * a key that is changed keeps its value.
 */
export interface KeyMembers<Scope extends string> {
  /** The name that people know it by. 1 to 120 characters. */
  readonly name: string
  /** The owner that it belongs to. 1 to 120 characters. */
  readonly owner: string
  /** The rights of the key; an empty list gives none. An admin key has Latchkey's own scopes. */
  readonly scopes: readonly Grant<Scope>[]
  /** The first time at which it is valid, in milliseconds since 1970; `null` or left out: now. */
  readonly notBefore?: number | null
  /** The first time at which it is no longer valid, in milliseconds since 1970; `null` or left out: never. */
  readonly expiresAt?: number | null
  /**
   * JSON of your own, e.g. `{ plan: 'pro', seats: 5 }`: at most 16,384 bytes, 8 levels deep; none if `null` or left out. A
   * change sets the members that it has, and removes those that are `null` (JSON Merge Patch, RFC 7396).
   */
  readonly metadata?: Metadata | null
  /** The addresses from which it may be used, e.g. `['192.0.2.0/24', '2001:db8::/32']`; `null` or left out: anywhere. */
  readonly addresses?: readonly string[] | null
  /** How much it may be used in an interval of time, at most 8 windows; no limit if `null` or left out. */
  readonly limits?: readonly Limit[] | null
  /** How much it may be used in an hour, a day, a week, a month or in all; no quota if `null` or left out. */
  readonly quota?: QuotaOptions | null
  /** The rights that an admin key may give; `null` or left out: none. Keys of other environments have none. */
  readonly delegation?: Delegation | null
}

/** The members of a new key. */
export interface NewKey<Scope extends string> extends KeyMembers<Scope | AdminScope> {
  /** The first environment of the keyring if left out; `admin` for a key that administers it. */
  readonly environment?: string
}

/**
 * The members to change: a member that is left out stays, `null` clears it, any other value replaces it. `quota` may also
 * be a step, which changes what is left.
 */
export type KeyPatch<Scope extends string> = Partial<Omit<KeyMembers<Scope | AdminScope>, 'quota'>> & {
  readonly quota?: QuotaOptions | QuotaStep | null
}

type Members = KeyMembers<string>

/** The members of a key that a caller may set, as the store keeps them. */
export type StoredMembers = Pick<StoredKey, keyof Members>

/** The context of a check, besides the value. */
export interface CheckContext {
  /** The scopes that the application has declared. */
  readonly scopes: Catalogue
  readonly environments: readonly string[]
  /** The environment of the key itself. */
  readonly environment: string
  /** The metadata that the key has so far. */
  readonly metadata: Metadata
  readonly now: number
}

type Optional = { readonly [Name in keyof Members]-?: undefined extends Members[Name] ? Name : never }[keyof Members]

type MemberRow<Name extends keyof Members> = {
  /**
   * The value as it is kept.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`.
   */
  readonly check: (value: unknown, context: CheckContext) => StoredKey[Name]
  /** Whether an admin key may set it only if its delegation lets it; every other member it may always set. */
  readonly delegable: Name extends keyof Delegable ? true : false
  /** Whether a new key must be given it. Any other member may be left out of a new key, and `null` clears it. */
  readonly required: Name extends Optional ? false : true
} & (Name extends Optional
  ? {
      /** The value of a new key that was not given it, and of a key after `null` has cleared it. */
      readonly empty: StoredKey[Name]
    }
  : unknown)

/**
 * The members of a key, each written once: how it is checked, whether a new key needs it, what it is when it is cleared,
 * and which admin keys may set it. A member that has no row here does not compile.
 */
const table: { readonly [Name in keyof Members]-?: MemberRow<Name> } = {
  name: { required: true, delegable: false, check: (value) => text('name', value, bounds.label) },
  owner: { required: true, delegable: false, check: owner },
  scopes: {
    required: true,
    delegable: false,
    check: (value, context) => grants('scopes', value, catalogueOf(context, context.environment)),
  },
  notBefore: { required: false, delegable: false, empty: null, check: (value) => input.timestamp('notBefore', value) },
  expiresAt: { required: false, delegable: false, empty: null, check: expiresAt },
  metadata: {
    required: false,
    delegable: true,
    empty: undelegated.metadata,
    check: (value, context) => metadataAfter(context.metadata, value),
  },
  addresses: { required: false, delegable: false, empty: null, check: input.addresses },
  limits: { required: false, delegable: true, empty: undelegated.limits, check: input.limits },
  quota: { required: false, delegable: true, empty: undelegated.quota, check: (value) => input.quota(value).quota },
  delegation: { required: false, delegable: false, empty: null, check: delegation },
}

const names = Object.keys(table) as readonly (keyof Members)[]

/** The names of the members that a change may set. */
export const changeableMembers: readonly string[] = names

/** The names of the members that a new key may be given. */
export const newKeyMembers: readonly string[] = [
  ...names,
  ...membersOf<Omit<NewKey<string>, keyof Members>>({ environment: true }),
]

/** The names of the members that a new key must be given. */
export const requiredMembers: readonly (keyof Members)[] = names.filter((name) => table[name].required)

/** The names of the members that an admin key may set only if its delegation allows it. */
export const delegableMembers: readonly (keyof Delegable)[] = names.filter(
  (name): name is keyof Delegable => table[name].delegable,
)

/** The values of the members that a new key was not given. */
export const emptyMembers = Object.fromEntries(
  names.flatMap((name) => {
    const row = table[name]
    return 'empty' in row ? [[name, row.empty]] : []
  }),
) as Pick<StoredKey, Optional>

/** The members of a key that a caller may set, out of all that is kept of it. */
export function membersIn(stored: StoredMembers): StoredMembers {
  return Object.fromEntries(names.map((name) => [name, stored[name]])) as unknown as StoredMembers
}

/**
 * Checks each of some members by itself. Members that are `undefined` are left out.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_scope`.
 */
export function checkEach(members: Partial<Members>, context: CheckContext): Partial<StoredMembers> {
  const present = names.filter((name) => members[name] !== undefined)
  return Object.fromEntries(
    present.map((name) => {
      const row = table[name]
      const value = members[name]
      return [name, value === null && 'empty' in row ? row.empty : row.check(value, context)]
    }),
  )
}

function owner(value: unknown): string {
  const name = text('owner', value, bounds.label)
  // In the path of a URL they mean another path, however they are encoded (RFC 3986 5.2.4).
  if (name === '.' || name === '..') throw invalid('owner', 'a text other than "." and ".."')
  return name
}

function expiresAt(value: unknown, { now }: CheckContext): number | null {
  const end = input.timestamp('expiresAt', value)
  if (end !== null && end <= now) throw invalid('expiresAt', 'later than now, or null')
  return end
}

function delegation(value: unknown, { scopes, environments, environment }: CheckContext): Delegation {
  const checked = checkedDelegation(value, { scopes, environments })
  if (environment === adminEnvironment) return checked
  throw invalid('delegation', `null unless the environment is ${adminEnvironment}`)
}
