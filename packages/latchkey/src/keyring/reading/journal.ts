import { LatchkeyError } from '../../error.ts'
import { bounds, integer, invalid, membersOf, objectOf, text, timestamp } from '../../input.ts'
import { subjectOfOwner } from '../../journal/subject.ts'
import type { JournalEntry, Store } from '../../ports.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import { authorityOf, mustSeeAll } from '../authority.ts'
import { visibleOwner } from '../owners.ts'

/** The filter of journal entries to read. */
export interface JournalOptions {
  /** Only entries after this sequence number. */
  readonly after?: number
  /** How many entries at most, 1 to 1000; 100 if left out. */
  readonly limit?: number
  /** Only changes of the key with this id. */
  readonly key?: string
  /** Only changes of this owner. */
  readonly owner?: string
  /** Only changes by this actor. */
  readonly actor?: string
  /** Only entries from this time on, in milliseconds since 1970. */
  readonly from?: number
  /** Only entries before this time, in milliseconds since 1970. */
  readonly to?: number
}

const journalOptions = membersOf<JournalOptions>({
  after: true,
  limit: true,
  key: true,
  owner: true,
  actor: true,
  from: true,
  to: true,
})

/**
 * The function behind `Keyring.journal`.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_key`, `unknown_owner`, `beyond_delegation`.
 */
export async function readJournal<Scope extends string>(
  parts: KeyringParts<Scope>,
  options: JournalOptions,
): Promise<readonly JournalEntry[]> {
  const { store } = parts
  objectOf('The options of journal', options, journalOptions)
  const { after = 0, limit = 100, key, actor, from, to } = options
  const owner = options.owner === undefined ? undefined : text('owner', options.owner, bounds.label)
  const authority = await authorityOf(parts, 'journal:read')
  let earliest = 0
  if (key !== undefined && owner !== undefined) throw invalid('key and owner', 'asked for one at a time')
  if (key !== undefined) {
    const kept = await store.byId(text('key', key, bounds.label))
    if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
    if (authority.owner !== undefined) earliest = await handover(store, key)
  } else if (owner === undefined || authority.owner !== owner) {
    mustSeeAll(authority)
  } else if ((await visibleOwner(parts, authority, owner)) === undefined) {
    throw new LatchkeyError('unknown_owner', 'No key has this owner.')
  }
  return store.journal({
    after: Math.max(earliest, integer('after', after, { least: 0, most: Number.MAX_SAFE_INTEGER })),
    limit: integer('limit', limit, { least: 1, most: bounds.page }),
    subject: key ?? (owner === undefined ? undefined : subjectOfOwner(owner)),
    actor: actor === undefined ? undefined : text('actor', actor, bounds.label),
    from: timestamp('from', from) ?? undefined,
    to: timestamp('to', to) ?? undefined,
  })
}

/**
 * The sequence number of the entry that gave a key to its present owner; 0 if it always had this owner. That entry and
 * those before it are for admin keys that see the owner before.
 */
async function handover(store: Store, key: string): Promise<number> {
  let [seq, last] = [0, 0]
  for (;;) {
    const entries = await store.journal({ after: seq, limit: bounds.page, subject: key })
    for (const entry of entries) {
      seq = entry.seq
      const { before } = JSON.parse(entry.change) as { readonly before?: { readonly owner?: string } }
      if (entry.action === 'change' && before?.owner !== undefined) last = seq
    }
    if (entries.length < bounds.page) return last
  }
}
