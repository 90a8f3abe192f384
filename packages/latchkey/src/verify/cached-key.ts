import { frozenCopy } from '../frozen.ts'
import { subjectOfOwner } from '../journal/subject.ts'
import { addressMatcher } from '../policy/addresses.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Catalogue } from '../policy/scopes.ts'
import { expand } from '../policy/scopes.ts'
import type { SecretMatch, Window } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import { noteSecret } from './admin-secret.ts'
import type { CachedKey } from './cache.ts'
import { catalogueOf } from './parts.ts'

/**
 * The cached key of a secret that is refused whatever the time and the requirement. Alike for all of them down to where things
 * lie in memory, as far as that can be had: each has a verdict of its own and of one shape, and nothing more is kept of
 * a known key than its verdict tells, or a revoked key would take longer than an unknown one.
 */
export function refusedFor(hash: string, code: RefusalCode, key: SecretMatch['key'] | undefined): CachedKey<never> {
  const [keyId, owner, environment] = [key?.id, key?.owner, key?.environment]
  const refused = Object.freeze({ ok: false as const, refusal: refusals[code], keyId, owner, environment })
  return {
    hash,
    refused,
    active: undefined,
    // Whatever changes, all that are refused are forgotten: nobody asks whose they are.
    keyId: undefined,
    ownerSubject: undefined,
    lastResort: false,
    weight: plainWeight,
  }
}

/** Bytes that a cached key takes at least: the objects themselves, and the texts that every key has. */
const plainWeight = 1024

/**
 * Bytes that a cached key takes, roughly, and rather more: what may be large of a key is texts, kept with two bytes a
 * character at most, and small objects that are some times as large in memory as they are in JSON.
 */
function weightOf({ key, owner }: SecretMatch): number {
  const { name, metadata, scopes, addresses, limits, delegation } = key
  const large = JSON.stringify([name, key.owner, metadata, scopes, delegation]).length * 2
  return plainWeight + large + JSON.stringify([addresses, limits, owner?.limits]).length * 8
}

/** What can be said of a found key once, for as long as its rows stay as they are. */
export function cachedKeyOf<Scope extends string>(
  hash: string,
  found: SecretMatch,
  scopes: Catalogue<Scope>,
): CachedKey<Scope> {
  const { key: stored, secret, owner: ownerKept } = found
  if (stored.revokedAt !== null) return refusedFor(hash, 'revoked', stored)
  if (stored.disabledAt !== null) return refusedFor(hash, 'disabled', stored)
  if ((ownerKept?.disabledAt ?? null) !== null) return refusedFor(hash, 'owner_disabled', stored)

  const { id, name, owner, environment, metadata, notBefore, expiresAt, addresses, quota, delegation } = stored
  const held = expand(stored.scopes, catalogueOf({ scopes }, environment)) as ReadonlySet<Scope>
  const key = Object.freeze({
    id,
    name,
    owner,
    environment,
    scopes: Object.freeze([...held]),
    metadata: frozenCopy(metadata),
    expiresAt,
    delegation: frozenCopy(delegation),
  })
  if (secret !== undefined && environment === adminEnvironment) noteSecret(key, secret.hash)
  const endsAt = secret?.endsAt ?? null
  const retiring = endsAt === null ? undefined : Object.freeze({ since: secret?.retiredAt ?? endsAt, until: endsAt })
  const windows: readonly Window[] = [
    ...stored.limits.map((limit) => ({ ...limit, bucket: `${id}/${limit.name}/${limit.window}` })),
    ...(ownerKept?.limits ?? []).map((limit) => ({
      ...limit,
      name: `owner:${limit.name}`,
      bucket: `${subjectOfOwner(owner)}/${limit.name}/${limit.window}`,
    })),
  ]
  return {
    hash,
    refused: undefined,
    keyId: id,
    ownerSubject: subjectOfOwner(owner),
    lastResort: secret?.hash !== hash,
    weight: weightOf(found),
    active: {
      accepted: Object.freeze({ ok: true as const, key, limits: undefined, retiring }),
      held,
      timed: notBefore !== null || expiresAt !== null || endsAt !== null,
      notBefore,
      expiresAt,
      // What was ended has ended at any time.
      endsAt: secret?.ended === true ? 0 : endsAt,
      allows: addresses === null ? undefined : addressMatcher(addresses),
      metered: windows.length > 0 || quota !== null,
      windows,
      quota,
      counter: {
        keyId: id,
        owner,
        secretHash: secret?.hash,
        // Made at another time than its key is made by a rotation; at an earlier one, where the clock has stepped back.
        firstUse: secret !== undefined && secret.lastUsedAt === null && secret.createdAt !== stored.createdAt,
        accepted: 0,
        lastUsedAt: 0,
      },
    },
  }
}
