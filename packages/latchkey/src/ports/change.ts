import type { Emptied, JournalDraft } from './journal.ts'
import type { QuotaState, StoredKey, StoredOwner, StoredSecret } from './records.ts'

/** One change: the rows and their journal entry. Either all of it is stored or none. */
export type Change =
  | {
      readonly kind: 'insert'
      /** `revision` is given by the store. */
      readonly key: Omit<StoredKey, 'revision'>
      readonly secret: StoredSecret
      readonly quota: QuotaState | null
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'update'
      /** The key as it will be; its `revision` is the one that the caller has seen. */
      readonly key: StoredKey
      /** Its secrets that are new or change, as they will be. The stored times of their use stay. */
      readonly secrets?: readonly StoredSecret[] | undefined
      /** Hashes of its secrets that go. They stay refused, so that none of them is imported again. */
      readonly dropped?: readonly string[] | undefined
      /** Only while none of its secrets with these hashes was ever used. */
      readonly unused?: readonly string[] | undefined
      /**
       * The remaining amount from now on, or the amount to add to every period. The result is never negative, and
       * amounts that are spent at the same time are counted. `null` if the key has no quota any more. Unchanged if left
       * out.
       */
      readonly quota?: QuotaState | { readonly more: number } | QuotaStepInPeriod | null | undefined
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'owner'
      /** The owner as it will be; its `revision` is the one that the caller has seen. */
      readonly owner: StoredOwner
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'snapshot'
      /**
       * The rows that the entry describes, each at the revision that the caller has seen. They are no longer among
       * `unrecorded` afterwards.
       */
      readonly rows: readonly { readonly subject: string; readonly revision: number }[]
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'erase'
      /** Entries that lose what they say, if they are still as they were read. */
      readonly emptied: readonly Emptied[]
      /**
       * The key that goes, at the revision that the caller has seen, with its secrets, its quota, its usage and the results
       * of calls about it. The hashes of its secrets stay, so that none of them is imported again. Without one, only
       * entries are emptied.
       */
      readonly key?: { readonly id: string; readonly revision: number } | undefined
      /** The owner that is erased, if it is one and still at the revision that the caller has seen. */
      readonly owner?: ErasedOwner | undefined
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'purge'
      /**
       * A key that goes, at the revision that the caller has seen, with its secrets and its quota. Its usage and its refusals
       * stay until they are old themselves. The hashes of its secrets stay, so that none of them is imported again.
       */
      readonly key: { readonly id: string; readonly revision: number }
      readonly draft: JournalDraft
    }
  | {
      readonly kind: 'purge rows'
      /** Says that these rows are deleted from now on, by `purgeRows`. Nothing is done if there are none. */
      readonly before: RowsBefore
      readonly draft: JournalDraft
    }

/** How many rows were deleted because they were old. */
export interface PurgedRows {
  /** Usage by the hour, and the sums of it by owner and hour. */
  readonly usage: number
  /** All other sums of usage. */
  readonly usageSums: number
  readonly refusals: number
}

/** Times before which rows are deleted, in milliseconds since 1970; none of a kind that is left out. */
export type RowsBefore = Readonly<Partial<Record<keyof PurgedRows, number | undefined>>>

/** Times before which a purge deletes, in milliseconds since 1970; nothing of a kind that is left out. */
export interface PurgeBefore extends RowsBefore {
  readonly revokedKeys?: number | undefined
  readonly endedSecrets?: number | undefined
}

/** How much a purge would delete. */
export interface PurgeCounts extends PurgedRows {
  /** Revoked keys. */
  readonly keys: number
  /** Ended secrets of keys that stay. */
  readonly secrets: number
}

/** An owner that is erased, step by step. */
export interface ErasedOwner {
  readonly owner: string
  readonly revision: number
  /** The numbers of entries that are in its journal no longer. */
  readonly unfiled: readonly number[]
  /**
   * With the last step, in which it goes, with its usage, its refusals and the results of its calls: only if it has no key,
   * nothing else is in its journal, and no entry after this number names it.
   */
  readonly searched?: number | undefined
}

/** An amount to add to one period of a quota; a negative one is taken away, as far as it is there. */
export interface QuotaStepInPeriod {
  readonly added: number
  readonly period: number
  /** The whole amount of the quota: what is left of a period in which nothing was spent. */
  readonly amount: number
}

/** The record that makes a call happen once, however often it is sent. */
export interface IdempotentCall {
  /** The authenticated caller. Two callers may use the same token: it is scoped to this caller. */
  readonly actor: string
  readonly idempotencyKey: string
  /** A fingerprint of the whole request. */
  readonly fingerprint: string
  /** When it is made, in milliseconds since the epoch. A day later its idempotency key may be used anew. */
  readonly at: number
  /** For a call that is repeated: the sequence number of its earlier result, which must still be the last. */
  readonly after?: number | undefined
}

/** The result of a call that must happen once. */
export interface IdempotentResult {
  readonly fingerprint: string
  /** The subjects of its journal entries, in order: the ids of the keys that it issued or changed. */
  readonly ids: readonly string[]
  /** The sequence number of its first journal entry; without one, that of the end of the journal, or 0. */
  readonly seq: number
}

/** An admin key that asks for a change, as it was when its rights were read. */
export interface Witness {
  readonly id: string
  readonly revision: number
  /** The revision of its owner; 0 if nothing but the name is kept. */
  readonly ownerRevision: number
  /** The hash of the secret that it was verified with, where that is known: it must still work. */
  readonly secret?: string | undefined
  /** The first millisecond in which it may do nothing any more, by `now`. */
  readonly expiresAt: number | null
  /** The clock: asked in the transaction. */
  readonly now: () => number
}

/** The conditions, checked in the transaction itself, on which changes are made. */
export interface Conditions {
  /** The call was not made before with this idempotency key. */
  readonly idempotent?: IdempotentCall | undefined
  /** This admin key still is what it was: a change that waited for others is not made on a right that has gone meanwhile. */
  readonly authority?: Witness | undefined
  /** So is this one, which is what is left when the change takes a right away. */
  readonly left?: Witness | undefined
}
