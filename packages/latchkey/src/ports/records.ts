import type { Rights } from '../policy/delegation.ts'
import type { Limit, Quota } from '../policy/limits.ts'

/** Why a key was revoked. */
export type RevocationReason = 'compromised' | 'superseded' | 'unused' | 'requested' | 'other'

/** A key as it is kept. Times are milliseconds since 1970 (UTC). */
export interface StoredKey extends Rights {
  readonly id: string
  readonly name: string
  readonly metadata: Readonly<Record<string, string>>
  readonly limits: readonly Limit[]
  readonly quota: Quota | null
  /** The visible start of its newest secret, for people. */
  readonly start: string
  readonly createdAt: number
  /** Random, and told to nobody: with it, what the journal says of its rows cannot be guessed from the journal. */
  readonly salt: string
  readonly disabledAt: number | null
  /** The admin key that disabled it; `null` while it is not disabled, or where whoever holds the keyring itself did. */
  readonly disabledBy: string | null
  readonly revokedAt: number | null
  readonly revokedReason: RevocationReason | null
  readonly revokedNote: string | null
  /** The sequence number of the journal entry that changed it last. */
  readonly revision: number
}

/** How a secret came here: minted, or made elsewhere and imported by one of these hashes of it. */
export type SecretKind = 'minted' | 'sha256' | 'sha512'

/** A secret of a key, as far as it is kept. */
export interface StoredSecret {
  /** In lower-case hexadecimal. */
  readonly hash: string
  readonly kind: SecretKind
  /** What may be shown of it. */
  readonly start: string
  readonly createdAt: number
  /** When a newer one came to stand in for it; `null` for the newest. */
  readonly retiredAt: number | null
  /** The first millisecond in which it no longer works; `null` for the newest. */
  readonly endsAt: number | null
  /** It was ended: it works no more, whatever a clock says. */
  readonly ended: boolean
  /** As of the last time that usage was written. */
  readonly lastUsedAt: number | null
  /** The admin key that brought it about; `null` where whoever holds the keyring itself did. */
  readonly issuedBy: string | null
}

/** An owner of whom more is kept than its name. */
export interface StoredOwner {
  readonly owner: string
  readonly disabledAt: number | null
  /** Shared by all its keys. */
  readonly limits: readonly Limit[]
  /** The sequence number of the journal entry that changed it last; 0 before the first. */
  readonly revision: number
}

/** What is found by a secret: all that verify needs. */
export interface SecretMatch {
  readonly key: StoredKey
  /** `undefined` for a key that is not from a store. */
  readonly secret: StoredSecret | undefined
  /** `undefined` where nothing but the name is kept. */
  readonly owner: StoredOwner | undefined
}

/** What is found by an id: all that is kept of a key. */
export interface KeyRecord {
  readonly key: StoredKey
  /** The newest first. */
  readonly secrets: readonly StoredSecret[]
  readonly owner: StoredOwner | undefined
  /** Of each period in which something was taken or filled up, in order; at least of the four nearest to the last one. */
  readonly quotas: readonly QuotaState[]
}

/** What is left of a quota, and of which period that is said. */
export interface QuotaState {
  readonly remaining: number
  /** As `periodStart` gives it. */
  readonly period: number
}

/** Where a key stands. The first that is true counts. */
export type KeyState = 'revoked' | 'disabled' | 'owner_disabled' | 'expired' | 'pending' | 'active'

/** What an application declares of its keys. */
export interface Declared {
  /** Each with the sentence that the documentation shows. */
  readonly scopes: Readonly<Record<string, string>>
  /** What every secret begins with. */
  readonly prefix: string
  /** Those that keys are issued for, the usual one first. */
  readonly environments: readonly string[]
}
