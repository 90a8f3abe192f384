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
 * The cached key of a secret that is refused whatever the time and the requirement. All of them are alike in memory, as far
 * as possible: each has its own verdict of the same shape, and keeps no more of a known key than the verdict has.
 * Otherwise the refusal of a revoked key would take longer than that of an unknown one.
 */
export function refusedFor(hash: string, code: RefusalCode, key: SecretMatch['key'] | undefined): CachedKey<never> {
  const [keyId, owner, environment] = [key?.id, key?.owner, key?.environment]
  const refused = Object.freeze({ ok: false as const, refusal: refusals[code], keyId, owner, environment })
  return {
    hash,
    refused,
    active: undefined,
    // Every change forgets all refused credentials, whose keys do not matter.
    keyId: undefined,
    ownerSubject: undefined,
    lastResort: false,
    weight: plainWeight,
  }
}

/** The fewest bytes that a cached key takes: its objects, and the texts that every key has. */
const plainWeight = 1024

/**
 * The bytes that a cached key takes, estimated rather too high. Its large parts are texts, with at most two bytes a
 * character, and small objects, which are several times as large in memory as in JSON.
 */
function weightOf({ key, owner }: SecretMatch): number {
  const { name, metadata, scopes, addresses, limits, delegation } = key
  const large = JSON.stringify([name, key.owner, metadata, scopes, delegation]).length * 2
  return plainWeight + large + JSON.stringify([addresses, limits, owner?.limits]).length * 8
}

/** The cached key of a key that was found: all that holds for as long as its rows do not change. */
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
      // A secret that was ended has ended at any time, also if the clock is set back.
      endsAt: secret?.ended === true ? 0 : endsAt,
      allows: addresses === null ? undefined : addressMatcher(addresses),
      metered: windows.length > 0 || quota !== null,
      windows,
      quota,
      counter: {
        keyId: id,
        owner,
        secretHash: secret?.hash,
        // A secret with another time than its key comes from a rotation. If the clock was set back, the time is earlier.
        firstUse: secret !== undefined && secret.lastUsedAt === null && secret.createdAt !== stored.createdAt,
        accepted: 0,
        lastUsedAt: 0,
      },
    },
  }
}
