/**
 * @module The shapes of what an application may plug in: for authors of stores, limiters, clocks and sources of keys.
 */

export type { Awaitable } from './ports/awaitable.ts'
export type {
  Change,
  Conditions,
  ErasedOwner,
  IdempotentCall,
  IdempotentResult,
  PurgeBefore,
  PurgeCounts,
  PurgedRows,
  QuotaStepInPeriod,
  RowsBefore,
  Witness,
} from './ports/change.ts'
export type { Clock, Timer } from './ports/clock.ts'
export type { Follower, Propagation } from './ports/follower.ts'
export type { CountedKeys, CountFilter, OwnerFilter, OwnerListItem } from './ports/counts.ts'
export type {
  Action,
  AuditedFiling,
  AuditedKey,
  AuditedOwner,
  Emptied,
  EntryFilter,
  EntryListItem,
  JournalDraft,
  JournalEntry,
  JournalFilter,
  JournalHead,
  NamingEntries,
  NamedKey,
  ChangesSince,
  Touched,
} from './ports/journal.ts'
export type { CountedBy, Limiter, LimiterAnswer, LimiterState, Window, WindowState } from './ports/limiter.ts'
export type { IoRedis, NodeRedis } from './ports/redis.ts'
export type {
  KeyCount,
  KeyRotation,
  ListFilter,
  ListOrder,
  ListPosition,
  KeyListItem,
  KeyListPage,
  MetadataMember,
} from './ports/list.ts'
export type {
  Declared,
  SecretMatch,
  KeyRecord,
  KeyState,
  QuotaState,
  RevocationReason,
  HashName,
  ImportedKind,
  SecretKind,
  Separator,
  StoredKey,
  StoredOwner,
  StoredSecret,
} from './ports/records.ts'
export type {
  RefusalBounds,
  RefusalDraft,
  RefusalFilter,
  RefusedLimit,
  RefusedRequirement,
  StoredRefusal,
} from './ports/refusals.ts'
export type { KeySource } from './ports/source.ts'
export type { ErasedUse, PurgeableFilter, PurgeClaim, Store } from './ports/store.ts'
export type {
  Spending,
  UsageBatch,
  UsageCount,
  UsageFilter,
  UsagePlace,
  UsageSum,
  UsageSums,
  UsageSumsFilter,
} from './ports/usage.ts'
