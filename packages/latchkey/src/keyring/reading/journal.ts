import { LatchkeyError } from '../../error.ts'
import { bounds, integer, invalid, membersOf, objectOf, oneOf, text, timestamp } from '../../input.ts'
import type { Action, EntryFilter } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { Authority } from '../authority.ts'
import { authorityOf, mustSeeAll } from '../authority.ts'
import { visibleOwner } from '../owners.ts'
import { cursorsOf } from './cursor.ts'
import type { Entry } from './entry.ts'
import { entryOf } from './entry.ts'

/** The filter of journal entries to read, and their page. */
export interface JournalOptions {
  /** Only changes of the key with this id. */
  readonly key?: string
  /** Only changes of this owner, and of the keys that it had when they were changed. */
  readonly owner?: string
  /** Only changes by this actor. */
  readonly actor?: string
  /** Only changes of this kind. */
  readonly action?: Action
  /** Only entries from this time on, in milliseconds since 1970. */
  readonly from?: number
  /** Only entries before this time, in milliseconds since 1970. */
  readonly to?: number
  /** Only entries after this sequence number, for a program that follows the journal. */
  readonly after?: number
  /** By number; by time where `from` or `to` is given. `newest` if left out. */
  readonly order?: 'newest' | 'oldest'
  /** `cursor` of the page before; the first page if left out. */
  readonly cursor?: string
  /** Entries on a page, 1 to 1000; 100 if left out. */
  readonly limit?: number
}

const journalOptions = membersOf<JournalOptions>({
  key: true,
  owner: true,
  actor: true,
  action: true,
  from: true,
  to: true,
  after: true,
  order: true,
  cursor: true,
  limit: true,
})

/** One page of the journal. */
export interface JournalPage {
  readonly entries: readonly Entry[]
  /** Leads to the next page; `null` on the last. */
  readonly cursor: string | null
}

/** Every kind of a change. One that is missing does not compile. */
const everyAction: Readonly<Record<Action, true>> = {
  issue: true,
  import: true,
  change: true,
  rotate: true,
  retire: true,
  disable: true,
  enable: true,
  revoke: true,
  snapshot: true,
  erase: true,
  purge: true,
}

/** The kinds of changes that the journal tells of. */
export const actions = Object.keys(everyAction) as readonly Action[]

const orders = ['newest', 'oldest'] as const

/**
 * The function behind `Keyring.journal`.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_key`, `unknown_owner`, `beyond_delegation`.
 */
export async function readJournal<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: JournalOptions,
): Promise<JournalPage> {
  objectOf('The options of journal', options, journalOptions)
  const { key, owner, actor, action, from, to, after, order = 'newest', cursor, limit = 100 } = options
  if (key !== undefined && owner !== undefined) throw invalid('key and owner', 'asked for one at a time')
  const [earliest, latest] = [timestamp('from', from) ?? undefined, timestamp('to', to) ?? undefined]
  const inOrder = oneOf('order', order, orders)
  const orderName = `journal ${inOrder}${earliest === undefined && latest === undefined ? '' : ' by time'}`
  const [at, seq] = cursorsOf(parts).positionOf(cursor, orderName, ['integer', 'integer']) ?? []
  const size = integer('limit', limit, { least: 1, most: bounds.page })
  const filter = {
    actor: actor === undefined ? undefined : text('actor', actor, bounds.label),
    action: action === undefined ? undefined : oneOf('action', action, actions),
    from: earliest,
    to: latest,
    after: after === undefined ? undefined : integer('after', after, { least: 0, most: Number.MAX_SAFE_INTEGER }),
    order: inOrder,
    position: seq === undefined ? undefined : { at: Number(at), seq: Number(seq) },
    // One entry more than the page shows whether another page follows.
    limit: size + 1,
  }
  const authority = await authorityOf(parts, 'journal:read')
  const found = await parts.store.entries({ ...filter, ...(await subjectsOf(parts, authority, { key, owner })) })
  const shown = found.slice(0, size)
  const last = shown.at(-1)?.entry
  return {
    entries: shown.map((item) => entryOf(item, authority)),
    cursor:
      found.length > size && last !== undefined ? cursorsOf(parts).cursorOf(orderName, [last.at, last.seq]) : null,
  }
}

/** An entry, and the values that it has changed. */
export interface EntryDetails {
  readonly entry: Entry
  /**
   * The members that it has changed, with their values before; `null` if it has changed none, or was emptied. Those after
   * it are `entry.change.after`.
   */
  readonly before: Readonly<Record<string, unknown>> | null
}

/**
 * The function behind `Keyring.journalEntry`: `undefined` if there is no such entry, or none that the admin key may read.
 *
 * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
 */
export async function findEntry<Scope extends string>(
  parts: KeyringParts<Scope>,
  number: number,
): Promise<EntryDetails | undefined> {
  const seq = integer('seq', number, { least: 1, most: Number.MAX_SAFE_INTEGER - 1 })
  const authority = await authorityOf(parts, 'journal:read')
  const { owner } = authority
  if (owner === undefined) mustSeeAll(authority)
  const held = owner === undefined ? undefined : (authority.environments ?? [])
  // From both sides, so that no other entry is looked at.
  const only = { order: 'newest', position: { at: 0, seq: seq + 1 }, after: seq - 1, limit: 1 } as const
  const [item] = await parts.store.entries({ ...only, owner, held })
  if (item === undefined) return undefined
  const entry = entryOf(item, authority)
  const { before } = entry.change
  return { entry, before: typeof before === 'object' ? (before as EntryDetails['before']) : null }
}

/** The part of the filter that says whose entries are read, as far as the admin key that asks may read them. */
async function subjectsOf<Scope extends string>(
  parts: KeyringParts<Scope>,
  authority: Authority,
  { key, owner: name }: { readonly key: string | undefined; readonly owner: string | undefined },
): Promise<Pick<EntryFilter, 'subject' | 'owner' | 'held'>> {
  const owner = name === undefined ? undefined : text('owner', name, bounds.label)
  // What was done to a key while another owner had it is for those who see that owner.
  const own = authority.owner === undefined ? {} : { owner: authority.owner, held: authority.environments ?? [] }
  if (key !== undefined) {
    const kept = await parts.store.byId(text('key', key, bounds.label))
    // Of a key that was purged, the journal still tells those who see all keys.
    if (kept === undefined && authority.everywhere && authority.owner === undefined) {
      const [entry] = await parts.store.journal({ after: 0, limit: 1, subject: key })
      if (entry !== undefined) return { subject: key }
    }
    if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
    return { subject: kept.key.id, ...own }
  }
  if (owner === undefined || authority.owner !== owner) {
    mustSeeAll(authority)
    return { owner }
  }
  if ((await visibleOwner(parts, authority, owner)) === undefined) {
    throw new LatchkeyError('unknown_owner', 'No key has this owner.')
  }
  return own
}
