/**
 * @module Keys for the callers of an API: open a keyring on a store, issue keys, verify credentials, change and revoke keys,
 * and read the journal of all changes. The package has no dependencies.
 */

export { LatchkeyError } from './error.ts'
export type { ErrorCode } from './error.ts'
export { pages } from './pages.ts'
export { importedKinds } from './secret/imported.ts'
export { decodeHash, hashDigits, hashSecret, importedHashes } from './secret/hash.ts'
export { mint } from './secret/mint.ts'
export { namePattern, parse, secretPattern } from './secret/parse.ts'
export type { ParsedSecret } from './secret/parse.ts'
export { systemClock } from './keyring/clock.ts'
export type {
  BulkOptions,
  ChangeOptions,
  EraseOptions,
  IdempotencyOptions,
  ImportOptions,
  RevokeOptions,
  RotateOptions,
} from './keyring/call-options.ts'
export type { Changed } from './keyring/change-key.ts'
export type { Propagated } from './keyring/propagated.ts'
export { bounds } from './input.ts'
export type { Created } from './keyring/create.ts'
export type { Erased } from './keyring/deletion/erasing.ts'
export type { Imported, ImportedKey, KnownLife } from './keyring/import.ts'
export type { KnownSecret } from './keyring/imported-secret.ts'
export type { Issued, IssuedOrRepeated, IssueOptions } from './keyring/issue.ts'
export type { JournalReport, VerifyJournalOptions } from './journal/verify-journal.ts'
export { journalFaults } from './journal/verify-journal.ts'
export { rowFaults } from './journal/rows-compared.ts'
export type { RowFault } from './journal/rows-compared.ts'
export { snapshotRows } from './journal/snapshot.ts'
export type { Key, KeyDetails, Revocation, Secret } from './keyring/key.ts'
export { openKeyring } from './keyring/open.ts'
export type { Keyring, KeyringOptions, OpenKeyring } from './keyring/keyring.ts'
export { keyStates, listOrders } from './keyring/reading/list.ts'
export type { KeyPage, ListOptions } from './keyring/reading/list.ts'
export type { MetadataFilter } from './keyring/reading/metadata-filter.ts'
export { delegableMembers } from './keyring/members.ts'
export type { KeyMembers, KeyPatch, NewKey, QuotaOptions, QuotaStep } from './keyring/members.ts'
export type { ChangedOwner, Owner, OwnerPatch } from './keyring/owners.ts'
export type { Entry } from './keyring/reading/entry.ts'
export type { EntryDetails, JournalOptions, JournalPage } from './keyring/reading/journal.ts'
export type { JournalHeadReport } from './keyring/reading/journal-head.ts'
export { actions } from './keyring/reading/journal.ts'
export type { Cause, OutcomeCount, Why, WhyOptions } from './keyring/reading/why.ts'
export type { Counts, CountsOptions, EnvironmentCounts, KeyCounts, StateCounts } from './keyring/reading/counts.ts'
export type { ListedOwner, OwnerPage, OwnersOptions } from './keyring/reading/owners.ts'
export type { ActingKey, WhoAmI } from './keyring/reading/whoami.ts'
export type { RefusalOrder, RefusalPage, RefusalsOptions } from './keyring/reading/refusals.ts'
export type { Purged, PurgeOptions } from './keyring/deletion/purge.ts'
export type { KeptRefusals } from './keyring/refusal-bounds.ts'
export type { Retention } from './keyring/deletion/retention.ts'
export type {
  LimitRefusalRecord,
  PlainRefusalRecord,
  RefusalFacts,
  RefusalRecord,
  ScopeRefusalRecord,
} from './verify/refusal-record.ts'
export { usageOutcomes } from './keyring/reading/usage-outcome.ts'
export type { UsageOutcome } from './keyring/reading/usage-outcome.ts'
export type { UsageGroup, UsagePoints, UsageSeries, UsageSeriesOptions } from './keyring/reading/usage-series.ts'
export type { UsageOptions, UsagePage } from './keyring/reading/usage.ts'
export { revocationReasons } from './keyring/revoke.ts'
export type { Revoked } from './keyring/revoke.ts'
export type { Rotated, RotatedOrRepeated } from './keyring/rotate.ts'
export type { CallToVerify, VerifyManyOptions } from './verify/calls.ts'
export { settingsKey } from './source/settings.ts'
export { weaknessOf } from './secret/weakness.ts'
export type { SettingsKeyOptions } from './source/settings.ts'
export type {
  Accepted,
  CallContext,
  Credential,
  Requirement,
  LimitState,
  RefusedCall,
  Refused,
  Retiring,
  Verdict,
  VerifiedKey,
  Verifier,
} from './verify/verdict.ts'
export { adminEnvironment, adminScopes } from './policy/admin.ts'
export type { AdminScope } from './policy/admin.ts'
export { everyScope } from './policy/delegation.ts'
export type { Delegable, Delegation, Rights } from './policy/delegation.ts'
export type { Lifetime } from './policy/lifetime.ts'
export { limitFallbacks, limitName, refills } from './policy/limits.ts'
export type { JsonValue, Metadata } from './policy/metadata.ts'
export type { Limit, LimitFallback, Quota, Refill } from './policy/limits.ts'
export { scopePattern, wildcardOf } from './policy/scopes.ts'
export type { Catalogue, Grant, ScopeRequirement, Wildcard } from './policy/scopes.ts'
export type {
  Action,
  Awaitable,
  Clock,
  JournalEntry,
  JournalHead,
  KeySource,
  KeyRotation,
  KeyState,
  ListOrder,
  Limiter,
  LimiterState,
  RevocationReason,
  HashName,
  ImportedKind,
  SecretKind,
  Separator,
  Store,
  UsageCount,
} from './ports.ts'
export type { QuotaLeft } from './verify/quota-left.ts'
export { refusals } from './refusal.ts'
export type { Answer, Refusal, RefusalCode, Step } from './refusal.ts'
