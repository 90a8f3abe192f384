import type { Delegation } from '../policy/delegation.ts'
import type { Lifetime } from '../policy/lifetime.ts'
import { phase } from '../policy/lifetime.ts'
import type { Limit, Quota } from '../policy/limits.ts'
import type { Metadata } from '../policy/metadata.ts'
import type { Grant } from '../policy/scopes.ts'
import type {
  KeyRecord,
  KeyRotation,
  KeyState,
  KeyListItem,
  RevocationReason,
  SecretKind,
  StoredKey,
  StoredSecret,
} from '../ports.ts'
import type { QuotaLeft } from '../verify/quota-left.ts'
import { quotaLeftOf } from '../verify/quota-left.ts'
import { membersIn } from './members.ts'

/** A key as people see it: everything but its secret. Times are milliseconds since 1970 (UTC). */
export interface Key<Scope extends string = string> extends Lifetime {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly environment: string
  /** As granted: `orders:*` stays `orders:*`. */
  readonly scopes: readonly Grant<Scope>[]
  readonly metadata: Metadata
  /** The addresses from which it may be used; `null` is anywhere. */
  readonly addresses: readonly string[] | null
  readonly limits: readonly Limit[]
  readonly quota: Quota | null
  /** The rights that an admin key may give. */
  readonly delegation: Delegation | null
  /** The visible start of its newest secret, e.g. `lk_live_3fA9`. */
  readonly start: string
  readonly createdAt: number
  readonly state: KeyState
  /** When it was disabled; `null` if it is not. */
  readonly disabledAt: number | null
  /** The admin key that disabled it; `null` if the holder of the keyring itself did. */
  readonly disabledBy: string | null
  /** When and why it was revoked; `null` if it was not. */
  readonly revoked: Revocation | null
  /** When it was used last, to the second; `null` if never. As of the last time that usage was written. */
  readonly lastUsedAt: number | null
  /** Until when its old secret works, and when that was used last; `null` if the key is not being rotated. */
  readonly rotation: KeyRotation | null
  /** Grows with every change; `ifRevision` is compared with it. */
  readonly revision: number
}

/** A key, with its secrets and the remaining amount of its quota. */
export interface KeyDetails<Scope extends string = string> extends Key<Scope> {
  /** The secrets that work, the newest first: two while the key is being rotated. */
  readonly secrets: readonly Secret[]
  /** The secrets that work no more, the one that ended last first: the last 20. */
  readonly endedSecrets: readonly Secret[]
  /** The remaining amount of its quota, and the time at which it is filled up again. */
  readonly quotaLeft: QuotaLeft | null
}

/** The part of a secret that may be shown. */
export interface Secret {
  /** The visible start, e.g. `lk_live_3fA9`. */
  readonly start: string
  /** Whether it was minted here, or imported by which hash. */
  readonly kind: SecretKind
  readonly createdAt: number
  /** When a newer one replaced it; `null` for the newest. */
  readonly retiredAt: number | null
  /** The first millisecond in which it no longer works; `null` for the newest. */
  readonly endsAt: number | null
  /** When it was used last, to the second; `null` if never. */
  readonly lastUsedAt: number | null
}

/** When and why a key was revoked. */
export interface Revocation {
  readonly at: number
  readonly reason: RevocationReason
  /** A note in free text. */
  readonly note: string | null
}

/** The state of a key at `now`. */
export function stateOf(stored: StoredKey, ownerDisabled: boolean, now: number): KeyState {
  if (stored.revokedAt !== null) return 'revoked'
  if (stored.disabledAt !== null) return 'disabled'
  return ownerDisabled ? 'owner_disabled' : phase(stored, now)
}

/** Whether a secret works at `now`. */
export function works({ endsAt, ended }: StoredSecret, now: number): boolean {
  return !ended && (endsAt === null || endsAt > now)
}

/** Shows a key as it stands at `now`. */
export function keyOfListed<Scope extends string>(
  { key: stored, ownerDisabled, lastUsedAt, rotation }: Omit<KeyListItem, 'place'>,
  now: number,
): Key<Scope> {
  const { id, environment, start, createdAt, disabledAt, disabledBy, revision } = stored
  const { revokedAt, revokedReason, revokedNote } = stored
  const { scopes, ...members } = membersIn(stored)
  return {
    id,
    environment,
    ...members,
    scopes: scopes as readonly Grant<Scope>[],
    start,
    createdAt,
    state: stateOf(stored, ownerDisabled, now),
    disabledAt,
    disabledBy,
    revoked: revokedAt === null ? null : { at: revokedAt, reason: revokedReason ?? 'other', note: revokedNote },
    lastUsedAt,
    rotation,
    revision,
  }
}

/** Shows all that is kept of a key, as it stands at `now`. */
export function keyOfKept<Scope extends string>(
  { key, secrets, owner, quotas }: KeyRecord,
  now: number,
): KeyDetails<Scope> {
  const used = secrets.map(({ lastUsedAt }) => lastUsedAt).filter((at) => at !== null)
  const lastUsedAt = used.length === 0 ? null : Math.max(...used)
  const ownerDisabled = (owner?.disabledAt ?? null) !== null
  const working = secrets.filter((secret) => works(secret, now))
  return {
    ...keyOfListed<Scope>({ key, ownerDisabled, lastUsedAt, rotation: rotationOf(working) }, now),
    secrets: working.map(shown),
    endedSecrets: secrets
      .filter((secret) => !works(secret, now))
      .slice(0, mostEnded)
      .map(shown),
    quotaLeft: quotaLeftOf(key.quota, quotas, now),
  }
}

/** How many ended secrets are shown: a key may have been rotated every day. */
const mostEnded = 20

/** The rotation that these secrets, which work, are in. */
function rotationOf(working: readonly StoredSecret[]): KeyRotation | null {
  for (const { retiredAt, endsAt, lastUsedAt } of working) {
    if (retiredAt !== null && endsAt !== null) return { oldEndsAt: endsAt, oldLastUsedAt: lastUsedAt }
  }
  return null
}

/** All of a secret but its hash. */
function shown({ start, kind, createdAt, retiredAt, endsAt, lastUsedAt }: StoredSecret): Secret {
  return { start, kind, createdAt, retiredAt, endsAt, lastUsedAt }
}
