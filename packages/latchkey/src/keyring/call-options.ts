import { membersOf } from '../options.ts'
import type { RevocationReason } from '../ports.ts'

// The options that calls take, with the lists of their names. This file loads only `options.ts`, because the client
// checks the same lists.

/** The option that makes a call happen once. */
export interface IdempotencyOptions {
  /**
   * Makes the call happen once: sent again within a day, it changes nothing more and answers with the present state,
   * but without a secret that was shown already. At most 200 characters.
   */
  readonly idempotencyKey?: string | undefined
}

/** The options of a call that issues or imports keys. */
export interface BulkOptions extends IdempotencyOptions {
  /** The actor who issues or imports the keys, for the journal. `application` if left out. */
  readonly actor?: string
}

/** The names of the options of a call that issues or imports keys. */
export const bulkOptions: readonly string[] = membersOf<BulkOptions>({ actor: true, idempotencyKey: true })

/** The options of a call that imports keys. */
export interface ImportOptions extends BulkOptions {
  /**
   * Leaves out the keys whose secrets are in the keyring already, or earlier in the call, and imports the others. If left
   * out, one such key is a `conflict`, and none is imported. A key that is left out stays as it is, also a revoked one.
   */
  readonly skipKnown?: boolean | undefined
}

/** The names of the options of a call that imports keys. */
export const importOptions: readonly string[] = [
  ...membersOf<Omit<ImportOptions, keyof BulkOptions>>({ skipKnown: true }),
  ...bulkOptions,
]

/** The options of every change of a key or an owner. */
export interface ChangeOptions extends IdempotencyOptions {
  /** The actor who makes the change, for the journal. `application` if left out. */
  readonly actor?: string
  /** The reason in your own words, for the people who read the journal. At most 500 characters. */
  readonly note?: string
  /** Makes the change only if the key or the owner is still at this revision: it has not been changed since it was read. */
  readonly ifRevision?: number
}

/** The names of the options of every change. */
export const changeOptions: readonly string[] = membersOf<ChangeOptions>({
  actor: true,
  note: true,
  ifRevision: true,
  idempotencyKey: true,
})

/** The options of a call that erases. Without a note: of what is erased, nothing should be left in words. */
export type EraseOptions = Omit<ChangeOptions, 'note'>

/** The names of the options of a call that erases. */
export const eraseOptions: readonly string[] = membersOf<EraseOptions>({
  actor: true,
  ifRevision: true,
  idempotencyKey: true,
})

/** How a key is rotated. */
export interface RotateOptions extends Omit<ChangeOptions, 'idempotencyKey'> {
  /** Seconds for which the old secret goes on working; 0 ends it now. A day if left out, 400 days at most. */
  readonly grace?: number | undefined
  /**
   * Replaces the newest secret, which was lost before it was used: that one ends, and the old one keeps its end. A
   * conflict when the newest secret was used.
   */
  readonly replace?: boolean | undefined
}

/** The names of the options of a rotation. */
export const rotateOptions: readonly string[] = [
  ...membersOf<Omit<RotateOptions, keyof ChangeOptions>>({ grace: true, replace: true }),
  ...changeOptions,
]

/** The reason and the actor of a revocation. */
export interface RevokeOptions extends ChangeOptions {
  /** Why: it is kept in the journal and shown with the key. */
  readonly reason: RevocationReason
  /**
   * For an admin key: also revokes every key with a secret that it issued, imported or rotated, and the keys that the
   * admin keys among them issued, imported or rotated. Use it for an admin key that was stolen: the thief knows those
   * secrets.
   */
  readonly withIssued?: boolean | undefined
}

/** The names of the options of a revocation. */
export const revokeOptions: readonly string[] = [
  ...membersOf<Omit<RevokeOptions, keyof ChangeOptions>>({ reason: true, withIssued: true }),
  ...changeOptions,
]
