import type { Lifetime } from '../policy/lifetime.ts'
import { phase } from '../policy/lifetime.ts'
import type { Grant } from '../policy/scopes.ts'
import type { KeyState, RevocationReason, StoredKey } from '../ports.ts'

/** A key as people see it: everything but its secret. Times are milliseconds since 1970 (UTC). */
export interface Key<Scope extends string = string> extends Lifetime {
  readonly id: string
  readonly name: string
  readonly owner: string
  readonly environment: string
  /** As granted: `orders:*` stays `orders:*`. */
  readonly scopes: readonly Grant<Scope>[]
  readonly metadata: Readonly<Record<string, string>>
  /** The visible start of its secret, e.g. `lk_live_3fA9`. */
  readonly start: string
  readonly createdAt: number
  readonly state: KeyState
  readonly revoked: Revocation | null
}

/** When and why a key was revoked. */
export interface Revocation {
  readonly at: number
  readonly reason: RevocationReason
  readonly note: string | null
}

/** Shows a stored key as it stands at `now`. */
export function keyOfStored<Scope extends string>(stored: StoredKey, now: number): Key<Scope> {
  const { id, name, owner, environment, metadata, start, createdAt, notBefore, expiresAt } = stored
  const { revokedAt, revokedReason, revokedNote } = stored
  return {
    id,
    name,
    owner,
    environment,
    scopes: stored.scopes as readonly Grant<Scope>[],
    metadata,
    start,
    createdAt,
    notBefore,
    expiresAt,
    state: revokedAt === null ? phase(stored, now) : 'revoked',
    revoked: revokedAt === null ? null : { at: revokedAt, reason: revokedReason ?? 'other', note: revokedNote },
  }
}
