import type { Rights } from '../policy/delegation.ts'
import type { Limit, Quota } from '../policy/limits.ts'
import type { Metadata } from '../policy/metadata.ts'

/** Why a key was revoked. */
export type RevocationReason = 'compromised' | 'superseded' | 'unused' | 'requested' | 'other'

/** A key as the store keeps it. Times are milliseconds since 1970 (UTC). */
export interface StoredKey extends Rights {
  readonly id: string
  readonly name: string
  readonly metadata: Metadata
  readonly limits: readonly Limit[]
  readonly quota: Quota | null
  /** The visible start of its newest secret. */
  readonly start: string
  readonly createdAt: number
  /** Random and secret: the rows of a key cannot be guessed from the digests in the journal without it. */
  readonly salt: string
  readonly disabledAt: number | null
  /** The admin key that disabled it; `null` while it is not disabled, or if the holder of the keyring itself did. */
  readonly disabledBy: string | null
  readonly revokedAt: number | null
  readonly revokedReason: RevocationReason | null
  readonly revokedNote: string | null
  /** The sequence number of the journal entry that changed it last. */
  readonly revision: number
}

/** The hash functions by which secrets are imported. */
export type HashName = 'sha256' | 'sha512'

/** A character that may stand before the hashed part of an imported secret. */
export type Separator = '|' | '_' | '.' | '-' | ':'

/** How a secret was imported: by the hash of all of it, or of the part after the last separator. */
export type ImportedKind = HashName | `${HashName} after ${Separator}`

/** The origin of a secret: minted here, or imported by its SHA-256 or SHA-512, or by that of a part of it. */
export type SecretKind = 'minted' | ImportedKind

/** A secret of a key as the store keeps it: its hash, and what may be shown of it. */
export interface StoredSecret {
  /** SHA-256 of the secret, or the hash that the kind of an imported one says; lower-case hexadecimal. */
  readonly hash: string
  readonly kind: SecretKind
  /** The text before the part that is hashed, with the separator at its end; `null` if all of the secret is hashed. */
  readonly before: string | null
  /** The visible start. */
  readonly start: string
  readonly createdAt: number
  /** When a newer secret replaced it; `null` for the newest. */
  readonly retiredAt: number | null
  /** The first millisecond in which it no longer works; `null` for the newest. */
  readonly endsAt: number | null
  /** It was ended, and works no more whatever a clock says. */
  readonly ended: boolean
  /** As of the last time that usage was written. */
  readonly lastUsedAt: number | null
  /** The admin key that issued, imported or rotated it; `null` if the holder of the keyring itself did. */
  readonly issuedBy: string | null
}

/** An owner of which more is kept than its name. */
export interface StoredOwner {
  readonly owner: string
  readonly disabledAt: number | null
  /** Shared by all its keys. */
  readonly limits: readonly Limit[]
  /** The sequence number of the journal entry that changed it last; 0 before the first. */
  readonly revision: number
}

/** The record that a store finds by the hash of a secret: all that verify needs. */
export interface SecretMatch {
  readonly key: StoredKey
  /** `undefined` for a key of a `KeySource`. Its `lastUsedAt` may be that of its first use: only `KeyRecord` has the last. */
  readonly secret: StoredSecret | undefined
  /** `undefined` if nothing but its name is kept. */
  readonly owner: StoredOwner | undefined
}

/** The record that a store finds by the id of a key: all that is kept of the key. */
export interface KeyRecord {
  readonly key: StoredKey
  /** The newest first; ended ones too. */
  readonly secrets: readonly StoredSecret[]
  readonly owner: StoredOwner | undefined
  /** One for each period in which something was taken or filled up, in order; at least the last four. */
  readonly quotas: readonly QuotaState[]
}

/** The remaining amount of a quota in one period. */
export interface QuotaState {
  /** Calls, or what they cost. */
  readonly remaining: number
  /** Milliseconds since 1970 at which the period begins; 0 for a quota that is never filled up. */
  readonly period: number
}

/** The state of a key. If several are true, the first in this order counts. */
export type KeyState = 'revoked' | 'disabled' | 'owner_disabled' | 'expired' | 'pending' | 'active'

/** The declarations of an application about its keys. */
export interface Declared {
  /** Each with the sentence that the documentation shows. */
  readonly scopes: Readonly<Record<string, string>>
  /** The beginning of every secret. */
  readonly prefix: string
  /** The environments that keys are issued for, the default first. */
  readonly environments: readonly string[]
}
