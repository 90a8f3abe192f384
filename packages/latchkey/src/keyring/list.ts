import type { KeyState } from '../ports.ts'
import { bounds, invalid, oneOf, text } from './input.ts'
import type { KeyringParts } from './parts.ts'
import { keyOfStored } from './key.ts'
import type { Key } from './key.ts'

const states: readonly KeyState[] = ['active', 'pending', 'expired', 'revoked']

/** Which keys to list, and which page of them. */
export interface ListOptions {
  readonly owner?: string
  readonly state?: KeyState
  /** `cursor` of the page before; the first page if left out. */
  readonly cursor?: string
  /** Keys on a page, 1 to 1000; 100 if left out. */
  readonly limit?: number
}

/** One page of keys, in the order of issue. */
export interface KeyPage<Scope extends string = string> {
  readonly keys: readonly Key<Scope>[]
  /** Leads to the next page; `null` on the last. Valid for ever: a key issued later never appears before it. */
  readonly cursor: string | null
}

/** The function behind `Keyring.list`. */
export async function list<Scope extends string>(
  { store, clock }: KeyringParts<Scope>,
  { owner, state, cursor, limit = 100 }: ListOptions,
): Promise<KeyPage<Scope>> {
  if (!Number.isInteger(limit) || limit < 1 || limit > bounds.page) {
    throw invalid('limit', `a whole number from 1 to ${bounds.page}`)
  }
  if (cursor !== undefined && !/^[0-9]{1,15}$/.test(cursor)) throw invalid('cursor', 'the cursor of a page')
  const now = clock.now()
  const listed = await store.list({
    owner: owner === undefined ? undefined : text('owner', owner, bounds.label),
    state: state === undefined ? undefined : oneOf('state', state, states),
    now,
    after: Number(cursor ?? 0),
    // One more than shown tells whether another page follows.
    limit: limit + 1,
  })
  const shown = listed.slice(0, limit)
  const last = shown.at(-1)
  return {
    keys: shown.map(({ key }) => keyOfStored<Scope>(key, now)),
    cursor: listed.length > limit && last !== undefined ? String(last.place) : null,
  }
}
