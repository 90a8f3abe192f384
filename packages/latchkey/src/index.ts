export { LatchkeyError } from './error.ts'
export type { ErrorCode } from './error.ts'
export { hashSecret } from './key/hash.ts'
export { mint } from './key/mint.ts'
export { parse } from './key/parse.ts'
export type { ParsedSecret } from './key/parse.ts'
export { systemClock } from './keyring/clock.ts'
export type { IssueOptions, Issued } from './keyring/issue.ts'
export type { JournalReport } from './keyring/journal.ts'
export type { Key, Revocation } from './keyring/key.ts'
export { openKeyring } from './keyring/keyring.ts'
export type { Keyring, KeyringOptions } from './keyring/keyring.ts'
export type { KeyPage, ListOptions } from './keyring/list.ts'
export type { RevokeOptions, Revoked } from './keyring/revoke.ts'
export { settingsKey } from './keyring/settings.ts'
export type { SettingsKeyOptions } from './keyring/settings.ts'
export type { Accepted, Credential, Demand, Refused, Verdict, VerifiedKey, Verifier } from './keyring/verdict.ts'
export type { Lifetime } from './policy/lifetime.ts'
export type { Catalogue, Grant, ScopeDemand, Wildcard } from './policy/scopes.ts'
export type {
  Awaitable,
  Change,
  Clock,
  JournalDraft,
  JournalEntry,
  JournalHead,
  KeySource,
  KeyState,
  ListFilter,
  Listed,
  Look,
  RevocationReason,
  Store,
  StoredKey,
} from './ports.ts'
export { refusals } from './refusal.ts'
export type { Answer, Refusal, RefusalCode, Step } from './refusal.ts'
