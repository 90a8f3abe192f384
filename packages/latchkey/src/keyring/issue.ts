import { randomBase62 } from '../key/base62.ts'
import { hashSecret } from '../key/hash.ts'
import { mint } from '../key/mint.ts'
import { parse } from '../key/parse.ts'
import type { Grant } from '../policy/scopes.ts'
import { grantable } from '../policy/scopes.ts'
import type { StoredKey } from '../ports.ts'
import { bounds, invalid, metadata, moment, oneOf, text } from './input.ts'
import type { KeyringParts } from './parts.ts'
import { keyOfStored } from './key.ts'
import type { Key } from './key.ts'
import { seal } from './journal.ts'

/** What a new key is to be. */
export interface IssueOptions<Scope extends string> {
  /** What people call it. 1 to 120 characters. */
  readonly name: string
  /** Whom it belongs to. 1 to 120 characters. */
  readonly owner: string
  /** What it may do; an empty list is nothing. */
  readonly scopes: readonly Grant<Scope>[]
  /** The first environment of the keyring if left out. */
  readonly environment?: string
  /** From when it is valid, in milliseconds since 1970. */
  readonly notBefore?: number | null
  /** From when it no longer is, in milliseconds since 1970. */
  readonly expiresAt?: number | null
  /** Short texts of your own, e.g. `{ plan: 'pro' }`. At most 32. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Who issues it, for the journal. `application` if left out. */
  readonly actor?: string
}

/** A new key, with its secret for the only time. */
export interface Issued<Scope extends string = string> {
  readonly key: Key<Scope>
  /** Show it once and forget it: it cannot be had again. */
  readonly secret: string
}

/** The function behind `Keyring.issue`. */
export async function issue<Scope extends string>(
  { store, cache, clock, prefix, environments, scopes: catalogue }: KeyringParts<Scope>,
  options: IssueOptions<Scope>,
): Promise<Issued<Scope>> {
  const now = clock.now()
  const environment = oneOf('environment', options.environment ?? environments[0], environments)
  const notBefore = moment('notBefore', options.notBefore)
  const expiresAt = moment('expiresAt', options.expiresAt)
  if (expiresAt !== null && expiresAt <= Math.max(now, notBefore ?? 0)) {
    throw invalid('expiresAt', 'later than now and than notBefore')
  }
  if (!Array.isArray(options.scopes) || options.scopes.length > bounds.scopes) {
    throw invalid('scopes', `a list of at most ${bounds.scopes}`)
  }
  const secret = mint({ prefix, environment })
  const parsed = parse(secret)
  const key: Omit<StoredKey, 'revision'> = {
    id: `key_${randomBase62(20)}`,
    name: text('name', options.name, bounds.label),
    owner: text('owner', options.owner, bounds.label),
    environment,
    scopes: grantable(options.scopes, catalogue),
    metadata: metadata(options.metadata),
    start: typeof parsed === 'object' ? parsed.start : '',
    createdAt: now,
    notBefore,
    expiresAt,
    revokedAt: null,
    revokedReason: null,
    revokedNote: null,
  }
  const { id, name, owner, scopes, start } = key
  const actor = text('actor', options.actor ?? 'application', bounds.label)
  const change = JSON.stringify({
    name,
    owner,
    environment,
    scopes,
    metadata: key.metadata,
    start,
    notBefore,
    expiresAt,
  })
  const draft = { at: now, actor, action: 'issue', subject: id, change } as const
  // Only updates can conflict.
  const entries = await store.commit([{ kind: 'insert', key, secretHash: hashSecret(secret), draft }], seal)
  cache.committed(entries ?? [])
  return { key: keyOfStored({ ...key, revision: 0 }, now), secret }
}
