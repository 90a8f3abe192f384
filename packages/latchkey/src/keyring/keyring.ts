import type { JournalReport, VerifyJournalOptions } from '../journal/verify-journal.ts'
import type { AdminScope } from '../policy/admin.ts'
import type { Catalogue } from '../policy/scopes.ts'
import type { Clock, KeySource, Limiter, LimiterState, Store } from '../ports.ts'
import type { CallToVerify, VerifyManyOptions } from '../verify/calls.ts'
import type { RefusalRecord } from '../verify/refusal-record.ts'
import type { Verdict, VerifiedKey, Verifier } from '../verify/verdict.ts'
import type {
  BulkOptions,
  ChangeOptions,
  EraseOptions,
  IdempotencyOptions,
  ImportOptions,
  RevokeOptions,
  RotateOptions,
} from './call-options.ts'
import type { Changed } from './change-key.ts'
import type { Created } from './create.ts'
import type { Erased } from './deletion/erasing.ts'
import type { Imported, ImportedKey } from './import.ts'
import type { Issued, IssuedOrRepeated, IssueOptions } from './issue.ts'
import type { KeyDetails } from './key.ts'
import type { KeyPage, ListOptions } from './reading/list.ts'
import type { KeyPatch, NewKey } from './members.ts'
import type { ChangedOwner, Owner, OwnerPatch } from './owners.ts'
import type { Counts, CountsOptions } from './reading/counts.ts'
import type { EntryDetails, JournalOptions, JournalPage } from './reading/journal.ts'
import type { JournalHeadReport } from './reading/journal-head.ts'
import type { RefusalPage, RefusalsOptions } from './reading/refusals.ts'
import type { UsageSeries, UsageSeriesOptions } from './reading/usage-series.ts'
import type { OwnerPage, OwnersOptions } from './reading/owners.ts'
import type { UsageOptions, UsagePage } from './reading/usage.ts'
import type { WhoAmI } from './reading/whoami.ts'
import type { Why, WhyOptions } from './reading/why.ts'
import type { Purged, PurgeOptions } from './deletion/purge.ts'
import type { KeptRefusals } from './refusal-bounds.ts'
import type { Retention } from './deletion/retention.ts'
import type { Revoked } from './revoke.ts'
import type { Rotated, RotatedOrRepeated } from './rotate.ts'

/** How a keyring is opened. */
export interface KeyringOptions<Scope extends string> {
  /** The store of keys and journal, e.g. `sqliteStore({ file: 'data/latchkey.db' })`. */
  readonly store: Store
  /**
   * Every scope that a key may have, each with the sentence that the documentation shows: `{ 'orders:read': 'Read
   * orders' }`. A scope is written `resource:action` (`docs/decisions/0009-scopes-have-two-segments.md`). The store
   * keeps the scopes; if left out, they are as declared there last, and there are no scopes if none were ever declared.
   */
  readonly scopes?: Catalogue<Scope>
  /**
   * The beginning of every secret, by which people and scanners recognise its origin: 1 to 16 lower-case letters and
   * digits, beginning with a letter. If left out, as declared last, and `lk` where nothing was.
   */
  readonly prefix?: string
  /**
   * The environments of keys. The first is the one that keys are issued for and that routes take unless they say
   * otherwise. If left out, as declared last, and `live` and `test` where nothing was. `admin` is reserved.
   */
  readonly environments?: readonly [string, ...string[]]
  /** Sources of keys besides the store. If both have a key, the store decides. */
  readonly sources?: readonly KeySource[]
  /** Counts the calls that have a limit. If left out, they are counted in the memory of this process. */
  readonly limiter?: Limiter
  /** The source of time; `systemClock` if left out. */
  readonly clock?: Clock
  /** How many verified keys are held in memory, and how many refused credentials. 50,000 if left out. */
  readonly cacheSize?: number
  /**
   * How many bytes each of the two may take, roughly: keys with much metadata are held in smaller numbers. 67,108,864
   * (64 MiB) if left out.
   */
  readonly cacheBytes?: number
  /**
   * Milliseconds that a check waits for a store or a limiter that does not answer at once; then the refusal is
   * `unavailable`. Changes and lists wait ten times as long. 2,000 if left out.
   */
  readonly storeTimeout?: number
  /** Milliseconds between two writings of usage. A crash can lose the usage of that time. 10,000 if left out. */
  readonly usageInterval?: number
  /** How many refusals the store keeps: 1,000 of each key and 100,000 of all, and 10,000 without a known key. */
  readonly refusals?: KeptRefusals
  /**
   * For how many days old usage, refusals, ended secrets and revoked keys are kept; `null` for ever. What is older is deleted
   * in the background, some minutes after the keyring was opened and every hour. If several processes use a store, the
   * shortest of their settings counts.
   */
  readonly retention?: Retention
  /** The name of this process, which its refusals tell; the names of the host and the id of the process if left out. */
  readonly instance?: string
  /**
   * Is called when usage or refusals could not be written or old rows not be purged, which is tried again, or declarations could not be kept, which is not. If
   * left out, or where it throws itself, the process emits a warning.
   */
  readonly onError?: (error: unknown) => void
}

/**
 * All keys, and the verbs on them. The same interface works on a store of your own (`openKeyring`) and over HTTP on the
 * store of a server (`connectKeyring`).
 *
 * Every verb rejects with a `LatchkeyError`. Besides the codes that are named with each verb, any of them may have
 * `unavailable` (the store or the server does not answer), `idempotency_key_reused`, and over HTTP `admin_key_refused`.
 * When a changing verb has answered, no process acts on the state before any more.
 */
export interface Keyring<Scope extends string = string> extends Verifier<Scope> {
  /**
   * Issues a key. The answer has its secret, which is kept nowhere: hand it over now.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`, `beyond_delegation`.
   *
   * @example
   * const { key, secret } = await keyring.issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
   * console.log(`${key.id}: ${secret}`)
   */
  issue(options: IssueOptions<Scope>): Promise<Issued<Scope>>
  /**
   * With an `idempotencyKey`, the key is issued once, however often the call is sent within a day. A repetition answers
   * with the key of the first call, and its `secret` is `null`. `idempotency_key_reused` when the idempotency key was sent
   * with another call.
   */
  issue(options: IssueOptions<Scope> & IdempotencyOptions): Promise<IssuedOrRepeated<Scope>>
  /**
   * Issues 1 to 1000 keys in one transaction: all or none. With an `idempotencyKey` once, however often the call is sent
   * within a day; a repetition answers with the keys of the first call, without their secrets.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`, `beyond_delegation`, `idempotency_key_reused`. The message says
   *   which of the keys is wrong.
   *
   * @example
   * const name = 'Shop'
   * const scopes = ['orders:read'] as const
   * const done = await keyring.issueMany([{ name, owner: 'acme', scopes }, { name, owner: 'globex', scopes }])
   * if (!done.repeated) for (const { key, secret } of done.created) console.log(key.owner, secret)
   */
  issueMany(keys: readonly NewKey<Scope>[], options?: BulkOptions): Promise<Created<Scope, Issued<Scope>>>
  /**
   * Imports 1 to 1000 keys that were made elsewhere, by the hashes of their secrets, in one transaction: all or none.
   * Callers keep the secrets that they have. With `skipKnown`, keys whose secrets are in the keyring already are left out.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`, `beyond_delegation`, `idempotency_key_reused`; `conflict` when
   *   secrets are in the keyring already: the message says which keys have them.
   *
   * @example
   * const hash = hashSecret('3f8c2a61-9d0b-4c57-8e34-b1f6a7d2e905')
   * const old = { name: 'Shop', owner: 'acme', scopes: ['orders:read'], hash, algorithm: 'sha256', bits: 122 } as const
   * await keyring.importMany([old], { idempotencyKey: 'import-of-may' })
   */
  importMany(keys: readonly ImportedKey<Scope>[], options?: ImportOptions): Promise<Imported<Scope>>
  /**
   * Changes members of a key: name, owner, scopes, lifetime, metadata, addresses, limits, quota, delegation. A member that
   * is left out stays as it is, and `null` clears it. The secret stays.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_scope`, `unknown_key`, `conflict` (the key is revoked),
   *   `precondition_failed` (`ifRevision`), `beyond_delegation`.
   *
   * @example
   * const inAnHour = Date.now() + 3_600_000
   * await keyring.change(key.id, { scopes: ['orders:*'], expiresAt: inAnHour }, { ifRevision: key.revision })
   */
  change(id: string, patch: KeyPatch<Scope>, options?: ChangeOptions): Promise<Changed<Scope>>
  /**
   * Gives a key a new secret. The old one works for `grace` seconds more, a day if left out; id, limits, quota and
   * usage of the key stay. `replace` gives another new secret in place of one that was lost before it was used.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `precondition_failed`, `beyond_delegation`; `conflict` when the
   *   key is revoked, or is being rotated already: the message says by whom, until when, and what to do.
   *
   * @example
   * const { secret, oldEndsAt } = await keyring.rotate(key.id, { grace: 3600 })
   * console.log(`${secret} replaces the old secret, which ends ${new Date(oldEndsAt).toISOString()}`)
   */
  rotate(id: string, options?: RotateOptions): Promise<Rotated<Scope>>
  /**
   * With an `idempotencyKey` the call may be sent again when its answer was lost. While the new secret is unused, a
   * repetition replaces it by another and answers with that; once it is in use, `secret` is `null`. `still_running` for
   * a repetition within a second.
   */
  rotate(id: string, options: RotateOptions & IdempotencyOptions): Promise<RotatedOrRepeated<Scope>>
  /**
   * Ends the old secret of a key that is being rotated, now instead of at the end of its grace time. Does nothing when the
   * key has one secret.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `conflict` (the key is revoked), `precondition_failed`,
   *   `beyond_delegation`.
   *
   * @example
   * await keyring.rotate(key.id)
   * await keyring.retire(key.id, { note: 'All callers have the new secret' })
   */
  retire(id: string, options?: ChangeOptions): Promise<Changed<Scope>>
  /**
   * Disables a key: it is refused until it is enabled again. Does nothing when it is disabled already.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `conflict` (the key is revoked, or is the last admin key that can
   *   issue any key), `precondition_failed`, `beyond_delegation`.
   *
   * @example await keyring.disable(key.id, { actor: 'alice@example.com', note: 'Under investigation' })
   */
  disable(id: string, options?: ChangeOptions): Promise<Changed<Scope>>
  /**
   * Enables a key that was disabled. Does nothing when it is not disabled.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `conflict` (the key is revoked), `precondition_failed`,
   *   `beyond_delegation`.
   *
   * @example
   * await keyring.disable(key.id)
   * const { key: enabled } = await keyring.enable(key.id)
   * console.log(enabled.state) // 'active'
   */
  enable(id: string, options?: ChangeOptions): Promise<Changed<Scope>>
  /**
   * Revokes a key for good. When this has answered, no process accepts the key. To revoke twice is to revoke once: the
   * first reason stays. With `withIssued`, an admin key is revoked together with every key that has a secret which it
   * issued, imported or rotated.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `precondition_failed`, `beyond_delegation`; `conflict` when an
   *   admin key asks to revoke the last admin key that can issue any key.
   *
   * @example
   * const { propagation } = await keyring.revoke(key.id, { reason: 'compromised', note: 'Found in a public repository' })
   * console.log(`accepted nowhere after ${propagation.waitedMs} ms`)
   */
  revoke(id: string, options: RevokeOptions): Promise<Revoked<Scope>>
  /**
   * Erases a revoked key for good, with its name, owner, metadata, secrets and usage. The journal keeps that there was such
   * an id and when it was changed, and forgets what was changed; it stays verifiable. The key's secrets are refused as
   * before, and cannot be imported again.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `precondition_failed`, `beyond_delegation`; `conflict` when the
   *   key is not revoked.
   *
   * @example
   * await keyring.revoke(key.id, { reason: 'requested' })
   * const { entry, cleared } = await keyring.eraseKey(key.id)
   * console.log(`Entry ${entry} says that it was erased`, cleared)
   */
  eraseKey(id: string, options?: EraseOptions): Promise<Erased>
  /**
   * Verifies 1 to 100 credentials, as `verify` does each, and answers a verdict for each, in their order. One after the
   * other takes from its limits and quota if it is accepted. A call for which the store or the limiter fails is refused as
   * `unavailable`; when the calls have waited for it for two seconds together, the rest are too.
   *
   * @param calls - the credentials, each with the address of its caller, and with a requirement of its own if it has one.
   *
   * @throws LatchkeyError `invalid_input` for a list that is too long or holds something else. What is wrong with one
   *   credential or requirement is its own verdict.
   *
   * @example
   * const calls = [{ credential: secret, ip: '192.0.2.7' }, { credential: 'not a key' }]
   * const verdicts = await keyring.verifyMany(calls, { requirement: { allOf: ['orders:read'] } })
   * console.log(verdicts.map((verdict) => (verdict.ok ? verdict.key.owner : verdict.refusal.code)))
   */
  verifyMany(
    calls: readonly CallToVerify<Scope>[],
    options?: VerifyManyOptions<Scope>,
  ): Promise<readonly Verdict<Scope>[]>
  /**
   * Reads the key with an id: its members, the starts and ends of its secrets, and the remaining amount of its quota.
   * `undefined` when no key has the id, or the admin key that asks may not see it.
   *
   * @throws LatchkeyError `invalid_input`.
   *
   * @example
   * const found = await keyring.find(key.id)
   * console.log(found?.state) // 'active'
   */
  find(id: string): Promise<KeyDetails<Scope> | undefined>
  /**
   * Lists keys in the `order` asked for, the first issued first if it is left out, a page at a time: 100 keys, or `limit`,
   * which is 1000 at most.
   *
   * @throws LatchkeyError `invalid_input`.
   *
   * @example
   * let cursor: string | null | undefined
   * while (cursor !== null) {
   *   const page = await keyring.list({ owner: 'acme', state: 'active', ...(cursor === undefined ? {} : { cursor }) })
   *   for (const { id, name } of page.keys) console.log(id, name)
   *   cursor = page.cursor
   * }
   */
  list(options?: ListOptions): Promise<KeyPage<Scope>>
  /**
   * Counts keys by state and by environment, of one owner or of all: those that the admin key that asks sees. A key has
   * one state, so the sums are right. With `expiresBefore`, it also counts the active and pending keys that end before then.
   *
   * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
   *
   * @example
   * const { keys, states, expiring } = await keyring.counts({ owner: 'acme', expiresBefore: Date.now() + 14 * 86_400_000 })
   * console.log(`${states.active} of ${keys} keys are active, ${expiring} of them end within two weeks`)
   */
  counts(options?: CountsOptions): Promise<Counts>
  /**
   * Lists owners in the order of their names, a page at a time: 100 owners, or `limit`, which is 1000 at most. Each comes
   * with the number of its keys by state. An owner without keys is listed if limits were set for it, or it was disabled.
   *
   * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
   *
   * @example
   * const { owners } = await keyring.owners({ text: 'ac' })
   * for (const { owner, keys, states } of owners) console.log(`${owner}: ${keys} keys, ${states.active} of them active`)
   */
  owners(options?: OwnersOptions): Promise<OwnerPage>
  /**
   * Reads an owner: whether it is disabled, and the limits that its keys share. `undefined` when it has no key and nothing
   * was ever changed of it, or the admin key that asks may not see it.
   *
   * @throws LatchkeyError `invalid_input`.
   *
   * @example
   * const owner = await keyring.owner('acme')
   * console.log(owner?.disabled) // false
   */
  owner(owner: string): Promise<Owner | undefined>
  /**
   * Disables or enables all keys of an owner, or sets the limits that they share, which may be done before it has a key.
   * `unknown_owner` is for a change of nothing but `disabled` when nothing is known of the owner, as after a typing error,
   * and for an owner that the admin key that asks does not see.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_owner`, `precondition_failed`, `idempotency_key_reused`,
   *   `beyond_delegation`; `conflict` when an admin key asks to disable the owner of the last admin key that can issue any
   *   key.
   *
   * @example
   * await keyring.changeOwner('acme', { limits: [{ name: 'shared', limit: 1000, window: 60 }] })
   * await keyring.changeOwner('acme', { disabled: true }, { note: 'Unpaid' })
   */
  changeOwner(owner: string, patch: OwnerPatch, options?: ChangeOptions): Promise<ChangedOwner>
  /**
   * Erases a disabled owner for good, with all its keys, its usage and its refusals. The journal forgets what it says
   * about them, and its name, and stays verifiable. The name may be used again, for an owner that inherits nothing.
   *
   * It is done in many short transactions. If the call is interrupted, the same call again finishes it.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_owner`, `precondition_failed`, `beyond_delegation`; `conflict` when the
   *   owner is not disabled, when an admin key of another owner is bound to it, or when a key from the settings has it.
   *
   * @example
   * await keyring.changeOwner('acme', { disabled: true })
   * const { entry, cleared } = await keyring.eraseOwner('acme')
   * console.log(`Entry ${entry} says that an owner was erased`, cleared)
   */
  eraseOwner(owner: string, options?: EraseOptions): Promise<Erased>
  /**
   * Reads the journal, the audit log of all changes, the newest first, a page at a time: 100 entries, or `limit`, which is
   * 1000 at most. An owner's journal has the changes of the keys that it had at the time.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `unknown_owner`, `beyond_delegation`.
   *
   * @example
   * const { entries, cursor } = await keyring.journal({ owner: 'acme', limit: 10 })
   * for (const { at, actorName, actor, action, change } of entries) {
   *   console.log(new Date(at).toISOString(), actorName ?? actor, action, change['note'] ?? '')
   * }
   * if (cursor !== null) await keyring.journal({ owner: 'acme', limit: 10, cursor })
   */
  journal(options?: JournalOptions): Promise<JournalPage>
  /**
   * Reads one entry of the journal by its number, with the values before the change. `undefined` when there is no such
   * entry, or the admin key that asks may not read it.
   *
   * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
   *
   * @example
   * const found = await keyring.journalEntry(1)
   * console.log(found?.entry.action, found?.before) // 'issue' null
   */
  journalEntry(seq: number): Promise<EntryDetails | undefined>
  /**
   * Reads the end of the journal, and how far this process has checked what is before it. Each call has some more checked
   * in the background, 20,000 entries at most, and does not wait for it.
   *
   * @throws LatchkeyError `beyond_delegation` for an admin key that does not see all keys.
   *
   * @example
   * const { head, checkedTo, intact } = await keyring.journalHead()
   * if (!intact) console.error('The journal was tampered with.')
   * console.log(`${checkedTo} of ${head?.seq ?? 0} entries are checked`)
   */
  journalHead(): Promise<JournalHeadReport>
  /**
   * Reads the whole journal and checks that it is as it was written: numbers, hashes and their chain. With
   * `checkpoint`, also that it still contains an entry that was noted earlier and kept elsewhere. With `rows`, also
   * that keys, secrets and owners are as it says, and names those that something else than a verb has changed.
   *
   * @throws LatchkeyError `invalid_input`, `beyond_delegation`.
   *
   * @example
   * const report = await keyring.verifyJournal({ rows: true })
   * if (!report.intact) console.error(`The journal was tampered with: ${report.fault}`)
   */
  verifyJournal(options?: VerifyJournalOptions): Promise<JournalReport>
  /**
   * Reads a page of how often keys were used, and what that cost, by hour, owner, key, environment, outcome and limit; of
   * the last 24 hours if no time is given. It is as of the last time that usage was written, which happens every ten
   * seconds.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `beyond_delegation`.
   *
   * @example
   * const { usage, cursor } = await keyring.usage({ owner: 'acme', order: 'newest' })
   * for (const { hour, outcome, count, cost } of usage) {
   *   console.log(new Date(hour).toISOString(), outcome, count, cost)
   * }
   * if (cursor !== null) console.log('There is another page.')
   */
  usage(options?: UsageOptions): Promise<UsagePage>
  /**
   * Sums up how often keys were used, and what that cost, by the hour or by the day (UTC): a series for each outcome,
   * environment, owner or key, with a point for each step. Calls that a report-only limit has reported are counted only
   * by outcome, or if `outcome` asks for them: they are among the accepted ones.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `beyond_delegation`.
   *
   * @example
   * const { series, others } = await keyring.usageSeries({ by: 'owner', outcome: 'accepted', top: 3 })
   * for (const { group, total } of series) console.log(group, total.count, total.cost)
   * console.log('all others', others?.total.cost)
   */
  usageSeries(options?: UsageSeriesOptions): Promise<UsageSeries>
  /**
   * Says why a request was refused, by the id that its answer names. The store keeps refusals; those of other processes
   * are found after two seconds. Of more than ten equal ones within a second, only the first ten are found later.
   * `undefined` for any other id.
   *
   * @throws LatchkeyError `invalid_input`.
   *
   * @example
   * const refused = await keyring.refusal('6f1e2c1a-8f0b-4f44-9c8a-0d6a4a3f2b11')
   * console.log(refused?.why ?? 'not remembered')
   */
  refusal(requestId: string): Promise<RefusalRecord | undefined>
  /**
   * Says what this keyring may do: for the admin key as which it acts, its id, its scopes, and the keys that it sees and
   * gives. An admin key needs no scope for it. A keyring on a store of its own acts as no admin key and holds all rights.
   *
   * @throws LatchkeyError `beyond_delegation` when the admin key would itself be refused by now.
   *
   * @example
   * const { allRights, scopes } = await keyring.whoami()
   * console.log(allRights ? 'all rights' : scopes.join(', '))
   */
  whoami(): Promise<WhoAmI>
  /**
   * Reads refusals, the newest first, a page at a time: 100, or `limit`, which is 1000 at most. Equal ones of one second are
   * one, with their number. A refusal is there after two seconds. An admin key sees those of the keys that it sees;
   * those without a known key, if it sees all keys.
   *
   * @throws LatchkeyError `invalid_input`.
   *
   * @example
   * const { refusals } = await keyring.refusals({ owner: 'acme', code: 'over_limit' })
   * for (const { at, keyId, count } of refusals) console.log(new Date(at).toISOString(), keyId, count)
   */
  refusals(options?: RefusalsOptions): Promise<RefusalPage>
  /**
   * Says what happened to the calls of an owner, a key or all round a time, or round a request that was refused: the refusals
   * and the changes of ten minutes before and after, the changes that led to the refusals, and how many calls had which
   * outcome in these hours. `undefined` if no refusal of the request is kept.
   *
   * @throws LatchkeyError `invalid_input`, `unknown_key`, `unknown_owner`, `beyond_delegation`.
   *
   * @example
   * const told = await keyring.why({ owner: 'acme', at: Date.now(), minutes: 5 })
   * for (const { why } of told?.refusals ?? []) console.log(why)
   * for (const { code, entry } of told?.causes ?? []) console.log(code, entry.action, entry.actor, entry.change['note'])
   */
  why(options?: WhyOptions): Promise<Why | undefined>
  /**
   * Writes the usage gathered so far, and closes the store and the limiter. A second call waits for the first. Over HTTP,
   * and for a keyring that acts as an admin key, the store stays open: others use it.
   *
   * @example await keyring.close()
   */
  close(): Promise<void>
}

/** A keyring on a store of its own. */
export interface OpenKeyring<Scope extends string = string> extends Keyring<Scope> {
  /** Verifies admin keys, the keys that administer this keyring: the server guards its own routes with it. */
  readonly admin: Verifier<AdminScope>
  /**
   * The same keyring, limited to the rights of an admin key: it sees the keys that the delegation of that key covers,
   * and gives nothing beyond it. Any verb rejects with `beyond_delegation` once the admin key may do nothing any more:
   * it is revoked, disabled, expired or not yet valid.
   *
   * @param admin - the id of an admin key, or such a key that a guard has verified for the request at hand. It becomes
   *   the actor in the journal unless another is named.
   *
   * @throws LatchkeyError `invalid_input` for a text that is not an id.
   *
   * @example
   * const delegation = { owner: 'acme', environments: ['live'], scopes: ['orders:read'] }
   * const { key: admin } = await keyring.issue({
   *   name: 'Support',
   *   owner: 'operations',
   *   environment: 'admin',
   *   scopes: ['keys:read', 'keys:write'],
   *   delegation,
   * })
   * await keyring.as(admin.id).issue({ name: 'Shop', owner: 'acme', scopes: ['orders:read'] })
   */
  as(admin: string | VerifiedKey): Keyring<Scope>
  /**
   * Writes the usage and the refusals gathered so far, which otherwise happens every ten seconds and every second.
   *
   * @example
   * await keyring.verify(secret)
   * await keyring.flushUsage()
   * const { usage } = await keyring.usage({ key: key.id })
   * console.log(usage[0]?.count) // 1
   */
  flushUsage(): Promise<void>
  /**
   * Deletes what is older than `retention` says, now and not within an hour. Usage, sums and refusals go by whole days
   * (UTC). The journal stays, and says what was purged. The hashes of purged secrets stay too: none is imported again. With
   * `dryRun` it only counts what would be deleted.
   *
   * It is done in many short transactions. If it is interrupted, the next one goes on.
   *
   * @throws LatchkeyError `invalid_input`; `conflict` when another process is purging.
   *
   * @example
   * const { keys, usage } = await keyring.purge()
   * console.log(`${keys} revoked keys and ${usage} rows of usage are gone`)
   */
  purge(options?: PurgeOptions): Promise<Purged>
  /**
   * Resolves when keys can be verified and changed at present, as probes ask; rejects with the error of the store when
   * they cannot.
   *
   * @example app.get('/readyz', { onRequest: open }, async () => keyring.ready())
   */
  ready(): Promise<void>
  /**
   * How the limiter is doing that instances share; `undefined` where each process counts in its own memory.
   *
   * @example
   * const state = keyring.limiterState()
   * if (state?.by === 'share') console.error(`Limits are counted by this instance alone: ${state.reason}`)
   */
  limiterState(): LimiterState | undefined
  /**
   * The scopes that keys hold and that are no longer declared, in order: these keys cannot use them. Revoked keys do not
   * count.
   *
   * @example
   * const lost = await keyring.lostScopes()
   * if (lost.length > 0) console.warn(`No longer declared: ${lost.join(', ')}`)
   */
  lostScopes(): Promise<readonly string[]>
}
