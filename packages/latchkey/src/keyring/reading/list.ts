import { anyText, bounds, integer, invalid, membersOf, oneOf, objectOf, text, timestamp } from '../../input.ts'
import { wildcardOf } from '../../policy/scopes.ts'
import type { KeyCount, KeyState, ListFilter, ListOrder, ListPosition } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { Key } from '../key.ts'
import { keyOfListed } from '../key.ts'
import { askedKeys } from './asked-keys.ts'
import type { PositionShape } from './cursor.ts'
import { cursorsOf } from './cursor.ts'
import type { MetadataFilter } from './metadata-filter.ts'
import { metadataAsked } from './metadata-filter.ts'

/** The states that a key may be in. */
export const keyStates: readonly KeyState[] = ['active', 'pending', 'expired', 'disabled', 'owner_disabled', 'revoked']

/** The orders of a list of keys. */
export const listOrders: readonly ListOrder[] = ['oldest', 'newest', 'last_used', 'expires', 'name']

/** The position that a cursor of each order has. */
const shapes: Readonly<Record<ListOrder, PositionShape>> = {
  oldest: ['integer'],
  newest: ['integer'],
  last_used: ['integer', 'text', 'integer'],
  expires: ['integer', 'integer'],
  name: ['text', 'integer'],
}

/** The filter of a list of keys, its order, and its page. */
export interface ListOptions {
  /** Only keys of this owner. */
  readonly owner?: string
  /** Only keys of this environment. */
  readonly environment?: string
  /** Only keys in this state, or in any of these. */
  readonly state?: KeyState | readonly KeyState[]
  /** Only keys that were granted this scope, or all of its resource. */
  readonly scope?: string
  /**
   * Part of an id, a name, an owner or the visible start of a secret. Of one or two characters: the beginning of a name, an
   * owner or the visible start of a secret. The capital letters of ASCII do not matter, those of other alphabets do.
   */
  readonly text?: string
  /** Only keys with a secret that this admin key issued, imported or rotated, and that was not ended. */
  readonly issuedBy?: string
  /** Only keys that expire before this time, in milliseconds since 1970. */
  readonly expiresBefore?: number
  /** Only keys that never expire, or with `false` only those that do. */
  readonly neverExpires?: boolean
  /** Only keys last used before this time, in milliseconds since 1970; of those never used, the ones created before it. */
  readonly unusedSince?: number
  /**
   * Only keys whose metadata has each of these members, with this value: 1 to 5 of them, on its first level. 5 is not
   * `'5'`, and `null` stands for a member that is not there.
   */
  readonly metadata?: MetadataFilter
  /** Only keys with an old secret that still works, or with `false` only those without. */
  readonly rotating?: boolean
  /**
   * `oldest` if left out: the first issued first. `newest`: the last issued first. `last_used`: the last used first, and those
   * never used at the end. `expires`: the first to expire first, and those that never expire at the end. `name`: by the
   * code points of the name.
   */
  readonly order?: ListOrder
  /** `cursor` of the page before, of the same order; the first page if left out. */
  readonly cursor?: string
  /** Whether all keys that meet the filter are counted too, up to 1000. */
  readonly count?: boolean
  /** Keys on a page, 1 to 1000; 100 if left out. */
  readonly limit?: number
}

const listOptions = membersOf<ListOptions>({
  owner: true,
  environment: true,
  state: true,
  scope: true,
  text: true,
  issuedBy: true,
  expiresBefore: true,
  neverExpires: true,
  unusedSince: true,
  metadata: true,
  rotating: true,
  order: true,
  cursor: true,
  count: true,
  limit: true,
})

/** One page of keys. */
export interface KeyPage<Scope extends string = string> {
  readonly keys: readonly Key<Scope>[]
  /**
   * Leads to the next page; `null` on the last, and on no other: a page may have fewer keys than its limit, or none, where
   * very many were looked at. Valid for ever. Following it gives every key once. Only a key that is used, prolonged or
   * renamed meanwhile may, in the order of that, come twice or not at all.
   */
  readonly cursor: string | null
  /**
   * How many keys meet the filter, on all pages together; only where `count` was asked for. With `more` there are, or may
   * be, more than that.
   */
  readonly total?: KeyCount
}

/** The function behind `Keyring.list`. */
export async function list<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: ListOptions,
): Promise<KeyPage<Scope>> {
  const { store, clock } = parts
  // If a filter were ignored, the list would have more keys than the caller requested.
  objectOf('The options of list', options, listOptions)
  const { state, scope, text: part, issuedBy, cursor, limit = 100 } = options
  const order = options.order === undefined ? 'oldest' : oneOf('order', options.order, listOrders)
  const after = cursorsOf(parts).positionOf(cursor, order, shapes[order])
  const { isNone, ...asked } = await askedKeys(parts, options)
  const now = clock.now()
  const filter: ListFilter = {
    ...asked,
    states: state === undefined ? undefined : statesOf(state),
    grants: scope === undefined ? undefined : grantsOf(scope),
    text: part === undefined ? undefined : searched(part),
    issuedBy: issuedBy === undefined ? undefined : text('issuedBy', issuedBy, bounds.label),
    expiresBefore: timestamp('expiresBefore', options.expiresBefore) ?? undefined,
    neverExpires: flag('neverExpires', options.neverExpires),
    unusedSince: timestamp('unusedSince', options.unusedSince) ?? undefined,
    metadata: options.metadata === undefined ? undefined : metadataAsked(options.metadata),
    rotating: flag('rotating', options.rotating),
    now,
    order,
    after: after as ListPosition | undefined,
    limit: integer('limit', limit, { least: 1, most: bounds.page }),
    count: flag('count', options.count),
  }
  if (isNone) return { keys: [], cursor: null, ...(filter.count === true ? { total: { count: 0, more: false } } : {}) }
  const { items, next, total } = await store.list(filter)
  return {
    keys: items.map((item) => keyOfListed<Scope>(item, now)),
    cursor: next === undefined ? null : cursorsOf(parts).cursorOf(order, next),
    ...(total === undefined ? {} : { total }),
  }
}

/** One state or several, each once. */
function statesOf(value: unknown): readonly KeyState[] {
  const states: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (states.length === 0 || states.length > keyStates.length) {
    throw invalid('state', `one to ${keyStates.length} of ${keyStates.join(', ')}`)
  }
  return [...new Set(states.map((state) => oneOf('state', state, keyStates)))]
}

function flag(name: string, value: unknown): boolean | undefined {
  if (value !== undefined && typeof value !== 'boolean') throw invalid(name, 'true or false')
  return value
}

/** A part of a text, in the normal form in which texts are kept. It may begin or end with a space. */
function searched(part: unknown): string {
  return anyText('text', typeof part === 'string' ? part.normalize() : part, bounds.label)
}

/** A scope, which may no longer be declared, and its wildcard; or a wildcard alone. */
function grantsOf(value: unknown): readonly string[] {
  const scope = text('scope', value, bounds.label)
  if (!/^[^:]+:[^:]+$/.test(scope)) throw invalid('scope', 'a scope such as orders:read')
  return [...new Set([scope, wildcardOf(scope)])]
}
