import { namePattern } from '../key/parse.ts'
import type { Catalogue } from '../policy/scopes.ts'
import { checkCatalogue } from '../policy/scopes.ts'
import type { Clock, JournalEntry, JournalHead, KeySource, Store } from '../ports.ts'
import { openCache } from './cache.ts'
import { systemClock } from './clock.ts'
import { bounds, invalid, text } from './input.ts'
import type { IssueOptions, Issued } from './issue.ts'
import { issue } from './issue.ts'
import type { JournalReport } from './journal.ts'
import { verifyJournal } from './journal.ts'
import type { Key } from './key.ts'
import { keyOfStored } from './key.ts'
import type { KeyPage, ListOptions } from './list.ts'
import { list } from './list.ts'
import type { KeyringParts } from './parts.ts'
import type { RevokeOptions, Revoked } from './revoke.ts'
import { revoke } from './revoke.ts'
import type { Verifier } from './verdict.ts'
import { verifierOf } from './verify.ts'

/** How a keyring is opened. */
export interface KeyringOptions<Scope extends string> {
  readonly store: Store
  /** Every scope that a key may have, each with the sentence that the documentation shows. */
  readonly scopes: Catalogue<Scope>
  /** What every secret begins with, so that people and scanners know whose it is. Lower-case letters and digits; `lk`. */
  readonly prefix?: string
  /** The first is the one that keys are issued for and routes take unless told otherwise; `live` and `test`. */
  readonly environments?: readonly [string, ...string[]]
  /** Where keys may come from besides the store, asked first. */
  readonly sources?: readonly KeySource[]
  readonly clock?: Clock
  /** How many verified keys are held in memory, and how many refused credentials. 50,000. */
  readonly cacheSize?: number
}

/** All keys, and the verbs on them. */
export interface Keyring<Scope extends string = string> extends Verifier<Scope> {
  /**
   * Issues a key. Its secret is in the answer and nowhere else.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`.
   */
  issue(options: IssueOptions<Scope>): Promise<Issued<Scope>>
  /**
   * Revokes a key for good. When this answers, no instance accepts it any more.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`.
   */
  revoke(id: string, options: RevokeOptions): Promise<Revoked<Scope>>
  /**
   * The key with this id.
   *
   * @throws LatchkeyError `invalid_input`.
   */
  find(id: string): Promise<Key<Scope> | undefined>
  /**
   * Keys in the order of issue.
   *
   * @throws LatchkeyError `invalid_input`.
   */
  list(options?: ListOptions): Promise<KeyPage<Scope>>
  /** Journal entries after a sequence number, in order; 100, and at most 1000. */
  journal(options?: { after?: number; limit?: number }): Promise<readonly JournalEntry[]>
  /** Checks the whole journal; with `anchor`, also that it still contains a head noted earlier and kept elsewhere. */
  verifyJournal(options?: { anchor?: JournalHead }): Promise<JournalReport>
  /** Closes the store. */
  close(): Promise<void>
}

/**
 * Opens a keyring on a store.
 *
 * @throws LatchkeyError `invalid_input` for a prefix, an environment or a scope that is not spelt as it must be.
 *
 * @example
 * const keyring = await openKeyring({
 *   store: sqliteStore({ file: 'data/latchkey.db' }),
 *   scopes: { 'orders:read': 'Read orders' },
 * })
 * const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
 */
export async function openKeyring<const Scope extends string>(options: KeyringOptions<Scope>): Promise<Keyring<Scope>> {
  const { store, scopes, prefix = 'lk', environments = ['live', 'test'], sources = [] } = options
  const { clock = systemClock, cacheSize = 50_000 } = options
  checkCatalogue(scopes)
  for (const word of [prefix, ...environments]) {
    if (!namePattern.test(word)) {
      throw invalid('prefix and environments', 'lower-case letters and digits, 1 to 16, beginning with a letter')
    }
  }
  if (!Number.isSafeInteger(cacheSize) || cacheSize < 2) throw invalid('cacheSize', 'a whole number from 2')

  const cache = openCache<Scope>({ store, clock, limit: cacheSize })
  const parts: KeyringParts<Scope> = { store, sources, cache, clock, prefix, environments, scopes }
  // The first look is the longest, and a store that cannot be read should say so now and not to the first caller.
  await cache.follow()

  return {
    scopes,
    environments,
    verify: verifierOf(parts),
    issue: (issueOptions) => issue(parts, issueOptions),
    revoke: (id, revokeOptions) => revoke(parts, id, revokeOptions),
    list: (listOptions = {}) => list(parts, listOptions),
    async find(id) {
      const stored = await store.byId(text('id', id, bounds.label))
      return stored === undefined ? undefined : keyOfStored<Scope>(stored, clock.now())
    },
    async journal({ after = 0, limit = 100 } = {}) {
      if (!Number.isSafeInteger(after) || after < 0) throw invalid('after', 'a whole number from 0')
      if (!Number.isSafeInteger(limit) || limit < 1 || limit > bounds.page) {
        throw invalid('limit', `a whole number from 1 to ${bounds.page}`)
      }
      return store.journal(after, limit)
    },
    verifyJournal: ({ anchor } = {}) => verifyJournal(store, anchor),
    async close() {
      await store.close()
    },
  }
}
