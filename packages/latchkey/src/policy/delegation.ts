import { rangesCover } from './addresses.ts'
import { adminEnvironment } from './admin.ts'
import type { Lifetime } from './lifetime.ts'
import type { Limit, Quota } from './limits.ts'
import type { Metadata } from './metadata.ts'
import { wildcardOf } from './scopes.ts'

/** The members of a key that a delegation may keep an admin key from setting. */
export interface Delegable {
  readonly metadata: Metadata
  readonly limits: readonly Limit[]
  readonly quota: Quota | null
}

/** The values of these members in a key that has none of them. */
export const undelegated: Delegable = { metadata: {}, limits: [], quota: null }

/** The names of the members that a delegation may keep an admin key from setting: `metadata`, `limits`, `quota`. */
export const delegableMembers = Object.keys(undelegated) as readonly (keyof Delegable)[]

/** Stands for every scope of the application in the scopes of a delegation, also for those declared later. */
export const everyScope = '*'

/**
 * The rights that an admin key may give, and the owners whose keys it sees. Every member must be stated: an empty list
 * gives nothing.
 */
export interface Delegation {
  /** The one owner whose keys it sees and gives; `null` for all owners. */
  readonly owner: string | null
  /** The environments whose keys it sees and gives; with `admin` among them it may give admin keys too. */
  readonly environments: readonly string[]
  /**
   * The application's scopes that it may give. `orders:*` gives `orders:*` and what that stands for; `*` gives all that
   * are declared, now or later.
   */
  readonly scopes: readonly string[]
  /**
   * The members of a key that it may set. If left out: all of these if `owner` is `null`, and none for an admin key
   * that is bound to an owner, which could otherwise lift the limits that the operator has set.
   */
  readonly members?: readonly (keyof Delegable)[]
}

/** The members of a key that an admin key may set. */
function settable({ owner, members }: Delegation): readonly (keyof Delegable)[] {
  return members ?? (owner === null ? delegableMembers : [])
}

/** The members of a key that decide what it may do. */
export interface Rights extends Lifetime {
  readonly owner: string
  readonly environment: string
  /** As granted, not expanded: `orders:*` will stand for more when more is declared. */
  readonly scopes: readonly string[]
  /** The addresses from which it may be used; `null` is anywhere. */
  readonly addresses: readonly string[] | null
  readonly delegation: Delegation | null
}

/** Whether an admin key with this delegation sees a key at all. */
export function sees(
  delegation: Delegation | null,
  key: { readonly owner: string; readonly environment: string },
): boolean {
  if (delegation === null || !delegation.environments.includes(key.environment)) return false
  return delegation.owner === null || delegation.owner === key.owner
}

/**
 * The first dimension in which a key would be more than the admin key that gives it, or `undefined` if it is within in
 * all of them. No sequence of such gifts can widen anything, since each is within the one before.
 *
 * @example exceeds(admin, { ...requested, expiresAt: null }) // 'expiresAt' if the admin key itself ends
 */
export function exceeds(giver: Rights, requested: Rights): keyof Rights | undefined {
  const { delegation } = giver
  if (delegation === null || !delegation.environments.includes(requested.environment)) return 'environment'
  if (delegation.owner !== null && delegation.owner !== requested.owner) return 'owner'
  // An admin key's own scopes are the admin scopes that it may give.
  const mayGive = requested.environment === adminEnvironment ? giver.scopes : delegation.scopes
  if (!grantsCover(mayGive, requested.scopes)) return 'scopes'
  if (giver.expiresAt !== null && (requested.expiresAt === null || requested.expiresAt > giver.expiresAt))
    return 'expiresAt'
  if (
    giver.addresses !== null &&
    (requested.addresses === null || !rangesCover(giver.addresses, requested.addresses))
  ) {
    return 'addresses'
  }
  if (requested.delegation !== null && !delegationCovers(delegation, requested.delegation)) return 'delegation'
  return undefined
}

/** Whether an admin key may set a member of keys. */
export function maySet(delegation: Delegation | null, member: keyof Delegable): boolean {
  return delegation !== null && settable(delegation).includes(member)
}

/**
 * The first member that the request would set or change and that the admin key may not set; `undefined` if there is
 * none.
 *
 * @param before - the key as it is; if left out, a new key.
 */
export function exceedsMembers(
  delegation: Delegation | null,
  requested: Delegable,
  before: Delegable = undelegated,
): keyof Delegable | undefined {
  return delegableMembers.find(
    (member) => !maySet(delegation, member) && JSON.stringify(requested[member]) !== JSON.stringify(before[member]),
  )
}

/**
 * Whether the inner delegation lies within the outer one: it gives no right and sees no key that the outer one does
 * not.
 */
export function delegationCovers(outer: Delegation, inner: Delegation): boolean {
  if (!settable(inner).every((member) => settable(outer).includes(member))) return false
  if (outer.owner !== null && outer.owner !== inner.owner) return false
  if (!inner.environments.every((environment) => outer.environments.includes(environment))) return false
  return grantsCover(outer.scopes, inner.scopes)
}

/** Whether each grant is among the outer ones or stands under one of their wildcards. */
function grantsCover(outer: readonly string[], inner: readonly string[]): boolean {
  if (outer.includes(everyScope)) return true
  return inner.every((grant) => outer.includes(grant) || outer.includes(wildcardOf(grant)))
}
