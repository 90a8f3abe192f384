import { setImmediate as nextTurn } from 'node:timers/promises'
import { LatchkeyError } from '../../error.ts'
import { bounds, invalid, membersOf, objectOf, text } from '../../input.ts'
import { chain } from '../../journal/chain.ts'
import { digestOfKey } from '../../journal/row-digest.ts'
import { retentionSubject } from '../../journal/subject.ts'
import type { Change, JournalEntry, KeyRecord, PurgeableFilter, PurgeBefore, RowsBefore } from '../../ports.ts'
import { randomBase62 } from '../../secret/base62.ts'
import type { KeyringParts } from '../../verify/parts.ts'
import type { Ages } from './retention.ts'
import { day } from './retention.ts'

/** How much a purge has deleted. */
export interface Purged {
  /** Revoked keys, each of which the journal tells of. */
  readonly keys: number
  /** Ended secrets of keys that stay. */
  readonly secrets: number
  /** Rows of usage by the hour, and of their sums. */
  readonly usage: number
  /** Rows of sums by day. */
  readonly usageSums: number
  readonly refusals: number
}

/** Options of `purge`. */
export interface PurgeOptions {
  /** Who asks for it, as the journal names it; `application` if left out. */
  readonly actor?: string
  /** Called after each of many short transactions, with what was deleted so far. */
  readonly progress?: (soFar: Purged) => void
  /** Only counts what would be deleted now, and changes nothing. */
  readonly dryRun?: boolean
}

const purgeOptions = membersOf<PurgeOptions>({ actor: true, progress: true, dryRun: true })

/** Keys that are purged in one transaction. */
const keysAtOnce = 4

/** The most secrets that a key loses in one transaction. */
const secretsAtOnce = 20

/** Milliseconds for which others wait for a purge that has died. */
const claimed = 60_000

/** Milliseconds after which a claim is taken anew. */
const reclaimed = 10_000

/** How often a transaction is tried while others change the same keys. The next purge finds what stays. */
const attempts = 10

/** How a purge is made. */
export interface Purging {
  readonly ages: Ages
  readonly options?: PurgeOptions
  /** Ends it after the transaction at hand. */
  readonly stopped?: () => boolean
}

/** The times before which everything goes that has an age. */
function beforeOf(ages: Ages, now: number): PurgeBefore {
  const ago = (age: number | null): number | undefined => (age === null ? undefined : now - age)
  // Rows go by whole days (UTC), so that the journal has an entry a day and not one an hour.
  const dayAgo = (age: number | null): number | undefined =>
    age === null ? undefined : now - age - ((now - age) % day)
  return {
    revokedKeys: ago(ages.revokedKeys),
    endedSecrets: ago(ages.endedSecrets),
    usage: dayAgo(ages.usage),
    usageSums: dayAgo(ages.usageSums),
    refusals: dayAgo(ages.refusals),
  }
}

/**
 * The function behind `Keyring.purge`: in transactions of some milliseconds, after each of which the journal is intact. If
 * it is interrupted, the next one goes on.
 */
export async function purge<Scope extends string>(
  { store, clock, cache }: Pick<KeyringParts<Scope>, 'store' | 'clock' | 'cache'>,
  { ages, options = {}, stopped = () => false }: Purging,
): Promise<Purged> {
  objectOf('The options of purge', options, purgeOptions)
  const { progress, dryRun = false } = options
  if (progress !== undefined && typeof progress !== 'function') throw invalid('progress', 'a function')
  if (typeof dryRun !== 'boolean') throw invalid('dryRun', 'true or false')
  const actor = text('actor', options.actor ?? 'application', bounds.label)
  if (dryRun) return store.countPurgeable(beforeOf(ages, clock.now()))
  const holder = randomBase62(20)
  const purged = { keys: 0, secrets: 0, usage: 0, usageSums: 0, refusals: 0 }
  let claimedAt = Number.NEGATIVE_INFINITY

  /** Goes on only while nobody else purges. */
  async function mustHold(): Promise<void> {
    const at = clock.monotonic()
    if (at - claimedAt < reclaimed) return
    const now = clock.now()
    if (!(await store.claimPurge({ holder, now, until: now + claimed }))) {
      throw new LatchkeyError('conflict', 'Another process is purging at present, or the store may not be written to.')
    }
    claimedAt = at
  }

  /** Between two transactions everything else gets its turn. */
  async function goesOn(): Promise<boolean> {
    progress?.({ ...purged })
    await nextTurn()
    if (stopped()) return false
    await mustHold()
    return true
  }

  async function commit(changes: readonly Change[]): Promise<readonly JournalEntry[] | undefined> {
    const entries = await store.commit(changes, chain)
    if (entries !== undefined) cache.committed(entries)
    return entries
  }

  async function purgeKeys(
    filter: Omit<PurgeableFilter, 'limit'>,
    changeOf: (kept: KeyRecord) => { readonly change: Change; readonly secrets: number } | undefined,
  ): Promise<void> {
    for (let failed = 0; failed < attempts && (await goesOn());) {
      const ids = await store.purgeable({ ...filter, limit: keysAtOnce })
      if (ids.length === 0) return
      const records = await Promise.all(ids.map(async (id) => store.byId(id)))
      const changes = records.flatMap((record) => (record === undefined ? [] : (changeOf(record) ?? [])))
      const done = changes.length > 0 && (await commit(changes.map(({ change }) => change))) !== undefined
      failed = done ? 0 : failed + 1
      if (!done) continue
      for (const { change, secrets } of changes) {
        if (change.kind === 'purge') purged.keys++
        else purged.secrets += secrets
      }
    }
  }

  async function purgeRevoked(before: number): Promise<void> {
    await purgeKeys({ of: 'revoked', before }, ({ key, secrets }) => {
      const { id, revision, revokedAt } = key
      if (revokedAt === null || revokedAt >= before) return undefined
      const change = JSON.stringify({ revokedAt, secrets: secrets.length })
      const draft = { at: clock.now(), actor, action: 'purge', subject: id, change } as const
      return { change: { kind: 'purge', key: { id, revision }, draft }, secrets: 0 }
    })
  }

  async function purgeEnded(before: number): Promise<void> {
    await purgeKeys({ of: 'secrets', before }, ({ key, secrets }) => {
      const ended = secrets.filter(({ endsAt }) => endsAt !== null && endsAt < before).slice(0, secretsAtOnce)
      if (ended.length === 0) return undefined
      const dropped = ended.map(({ hash }) => hash)
      const state = digestOfKey(
        key,
        secrets.filter(({ hash }) => !dropped.includes(hash)),
      )
      const change = JSON.stringify({ purgedSecrets: dropped.length, state })
      const draft = { at: clock.now(), actor, action: 'change', subject: key.id, change } as const
      return { change: { kind: 'update', key, dropped, draft }, secrets: dropped.length }
    })
  }

  /** The entry comes first: it says which rows may be gone, even if the rest is interrupted. */
  async function purgeRows(before: RowsBefore): Promise<void> {
    if (!(await goesOn())) return
    const draft = { at: clock.now(), actor, action: 'purge', subject: retentionSubject } as const
    const change = JSON.stringify({ before })
    if ((await commit([{ kind: 'purge rows', before, draft: { ...draft, change } }])) === undefined) return
    while (await goesOn()) {
      const { usage, usageSums, refusals } = await store.purgeRows(before)
      if (usage + usageSums + refusals === 0) return
      purged.usage += usage
      purged.usageSums += usageSums
      purged.refusals += refusals
    }
  }

  await mustHold()
  try {
    const { revokedKeys, endedSecrets, ...rows } = beforeOf(ages, clock.now())
    if (revokedKeys !== undefined) await purgeRevoked(revokedKeys)
    if (endedSecrets !== undefined) await purgeEnded(endedSecrets)
    await purgeRows(rows)
  } finally {
    const now = clock.now()
    await store.claimPurge({ holder, now, until: now })
  }
  return purged
}
