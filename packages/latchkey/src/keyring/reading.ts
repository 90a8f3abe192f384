import { LatchkeyError } from '../error.ts'
import type { JournalEntry, UsageCount } from '../ports.ts'
import { authorityOf, mustSeeAll } from './authority.ts'
import { bounds, invalid, moment, text, whole } from './input.ts'
import { subjectOfOwner, visibleOwner } from './owners.ts'
import type { KeyringParts } from './parts.ts'

/** Which entries of the journal to read. */
export interface JournalOptions {
  /** Only entries after this sequence number. */
  readonly after?: number
  /** 1 to 1000; 100 if left out. */
  readonly limit?: number
  /** Only what happened to the key with this id. */
  readonly key?: string
  /** Only what happened to this owner. */
  readonly owner?: string
  readonly actor?: string
  /** Milliseconds since 1970: the first that counts, and the first that no longer does. */
  readonly from?: number
  readonly to?: number
}

/** Which usage to read. */
export interface UsageOptions {
  readonly key?: string
  readonly owner?: string
  /** `accepted`, or the code of a refusal. */
  readonly outcome?: string
  /** Milliseconds since 1970: the first that counts, and the first that no longer does. The last 24 hours if left out. */
  readonly from?: number
  readonly to?: number
  /** 1 to 10,000 rows; 1000 if left out. */
  readonly limit?: number
}

/** Rows of usage in one answer. */
const mostRows = 10_000

const aDay = 86_400_000

/**
 * The function behind `Keyring.journal`.
 *
 * @throws LatchkeyError `invalid_input`, `unknown_key`, `unknown_owner`, `beyond_delegation`.
 */
export async function readJournal<Scope extends string>(
  parts: KeyringParts<Scope>,
  { after = 0, limit = 100, key, owner, actor, from, to }: JournalOptions,
): Promise<readonly JournalEntry[]> {
  const { store } = parts
  const authority = await authorityOf(parts)
  if (key !== undefined && owner !== undefined) throw invalid('key and owner', 'asked for one at a time')
  if (key !== undefined) {
    const kept = await store.byId(text('key', key, bounds.label))
    if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
  } else if (owner === undefined || authority.owner !== owner) {
    mustSeeAll(authority)
  } else if ((await visibleOwner(parts, authority, owner)) === undefined) {
    throw new LatchkeyError('unknown_owner', 'No key has this owner.')
  }
  return store.journal({
    after: whole('after', after, 0, Number.MAX_SAFE_INTEGER),
    limit: whole('limit', limit, 1, bounds.page),
    subject: key ?? (owner === undefined ? undefined : subjectOfOwner(text('owner', owner, bounds.label))),
    actor: actor === undefined ? undefined : text('actor', actor, bounds.label),
    from: moment('from', from) ?? undefined,
    to: moment('to', to) ?? undefined,
  })
}

/** The function behind `Keyring.usage`. */
export async function readUsage<Scope extends string>(
  parts: KeyringParts<Scope>,
  { key, owner, outcome, from, to, limit = 1000 }: UsageOptions,
): Promise<readonly UsageCount[]> {
  const { store, clock } = parts
  const authority = await authorityOf(parts)
  if (owner !== undefined && authority.owner !== undefined && owner !== authority.owner) return []
  const wantedKey = key === undefined ? undefined : text('key', key, bounds.label)
  if (wantedKey !== undefined && parts.authority !== undefined) {
    const kept = await store.byId(wantedKey)
    if (kept === undefined || !authority.sees(kept.key)) throw new LatchkeyError('unknown_key', 'No key has this id.')
  }
  const until = moment('to', to) ?? clock.now() + 1
  return store.usage({
    key: wantedKey,
    owner: authority.owner ?? (owner === undefined ? undefined : text('owner', owner, bounds.label)),
    environments: authority.environments,
    outcome: outcome === undefined ? undefined : text('outcome', outcome, bounds.label),
    from: moment('from', from) ?? Math.max(0, until - aDay),
    to: until,
    limit: whole('limit', limit, 1, mostRows),
  })
}
