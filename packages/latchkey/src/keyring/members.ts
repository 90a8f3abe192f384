import * as input from '../input.ts'
import { bounds, invalid, text } from '../input.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Delegation } from '../policy/delegation.ts'
import { delegableMembers, everyScope } from '../policy/delegation.ts'
import type { Limit, Refill } from '../policy/limits.ts'
import { periodStart } from '../policy/limits.ts'
import type { Catalogue, Grant } from '../policy/scopes.ts'
import { grantable } from '../policy/scopes.ts'
import type { QuotaState, StoredKey } from '../ports.ts'
import { catalogueOf } from '../verify/parts.ts'

/** A quota as it is asked for. */
export interface QuotaOptions {
  /** Calls, or what they cost. */
  readonly amount: number
  /** When it is filled up again: with each UTC day or month; never if left out. */
  readonly refill?: Refill
  /**
   * What is to be left now. Left out: all of a quota that is new, or is filled up at other times than before; of any
   * other what was spent stays spent, so that a quota which is sent back as it was read is not filled up.
   */
  readonly remaining?: number
}

/** What a key may be given. Of members left out, those of a new key are as the comments say, those of an old one stay. */
export interface KeyMembers<Scope extends string> {
  /** What people call it. 1 to 120 characters. */
  readonly name: string
  /** Whom it belongs to. 1 to 120 characters. */
  readonly owner: string
  /** What it may do; an empty list is nothing. Of an admin key, Latchkey's own scopes. */
  readonly scopes: readonly Grant<Scope>[]
  /** From when it is valid, in milliseconds since 1970; `null` or left out: from now. */
  readonly notBefore?: number | null
  /** From when it no longer is, in milliseconds since 1970; `null` or left out: never. */
  readonly expiresAt?: number | null
  /** Short texts of your own, e.g. `{ plan: 'pro' }`. At most 32; none if `null` or left out. */
  readonly metadata?: Readonly<Record<string, string>> | null
  /** Where it may be used from, e.g. `['192.0.2.0/24', '2001:db8::/32']`; `null` or left out: anywhere. */
  readonly addresses?: readonly string[] | null
  /** What it may do in how long, at most 8 windows; none if `null` or left out. */
  readonly limits?: readonly Limit[] | null
  /** What it may do at all; `null` or left out: as much as it likes. */
  readonly quota?: QuotaOptions | null
  /** What an admin key may give; `null` or left out: nothing. Keys of other environments have none. */
  readonly delegation?: Delegation | null
}

/** The members that were given, checked, as they are to be kept. */
export interface CheckedMembers {
  readonly stored: Partial<StoredKey>
  /** What is left of the quota that was given if it is a new one; `undefined` where none was given. */
  readonly quota: QuotaState | null | undefined
  /** Whether it was said what is to be left. */
  readonly saysLeft: boolean
}

/**
 * Checks the members given, each by itself.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_scope`.
 */
export function checkedMembers<Scope extends string>(
  { scopes, environments }: { readonly scopes: Catalogue; readonly environments: readonly string[] },
  environment: string,
  given: Partial<KeyMembers<Scope>>,
  now: number,
): CheckedMembers {
  const stored: { -readonly [Member in keyof StoredKey]?: StoredKey[Member] } = {}
  const { name, owner, notBefore, expiresAt, metadata, addresses, limits, quota, delegation } = given
  if (name !== undefined) stored.name = text('name', name, bounds.label)
  if (owner !== undefined) {
    stored.owner = text('owner', owner, bounds.label)
    // However they are encoded in the path of a URL, they mean another path (RFC 3986 5.2.4).
    if (owner === '.' || owner === '..') throw invalid('owner', 'another text than . and ..')
  }
  if (given.scopes !== undefined) stored.scopes = grants('scopes', given.scopes, catalogueOf({ scopes }, environment))
  if (notBefore !== undefined) stored.notBefore = input.moment('notBefore', notBefore)
  if (expiresAt !== undefined) {
    stored.expiresAt = input.moment('expiresAt', expiresAt)
    if (stored.expiresAt !== null && stored.expiresAt <= now) throw invalid('expiresAt', 'later than now, or null')
  }
  if (metadata !== undefined) stored.metadata = input.metadata(metadata)
  if (addresses !== undefined) stored.addresses = input.addresses(addresses)
  if (limits !== undefined) stored.limits = input.limits(limits)
  if (delegation !== undefined) {
    stored.delegation = checkedDelegation(delegation, { scopes, environments })
    if (stored.delegation !== null && environment !== adminEnvironment) {
      throw invalid('delegation', `null unless the environment is ${adminEnvironment}`)
    }
  }
  if (quota === undefined) return { stored, quota: undefined, saysLeft: false }
  const checked = input.quota(quota)
  stored.quota = checked?.quota ?? null
  if (checked === null) return { stored, quota: null, saysLeft: false }
  const { remaining = checked.quota.amount } = checked
  const period = periodStart(checked.quota.refill, now)
  return { stored, quota: { remaining, period }, saysLeft: checked.remaining !== undefined }
}

/**
 * Checks what members say of each other.
 *
 * @throws LatchkeyError `invalid_input`.
 */
export function checkTogether({ notBefore, expiresAt }: Pick<StoredKey, 'notBefore' | 'expiresAt'>): void {
  if (notBefore !== null && expiresAt !== null && expiresAt <= notBefore) {
    throw invalid('expiresAt', 'later than notBefore')
  }
}

function grants(name: string, value: unknown, catalogue: Catalogue): readonly string[] {
  if (!Array.isArray(value) || value.length > bounds.scopes) throw invalid(name, `a list of at most ${bounds.scopes}`)
  return grantable(value as readonly string[], catalogue)
}

function checkedDelegation(
  value: unknown,
  { scopes, environments }: { readonly scopes: Catalogue; readonly environments: readonly string[] },
): Delegation | null {
  if (value === null) return null
  const given = input.objectOf('delegation', value, ['owner', 'environments', 'scopes', 'members'])
  // Left out is not "all": whoever means everybody's keys says null.
  const owner = given['owner'] === null ? null : text('delegation.owner', given['owner'], bounds.label)
  const wanted = given['environments']
  if (!Array.isArray(wanted)) throw invalid('delegation.environments', 'a list of environments')
  const known = [...environments, adminEnvironment]
  const checked = wanted.map((item, index) => input.oneOf(`delegation.environments[${index}]`, item, known))
  const all = Array.isArray(given['scopes']) && given['scopes'].length === 1 && given['scopes'][0] === everyScope
  const delegation = {
    owner,
    environments: [...new Set(checked)],
    scopes: all ? [everyScope] : grants('delegation.scopes', given['scopes'], scopes),
  }
  const members = given['members']
  if (members === undefined) return delegation
  if (!Array.isArray(members)) throw invalid('delegation.members', `a list of ${delegableMembers.join(', ')}`)
  const settable = members.map((item, index) => input.oneOf(`delegation.members[${index}]`, item, delegableMembers))
  return { ...delegation, members: [...new Set(settable)] }
}
