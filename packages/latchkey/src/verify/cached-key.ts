import { frozenCopy } from '../frozen.ts'
import { subjectOfOwner } from '../journal/subject.ts'
import { addressMatcher } from '../policy/addresses.ts'
import { adminEnvironment } from '../policy/admin.ts'
import type { Delegation } from '../policy/delegation.ts'
import type { Quota } from '../policy/limits.ts'
import type { JsonValue, Metadata } from '../policy/metadata.ts'
import type { Catalogue } from '../policy/scopes.ts'
import { expand } from '../policy/scopes.ts'
import type { SecretMatch, Window } from '../ports.ts'
import type { RefusalCode } from '../refusal.ts'
import { refusals } from '../refusal.ts'
import { noteSecret } from './admin-secret.ts'
import { catalogueOf } from './parts.ts'
import type { Group, Rememberable } from './recent.ts'
import { sharing } from './shared.ts'
import type { UsageCounter } from './usage.ts'
import type { Refused, Retiring, VerifiedKey } from './verdict.ts'

/**
 * A key that may be accepted, by one of its secrets: all that holds until the journal says otherwise. One flat object, and
 * its own counter of usage: with many keys, each object is one more wait for memory. Equal grants are one object.
 */
export interface CachedKey<Scope extends string> extends Rememberable, UsageCounter {
  readonly refused?: undefined
  readonly key: VerifiedKey<Scope>
  readonly held: ReadonlySet<string>
  /** `undefined` for most keys: every call with the same requirement has the same verdict. */
  readonly conditions: Conditions | undefined
}

/** The conditions of a key that have to be judged anew for every call. */
export interface Conditions {
  readonly notBefore: number | null
  readonly expiresAt: number | null
  /** The end of the secret that was presented. */
  readonly endsAt: number | null
  readonly retiring: Retiring | undefined
  /** `undefined` if the key may be used from everywhere. */
  readonly allows: ((address: string) => boolean) | undefined
  /** The windows of the key, then those that its owner's keys share. */
  readonly windows: readonly Window[]
  readonly quota: Quota | null
}

/** A secret that is refused whatever the time and the requirement. */
export interface CachedRefusal extends Rememberable {
  readonly refused: Refused
}

/** The finding for a credential, as far as it does not depend on time and requirement. */
export type Finding<Scope extends string> = CachedKey<Scope> | Pick<CachedRefusal, 'refused'>

/**
 * The subject of what an import or a change of any owner may turn over: refusals, and keys found by their second hash or in
 * a source, to whose secret an import may give a key that is found before them.
 */
export const provisional = ''

/** The fewest bytes that a cached key takes: its objects, and the texts that every key has. */
const plainWeight = 512

/**
 * The cached refusal of a secret. All of them are alike in memory, as far as possible: each has its own verdict of the same
 * shape, is indexed by one name, and keeps no more of a known key than the verdict has. Otherwise the refusal of a revoked
 * key would take longer than that of an unknown one.
 */
export function refusedFor(hash: string, code: RefusalCode, key: SecretMatch['key'] | undefined): CachedRefusal {
  const [keyId, owner, environment] = [key?.id, key?.owner, key?.environment]
  const refused = Object.freeze({ ok: false as const, refusal: refusals[code], keyId, owner, environment })
  return { hash, weight: plainWeight, key: { id: keyId ?? hash }, group: groupOf(provisional), refused }
}

/** The maker of what the cache holds. What equal keys have in common is made once. */
export function cachedKeysOf<Scope extends string>(
  scopes: Catalogue<Scope>,
): (hash: string, found: SecretMatch) => CachedKey<Scope> | CachedRefusal {
  const texts = sharing<string>()
  const grants = sharing<Grants<Scope>>()
  const metadatas = sharing<Metadata>()
  const delegations = sharing<Delegation | null>()
  const matchers = sharing<(address: string) => boolean>()

  function grantsOf({ environment, scopes: granted }: SecretMatch['key']): Grants<Scope> {
    return grants(JSON.stringify([environment, granted]), () => {
      const held = expand(granted, catalogueOf({ scopes }, environment)) as ReadonlySet<Scope>
      return { environment, held, scopes: Object.freeze([...held]) }
    })
  }

  function conditionsOf({ key, secret, owner }: SecretMatch): Conditions | undefined {
    const { notBefore, expiresAt, addresses, quota } = key
    const until = secret?.endsAt ?? null
    // A secret that was ended has ended at any time, also if the clock is set back.
    const endsAt = secret?.ended === true ? 0 : until
    const windows = windowsOf(key, owner)
    const none = [notBefore, expiresAt, endsAt, addresses, quota].every((condition) => condition === null)
    if (none && windows.length === 0) return undefined
    const retiring = until === null ? undefined : Object.freeze({ since: secret?.retiredAt ?? until, until })
    return {
      notBefore,
      expiresAt,
      endsAt,
      retiring,
      allows: addresses === null ? undefined : matchers(JSON.stringify(addresses), () => addressMatcher(addresses)),
      windows,
      quota,
    }
  }

  return (hash, found) => {
    const { key: stored, secret, owner: ownerKept } = found
    if (stored.revokedAt !== null) return refusedFor(hash, 'revoked', stored)
    if (stored.disabledAt !== null) return refusedFor(hash, 'disabled', stored)
    if ((ownerKept?.disabledAt ?? null) !== null) return refusedFor(hash, 'owner_disabled', stored)

    const { id, name, expiresAt, delegation } = stored
    const { environment, held, scopes: expanded } = grantsOf(stored)
    const owner = texts(stored.owner, () => stored.owner)
    const key = Object.freeze({
      id,
      name,
      owner,
      environment,
      scopes: expanded,
      metadata: metadatas(JSON.stringify(stored.metadata), () => frozenCopy(stored.metadata)),
      expiresAt,
      delegation: delegation && delegations(JSON.stringify(delegation), () => frozenCopy(delegation)),
    })
    if (secret !== undefined && environment === adminEnvironment) noteSecret(key, secret.hash)
    return {
      hash,
      weight: weightOf(found),
      group: groupOf(secret?.hash === hash ? subjectOfOwner(owner) : provisional),
      key,
      held,
      conditions: conditionsOf(found),
      secretHash: secret?.hash === hash ? hash : secret?.hash,
      secretCreatedAt: secret?.createdAt ?? 0,
      // A secret with another time than its key comes from a rotation. If the clock was set back, the time is earlier.
      firstUse: secret !== undefined && secret.lastUsedAt === null && secret.createdAt !== stored.createdAt,
      accepted: 0,
      cost: 0,
      lastUsedAt: 0,
    }
  }
}

/** What many keys have in common. */
interface Grants<Scope extends string> {
  readonly environment: string
  readonly held: ReadonlySet<Scope>
  readonly scopes: readonly Scope[]
}

function groupOf(subject: string): Group {
  return { subject, changed: false }
}

function windowsOf({ id, owner, limits }: SecretMatch['key'], ownerKept: SecretMatch['owner']): readonly Window[] {
  return [
    ...limits.map((limit) => ({ ...limit, bucket: `${id}/${limit.name}/${limit.window}`, group: owner })),
    ...(ownerKept?.limits ?? []).map((limit) => ({
      ...limit,
      name: `owner:${limit.name}`,
      bucket: `${subjectOfOwner(owner)}/${limit.name}/${limit.window}`,
      group: owner,
    })),
  ]
}

/**
 * The bytes that a cached key takes, estimated rather too high. Its large parts are texts, with at most two bytes a
 * character, and small objects, which are several times as large in memory as in JSON.
 */
function weightOf({ key, owner }: SecretMatch): number {
  const { name, metadata, scopes, addresses, limits, delegation } = key
  const large = JSON.stringify([name, key.owner, metadata, scopes, delegation]).length * 2
  return plainWeight + large + structureOf(metadata) + JSON.stringify([addresses, limits, owner?.limits]).length * 8
}

/** Bytes that a value of metadata takes besides its text: lists and objects have a header and a slot for each value. */
function structureOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0
  return Object.values(value).reduce((sum: number, inner: JsonValue) => sum + 8 + structureOf(inner), 100)
}
