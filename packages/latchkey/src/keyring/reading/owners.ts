import { anyText, bounds, integer, membersOf, objectOf } from '../../input.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf } from '../authority.ts'
import type { Owner } from '../owners.ts'
import { ownerOfStored } from '../owners.ts'
import type { StateCounts } from './counts.ts'
import { statesOf, sumOf } from './counts.ts'
import { cursorsOf } from './cursor.ts'

/** The filter of a list of owners, and its page. */
export interface OwnersOptions {
  /** Only owners whose names begin with this; capital letters do not matter. */
  readonly text?: string
  /** `cursor` of the page before; the first page if left out. */
  readonly cursor?: string
  /** Owners on a page, 1 to 1000; 100 if left out. */
  readonly limit?: number
}

const ownersOptions = membersOf<OwnersOptions>({ text: true, cursor: true, limit: true })

/** An owner in a list, with the number of its keys. */
export interface ListedOwner extends Owner {
  /** How many keys it has. */
  readonly keys: number
  /** How many of them are in each state. */
  readonly states: StateCounts
}

/** One page of owners, in the order of their names. */
export interface OwnerPage {
  readonly owners: readonly ListedOwner[]
  /** Leads to the next page; `null` on the last. Valid for ever. */
  readonly cursor: string | null
}

/**
 * The function behind `Keyring.owners`.
 *
 * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
 */
export async function listOwners<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: OwnersOptions,
): Promise<OwnerPage> {
  const { store, clock } = parts
  objectOf('The options of owners', options, ownersOptions)
  const limit = integer('limit', options.limit ?? 100, { least: 1, most: bounds.page })
  const [after] = cursorsOf(parts).positionOf(options.cursor, 'owners', ['text']) ?? []
  const part = typeof options.text === 'string' ? options.text.normalize() : options.text
  const begins = part === undefined ? undefined : anyText('text', part, bounds.label)
  const { owner, environments, everywhere } = await authorityOf(parts, 'owners:read')
  if (environments?.length === 0) return { owners: [], cursor: null }
  const listed = await store.owners({
    owner,
    environments,
    // As for one owner: a record alone is seen by those who see all environments, or are bound to this owner.
    withoutKeys: everywhere || owner !== undefined,
    text: begins,
    now: clock.now(),
    after: after === undefined ? undefined : String(after),
    // One owner more than the page shows whether another page follows.
    limit: limit + 1,
  })
  const owners = listed.slice(0, limit).map((one): ListedOwner => {
    const states = statesOf(one.keys)
    return { ...ownerOfStored(one.owner), keys: sumOf(Object.values(states)), states }
  })
  const last = owners.at(-1)
  return {
    owners,
    cursor: listed.length > limit && last !== undefined ? cursorsOf(parts).cursorOf('owners', [last.owner]) : null,
  }
}
