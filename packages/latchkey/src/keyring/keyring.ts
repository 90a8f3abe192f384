import type { JournalReport, VerifyJournalOptions } from '../journal/verify-journal.ts'
import type { AdminScope } from '../policy/admin.ts'
import type { Catalogue } from '../policy/scopes.ts'
import type { Clock, JournalEntry, KeySource, Limiter, Store, UsageCount } from '../ports.ts'
import type { RefusalRecord } from '../verify/refusal-log.ts'
import type { VerifiedKey, Verifier } from '../verify/verdict.ts'
import type { BulkOptions, ChangeOptions, IdempotencyOptions, RevokeOptions, RotateOptions } from './call-options.ts'
import type { Changed } from './change-key.ts'
import type { Created } from './create.ts'
import type { ImportedKey } from './import.ts'
import type { Issued, IssuedOrRepeated, IssueOptions } from './issue.ts'
import type { KeyDetails } from './key.ts'
import type { KeyPage, ListOptions } from './list.ts'
import type { KeyPatch, NewKey } from './members.ts'
import type { ChangedOwner, Owner, OwnerPatch } from './owners.ts'
import type { JournalOptions, UsageOptions } from './reading.ts'
import type { Revoked } from './revoke.ts'
import type { Rotated, RotatedOrRepeated } from './rotate.ts'

/** How a keyring is opened. */
export interface KeyringOptions<Scope extends string> {
  readonly store: Store
  /**
   * Every scope that a key may have, each with the sentence that the documentation shows. It is kept in the store; left
   * out, it is what was declared there last, and empty where nobody has ever declared any.
   */
  readonly scopes?: Catalogue<Scope>
  /**
   * What every secret begins with, so that people and scanners know whose it is. Lower-case letters and digits. As
   * declared last if left out, `lk` where nothing is.
   */
  readonly prefix?: string
  /**
   * The first is the one that keys are issued for and routes take unless told otherwise. As declared last if left out,
   * `live` and `test` where nothing is. `admin` is reserved.
   */
  readonly environments?: readonly [string, ...string[]]
  /** Where keys may come from besides the store. A key that the store knows is what the store says. */
  readonly sources?: readonly KeySource[]
  /** Where calls are counted that have a limit; in the memory of this process if left out. */
  readonly limiter?: Limiter
  readonly clock?: Clock
  /** How many verified keys are held in memory, and how many refused credentials. 50,000. */
  readonly cacheSize?: number
  /**
   * How many bytes each of the two may take, roughly: keys with much metadata are held in smaller numbers. 67,108,864,
   * which is 64 MiB.
   */
  readonly cacheBytes?: number
  /**
   * Milliseconds that a check waits for the store or the limiter, where they answer later; then it is `unavailable`.
   * Changes and lists wait ten times as long. 2,000.
   */
  readonly storeTimeout?: number
  /** Milliseconds between two writings of usage: what a crash can lose of it. 10,000. */
  readonly usageInterval?: number
  /**
   * Hears of usage that could not be written, which is tried again, and of declarations, which are not. A warning of the
   * process if left out, or where it throws itself.
   */
  readonly onError?: (error: unknown) => void
}

/** All keys, and the verbs on them: the same here and, through `latchkey/client`, on the other side of the wire. */
export interface Keyring<Scope extends string = string> extends Verifier<Scope> {
  /**
   * Issues a key. Its secret is in the answer and nowhere else.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`, `beyond_delegation`.
   */
  issue(options: IssueOptions<Scope>): Promise<Issued<Scope>>
  /** With an `idempotencyKey` once, however often it is asked; the secret is in the first answer only. */
  issue(options: IssueOptions<Scope> & IdempotencyOptions): Promise<IssuedOrRepeated<Scope>>
  /**
   * Issues 1 to 1000 keys, all or none; with `idempotencyKey` once, however often it is asked.
   *
   * @throws LatchkeyError as `issue`; `idempotency_key_reused`.
   */
  issueMany(keys: readonly NewKey<Scope>[], options?: BulkOptions): Promise<Created<Scope, Issued<Scope>>>
  /**
   * Takes in 1 to 1000 keys that were made elsewhere, by the hashes of their secrets, all or none.
   *
   * @throws LatchkeyError as `issueMany`; `conflict` when one of the secrets is here already.
   */
  importMany(keys: readonly ImportedKey<Scope>[], options?: BulkOptions): Promise<Created<Scope, KeyDetails<Scope>>>
  /**
   * Changes what is given: a member that is left out stays, `null` clears it.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`, `unknown_key`, `conflict` (revoked), `precondition_failed`,
   *   `beyond_delegation`.
   */
  change(id: string, patch: KeyPatch<Scope>, options?: ChangeOptions): Promise<Changed<Scope>>
  /**
   * Gives a key a new secret; the old one goes on working for the grace time. With an `idempotencyKey` it may be sent
   * again when its answer was lost: a new secret that was never used is then replaced by another, and `secret` is `null`
   * where it is in use.
   *
   * @throws LatchkeyError as `change`; `conflict` also while it is being rotated already, saying by whom and what helps;
   *   `still_running` for a repetition within a second.
   */
  rotate(id: string, options?: RotateOptions): Promise<Rotated<Scope>>
  rotate(id: string, options: RotateOptions & IdempotencyOptions): Promise<RotatedOrRepeated<Scope>>
  /** Ends the old secret of a key that is being rotated, now. */
  retire(id: string, options?: ChangeOptions): Promise<Changed<Scope>>
  /** Refuses a key until it is enabled again. */
  disable(id: string, options?: ChangeOptions): Promise<Changed<Scope>>
  enable(id: string, options?: ChangeOptions): Promise<Changed<Scope>>
  /**
   * Revokes a key for good; of an admin key, with `withIssued`, also all that it has brought about. When this answers, no
   * instance accepts it any more.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `beyond_delegation`.
   */
  revoke(id: string, options: RevokeOptions): Promise<Revoked<Scope>>
  /**
   * The key with this id.
   *
   * @throws LatchkeyError `invalid_input`.
   */
  find(id: string): Promise<KeyDetails<Scope> | undefined>
  /**
   * Keys in the order of issue.
   *
   * @throws LatchkeyError `invalid_input`.
   */
  list(options?: ListOptions): Promise<KeyPage<Scope>>
  /** An owner of keys, or of whom something is kept. */
  owner(owner: string): Promise<Owner | undefined>
  /**
   * Disables or enables all keys of an owner, or sets the limits that they share.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_owner`, `precondition_failed`, `beyond_delegation`.
   */
  changeOwner(owner: string, patch: OwnerPatch, options?: ChangeOptions): Promise<ChangedOwner>
  /** Journal entries in order; 100, and at most 1000. */
  journal(options?: JournalOptions): Promise<readonly JournalEntry[]>
  /**
   * Checks the whole journal; with `checkpoint`, also that it still contains a head noted earlier and kept elsewhere; with
   * `rows`, also that keys, secrets and owners are what it says: what was changed by anything but a verb is named.
   */
  verifyJournal(options?: VerifyJournalOptions): Promise<JournalReport>
  /** How often keys were used, by hour, key, owner and outcome, as of the last time that usage was written. */
  usage(options?: UsageOptions): Promise<readonly UsageCount[]>
  /** Why a request was refused a short while ago, by the id that its answer names. */
  refusal(requestId: string): Promise<RefusalRecord | undefined>
  /** Writes the usage gathered so far, and closes the store and the limiter. */
  close(): Promise<void>
}

/** A keyring on a store of its own. */
export interface OpenKeyring<Scope extends string = string> extends Keyring<Scope> {
  /** Verifies keys that administer this keyring: what its own HTTP routes are guarded with. */
  readonly admin: Verifier<AdminScope>
  /**
   * The same keyring as an admin key may use it: it sees what its delegation says, and can give nothing beyond.
   *
   * @param admin - the id of an admin key, or such a key that a guard has verified for the request at hand. It becomes
   *   the actor in the journal unless another is named.
   */
  as(admin: string | VerifiedKey): Keyring<Scope>
  /** Writes the usage gathered so far. */
  flushUsage(): Promise<void>
  /** Whether keys can be verified and changed at the moment, as probes ask; throws what the store says where they cannot. */
  ready(): Promise<void>
  /** What keys hold that are not revoked, and that stands for no declared scope: they cannot do it any more. In order. */
  lostScopes(): Promise<readonly string[]>
}
