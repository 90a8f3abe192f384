// Every statement, written once for all engines: `$1` parameters, whole numbers for times, JSON as text.

import { like } from './like.ts'
import type {
  EntryFilter,
  ImportedKind,
  JournalEntry,
  JournalFilter,
  RefusalDraft,
  RefusalFilter,
  StoredOwner,
  StoredSecret,
} from '../ports.ts'
import { keyColumns } from './key-columns.ts'

/** A value that may be bound to a parameter. A `Date` or an object may not: drivers disagree about them. */
export type SqlValue = string | number | null

/** A statement whose text depends on the request. */
export interface Query {
  readonly text: string
  readonly values: readonly SqlValue[]
}

const secretColumns = `s.hash, s.kind, s.text_before, s.start AS secret_start, s.created_at AS secret_created_at, s.retired_at,
  s.ends_at, s.ended, s.last_used_at, s.issued_by`

/**
 * Whether every use of a secret `s` is noted in its row. Of the only secret of a key just the first one is, and the last one
 * is that of the key: to write each of both would touch twice as many pages.
 */
const notesUses = `(s.retired_at IS NOT NULL
    OR EXISTS (SELECT 1 FROM latchkey_secrets other WHERE other.place = s.place AND other.hash <> s.hash))`

export const ownerColumns = `o.disabled_at AS owner_disabled_at, o.limits AS owner_limits, o.revision AS owner_revision`

export const withOwner = `LEFT JOIN latchkey_owners o ON o.owner = k.owner`

const entryTexts = ['actor', 'action', 'subject', 'change', 'previous', 'hash'] as const

const entryColumns = `seq, at, ${entryTexts.join(', ')}`

export const bySecret: string = `SELECT ${keyColumns}, ${secretColumns}, ${ownerColumns} FROM latchkey_secrets s
  JOIN latchkey_keys k ON k.place = s.place ${withOwner} WHERE s.hash = $1`

export const byId: string = `SELECT ${keyColumns}, ${ownerColumns} FROM latchkey_keys k ${withOwner} WHERE k.id = $1`

export const quotasOf: string = `SELECT remaining, period FROM latchkey_quotas
  WHERE place = (SELECT place FROM latchkey_keys WHERE id = $1) ORDER BY period`

/** With `only_used_at`, the last use of the key, where a secret notes not all of its own. */
export const secretsOf: string = `SELECT ${secretColumns}, k.last_used_at AS only_used_at FROM latchkey_secrets s
  LEFT JOIN latchkey_keys k ON k.place = s.place AND s.last_used_at IS NOT NULL AND NOT ${notesUses}
  WHERE s.place = (SELECT place FROM latchkey_keys WHERE id = $1) ORDER BY s.ends_at IS NOT NULL, s.ends_at DESC, s.created_at DESC`

export const byOwner: string = `SELECT o.owner, ${ownerColumns} FROM latchkey_owners o WHERE o.owner = $1`

/** Every kind of an imported secret. One that is missing does not compile. */
const importedKinds: Readonly<Record<ImportedKind, true>> = {
  sha256: true,
  'sha256 after |': true,
  'sha256 after _': true,
  'sha256 after .': true,
  'sha256 after -': true,
  'sha256 after :': true,
  sha512: true,
  'sha512 after |': true,
  'sha512 after _': true,
  'sha512 after .': true,
  'sha512 after -': true,
  'sha512 after :': true,
}

/** Asks for one of each and not for all: there may be a million, and it is asked whenever another process has written. */
export const imported: string = Object.keys(importedKinds)
  .map(
    (kind) => `SELECT '${kind}' AS kind WHERE EXISTS
    (SELECT 1 FROM latchkey_secrets WHERE kind = '${kind}' AND kind <> 'minted')`,
  )
  .join(' UNION ALL ')

/** A secret that is there already stays as it is, and one of an erased key stays away; `changes` is 0 then. */
export const insertSecret: string = `INSERT INTO latchkey_secrets
    (place, hash, kind, start, created_at, retired_at, ends_at, ended, issued_by, text_before, last_used_at)
    SELECT place, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM latchkey_keys
    WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM latchkey_erased_secrets WHERE hash = $2) ON CONFLICT (hash) DO NOTHING`

/** `changes` is 0 where the key has no such secret. */
export const updateSecret: string = `UPDATE latchkey_secrets SET retired_at = $3, ends_at = $4, ended = $5
    WHERE hash = $2 AND place = (SELECT place FROM latchkey_keys WHERE id = $1)`

/** Before a key gets another secret, or its only one is retired: what the key has of its uses. */
export const noteUsesOfOnly: string = `UPDATE latchkey_secrets AS s SET
    last_used_at = (SELECT k.last_used_at FROM latchkey_keys k WHERE k.place = s.place)
    WHERE place = (SELECT place FROM latchkey_keys WHERE id = $1)
    AND last_used_at < (SELECT k.last_used_at FROM latchkey_keys k WHERE k.place = s.place) AND NOT ${notesUses}`

export const isUnused: string = `SELECT 1 FROM latchkey_secrets WHERE hash = $1 AND last_used_at IS NULL`

/** Whether a secret works at $2. */
export const works: string = `SELECT 1 FROM latchkey_secrets
    WHERE hash = $1 AND ended = 0 AND (ends_at IS NULL OR ends_at > $2)`

/** Whether an admin key is still at this revision, and its owner at this one. */
export const isAsItWas: string = `SELECT 1 FROM latchkey_keys k ${withOwner}
    WHERE k.id = $1 AND k.revision = $2 AND COALESCE(o.revision, 0) = $3`

/** For a key without any: a quota that is filled up anew forgets all periods. */
export const insertQuota: string = `INSERT INTO latchkey_quotas (place, period, remaining)
    SELECT place, $3, $2 FROM latchkey_keys WHERE id = $1`

export const dropQuotas: string = `DELETE FROM latchkey_quotas WHERE place = (SELECT place FROM latchkey_keys WHERE id = $1)`

export const moreQuota: string = `UPDATE latchkey_quotas SET
    remaining = CASE WHEN remaining + $2 > 0 THEN remaining + $2 ELSE 0 END
    WHERE place = (SELECT place FROM latchkey_keys WHERE id = $1)`

/** $3 is what is left if nothing was taken in the period before. */
export const addToQuota: string = `INSERT INTO latchkey_quotas (place, period, remaining)
    SELECT place, $2, $3 FROM latchkey_keys WHERE id = $1
    ON CONFLICT (place, period) DO UPDATE SET
    remaining = CASE WHEN latchkey_quotas.remaining + $4 > 0 THEN latchkey_quotas.remaining + $4 ELSE 0 END`

/**
 * One guarded statement and not a read and a write: whatever runs at once, no unit is spent twice. Each period has a
 * row of its own from its first call on, so that both keep their amounts if a clock jumps to another period and back. Such
 * a row may have more than the whole amount, if something was added. In tables that are newer than $6 it spends nothing.
 */
export const spend: string = `INSERT INTO latchkey_quotas (place, period, remaining)
    SELECT place, $3, CAST($4 AS BIGINT) - CAST($2 AS BIGINT) FROM latchkey_keys k
    WHERE id = $1 AND quota = $5 AND (CAST($4 AS BIGINT) >= CAST($2 AS BIGINT)
      OR EXISTS (SELECT 1 FROM latchkey_quotas q WHERE q.place = k.place AND q.period = $3))
      AND NOT EXISTS (SELECT 1 FROM latchkey_migrations WHERE version > $6)
    ON CONFLICT (place, period) DO UPDATE SET remaining = latchkey_quotas.remaining - $2
    WHERE latchkey_quotas.remaining >= $2
    RETURNING remaining`

/** Leaves the four periods that are nearest to one. */
export const dropPeriods: string = `DELETE FROM latchkey_quotas
    WHERE place = (SELECT place FROM latchkey_keys WHERE id = $1) AND period NOT IN (
      SELECT period FROM latchkey_quotas WHERE place = (SELECT place FROM latchkey_keys WHERE id = $1)
      ORDER BY ABS(period - $2) LIMIT 4)`

/** For an owner without a record; `changes` is 0 if there is one. */
export const insertOwner: string = `INSERT INTO latchkey_owners (owner, disabled_at, limits, revision) VALUES ($1, $2, $3, $4)
    ON CONFLICT (owner) DO NOTHING`

export const updateOwner: string = `UPDATE latchkey_owners SET disabled_at = $2, limits = $3, revision = $4
    WHERE owner = $1 AND revision = $5`

const lastEntryOn = (subject: string): string => `LEFT JOIN latchkey_journal j
    ON j.seq = (SELECT MAX(seq) FROM latchkey_journal WHERE subject = ${subject})`

/** Nothing of an emptied entry: the chain does not cover what is left of it. */
const lastChange = `CASE WHEN j.emptied_by IS NULL THEN j.change ELSE '{}' END`

export const auditKeys: string = `SELECT k.place, ${keyColumns}, j.seq AS last_seq, j.action AS last_action, ${lastChange} AS last_change
    FROM latchkey_keys k ${lastEntryOn('k.id')} WHERE (CAST($1 AS BIGINT) IS NULL OR k.place > $1) ORDER BY k.place LIMIT $2`

/** The secrets of the keys from one place to another. */
export const auditSecrets: string = `SELECT s.place, ${secretColumns} FROM latchkey_secrets s
    WHERE (CAST($1 AS BIGINT) IS NULL OR s.place > $1) AND s.place <= $2 ORDER BY s.place, s.hash`

export const auditOwners: string = `SELECT o.owner, ${ownerColumns}, j.seq AS last_seq, j.action AS last_action, ${lastChange} AS last_change
    FROM latchkey_owners o ${lastEntryOn("'owner:' || o.owner")} WHERE (CAST($1 AS TEXT) IS NULL OR o.owner > $1) ORDER BY o.owner LIMIT $2`

/** Not those that were erased or purged, whose last entry says so, nor emptied entries, whose owner has no name any more. */
export const auditMissing: string = `SELECT j.seq, j.subject FROM latchkey_journal j
    WHERE j.seq > $1 AND j.action <> 'snapshot' AND j.subject <> 'retention' AND j.emptied_by IS NULL
    AND NOT EXISTS (SELECT 1 FROM latchkey_journal e WHERE e.subject = j.subject AND e.seq >= j.seq AND e.action IN ('erase', 'purge'))
    AND NOT EXISTS (SELECT 1 FROM latchkey_keys WHERE id = j.subject)
    AND NOT EXISTS (SELECT 1 FROM latchkey_owners WHERE owner = SUBSTR(j.subject, 7) AND SUBSTR(j.subject, 1, 6) = 'owner:')
    ORDER BY j.seq LIMIT $2`

export const unrecorded: string = `SELECT subject FROM latchkey_untold u
    WHERE EXISTS (SELECT 1 FROM latchkey_keys WHERE id = u.subject)
    OR EXISTS (SELECT 1 FROM latchkey_owners WHERE 'owner:' || owner = u.subject) ORDER BY subject LIMIT $1`

/**
 * Only for a row at the revision that was seen; \`changes\` is 0 if the row has changed, or another instance has noted
 * it already.
 */
export const tell: string = `DELETE FROM latchkey_untold WHERE subject = $1 AND (
    EXISTS (SELECT 1 FROM latchkey_keys WHERE id = $1 AND revision = $2)
    OR EXISTS (SELECT 1 FROM latchkey_owners WHERE 'owner:' || owner = $1 AND revision = $2))`

export const newestRevision: string = `SELECT MAX(revision) AS revision FROM (
    SELECT COALESCE(MAX(revision), 0) AS revision FROM latchkey_keys
    UNION ALL SELECT COALESCE(MAX(revision), 0) AS revision FROM latchkey_owners) newest`

export const insertEntry: string = `INSERT INTO latchkey_journal (${entryColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`

/** $5: -1 if the owner gives the key away with this entry, 1 if it gets it, 0 otherwise. */
export const fileEntry: string = `INSERT INTO latchkey_journal_owners (owner, seq, at, environment, moved, filed_action)
    VALUES ($1, $2, $3, $4, $5, $6)`

/** Entries in the order of their numbers, for what is told by their texts. */
export const writtenEntries: string = `SELECT seq, at, action, subject, change, emptied_by FROM latchkey_journal
    WHERE seq > $1 ORDER BY seq LIMIT $2`

/** The same in the tables of the version that began to file entries. */
export const entriesToFile: string = `SELECT seq, at, action, subject, change, NULL AS emptied_by FROM latchkey_journal
    WHERE seq > $1 ORDER BY seq LIMIT $2`

export const holderOfKey: string = `SELECT owner, environment FROM latchkey_keys WHERE id = $1`

export const ownerOfKey: string = `SELECT owner FROM latchkey_keys WHERE id = $1`

/** Where the entries after one up to another are filed. */
export const filings: string = `SELECT seq, owner, environment, moved, filed_action AS action FROM latchkey_journal_owners
    WHERE seq > $1 AND seq <= $2 ORDER BY seq, moved`

/** The owner and the environment of a key before an entry on it. */
export const holderBefore: string = `SELECT w.owner, w.environment FROM latchkey_journal j
    JOIN latchkey_journal_owners w ON w.seq = j.seq AND w.moved >= 0
    WHERE j.subject = $1 AND j.seq < $2 ORDER BY j.seq DESC LIMIT 1`

/** Only while it is as it was read; `changes` is 0 if another caller was quicker. */
export const emptyEntry: string = `UPDATE latchkey_journal SET actor = $2, subject = $3, change = $4, emptied_by = $5
    WHERE seq = $1 AND actor = $6 AND subject = $7 AND change = $8`

const placeOfKey = `(SELECT place FROM latchkey_keys WHERE id = $1)`

/** What goes before a key does when it is purged, of which $1 is the id. The hashes of its secrets stay. */
export const purgeWithKey: readonly string[] = [
  `INSERT INTO latchkey_erased_secrets (hash)
    SELECT hash FROM latchkey_secrets WHERE place = ${placeOfKey} ON CONFLICT (hash) DO NOTHING`,
  `DELETE FROM latchkey_secrets WHERE place = ${placeOfKey}`,
  `DELETE FROM latchkey_quotas WHERE place = ${placeOfKey}`,
  `DELETE FROM latchkey_untold WHERE subject = $1`,
]

/** The same when it is erased. */
export const eraseWithKey: readonly string[] = [
  ...purgeWithKey,
  `DELETE FROM latchkey_refusals WHERE key_id = $1`,
  `DELETE FROM latchkey_once WHERE actor = $1`,
]

export const rememberSecret: string = `INSERT INTO latchkey_erased_secrets (hash) VALUES ($1) ON CONFLICT (hash) DO NOTHING`

export const dropSecret: string = `DELETE FROM latchkey_secrets WHERE hash = $2 AND place = ${placeOfKey}`

/** Once a key has lost some of its secrets, of which one may be its only one now. */
export const keepUseOfLeft: string = `UPDATE latchkey_keys SET last_used_at =
    COALESCE((SELECT MAX(s.last_used_at) FROM latchkey_secrets s WHERE s.place = latchkey_keys.place), last_used_at)
    WHERE id = $1`

export const eraseKey: string = `DELETE FROM latchkey_keys WHERE id = $1 AND revision = $2`

/** Not LIKE, for which some engines take capital letters for small ones: those of an owner with another name would go. */
const has = (column: string, text: string): string => `REPLACE(${column}, ${text}, '') <> ${column}`

/** Of calls whose entries begin with one of up to $3 before the entry $1: those that name $2, as JSON has it. */
export const forgetCalls: string = `DELETE FROM latchkey_once
    WHERE seq <= $1 AND seq > $1 - $3 AND ${has('ids', '$2')}`

export const isErasedSecret: string = `SELECT 1 FROM latchkey_erased_secrets WHERE hash = $1`

/**
 * Whether use of a key $1 under an owner $2 is of something that was erased or purged meanwhile: the key, or the owner that it had
 * until it was given away. Of an owner no name is left to ask for, but it is nowhere any more.
 */
export const isErasedUse: string = `SELECT 1 WHERE EXISTS (SELECT 1 FROM latchkey_journal
      WHERE seq = (SELECT MAX(seq) FROM latchkey_journal WHERE subject = $1) AND action IN ('erase', 'purge'))
    OR EXISTS (SELECT 1 FROM latchkey_keys WHERE id = $1 AND owner <> $2)
      AND EXISTS (SELECT 1 FROM latchkey_journal WHERE subject = 'erased')
      AND NOT EXISTS (SELECT 1 FROM latchkey_keys WHERE owner = $2)
      AND NOT EXISTS (SELECT 1 FROM latchkey_owners WHERE owner = $2)`

/** Whether anything was ever erased or purged: otherwise no use is of such. */
export const isAnythingErased: string = `SELECT 1 WHERE EXISTS (SELECT 1 FROM latchkey_journal WHERE action = 'erase')
    OR EXISTS (SELECT 1 FROM latchkey_journal WHERE action = 'purge')
    OR EXISTS (SELECT 1 FROM latchkey_journal WHERE subject = 'erased')`

/** Entries whose change has the name of an owner, as JSON has it. It may find some that do not name it. */
export function namingQuery(
  { owner, after, upTo }: { readonly owner: string; readonly after: number; readonly upTo: number },
  asText: (column: string) => string,
): Query {
  const columns = `seq, at, ${entryTexts.map(asText).join(', ')}, emptied_by AS "emptiedBy"`
  const text = `SELECT ${columns} FROM latchkey_journal WHERE seq > $1 AND seq <= $2
    AND (change LIKE $3 ESCAPE '!' OR change LIKE $4 ESCAPE '!') ORDER BY seq`
  return { text, values: [after, upTo, ...namedIn(owner).map(like)] }
}

/** How the change of an entry names an owner: that of a key or a delegation, and that of a snapshot. */
export function namedIn(owner: string): readonly [string, string] {
  return [`"owner":${JSON.stringify(owner)}`, JSON.stringify(`owner:${owner}`)]
}

export const isOwnerAt: string = `SELECT 1 FROM latchkey_owners WHERE owner = $1 AND revision = $2`

export const unfileEntry: string = `DELETE FROM latchkey_journal_owners WHERE owner = $1 AND seq = $2`

/** Whether an owner has a key, or is in the journal after $2 or as the actor of an entry; the id of a key is no name. */
export const isNamedStill: string = `SELECT 1 WHERE EXISTS (SELECT 1 FROM latchkey_keys WHERE owner = $1)
    OR EXISTS (SELECT 1 FROM latchkey_journal_owners WHERE owner = $1)
    OR EXISTS (SELECT 1 FROM latchkey_journal WHERE actor = $1 AND actor NOT IN ('application', 'latchkey', 'erased')
      AND NOT EXISTS (SELECT 1 FROM latchkey_journal WHERE subject = $1))
    OR EXISTS (SELECT 1 FROM latchkey_journal WHERE seq > $2 AND (${has('change', '$3')} OR ${has('change', '$4')}))`

/** What goes with an owner, whose name is $1. */
export const eraseWithOwner: readonly string[] = [
  `DELETE FROM latchkey_refusals WHERE owner = $1`,
  `DELETE FROM latchkey_untold WHERE subject = 'owner:' || $1`,
  `DELETE FROM latchkey_once WHERE actor = $1`,
]

export const eraseOwner: string = `DELETE FROM latchkey_owners WHERE owner = $1 AND revision = $2`

const refusalsOf = (column: string): string => `DELETE FROM latchkey_refusals WHERE place IN
    (SELECT place FROM latchkey_refusals WHERE ${column} = $1 LIMIT $2)`

/** Of a key or of an owner, $2 at most. */
export const dropRefusals: Readonly<Record<'key_id' | 'owner', string>> = {
  key_id: refusalsOf('key_id'),
  owner: refusalsOf('owner'),
}

export const head: string = `SELECT seq, hash FROM latchkey_journal ORDER BY seq DESC LIMIT 1`

export const hashAt: string = `SELECT hash FROM latchkey_journal WHERE seq = $1`

export const changedSince: string = `SELECT seq, action, subject, previous, hash FROM latchkey_journal
    WHERE seq > $1 ORDER BY seq LIMIT $2`

export const done: string = `SELECT fingerprint, ids, seq FROM latchkey_once WHERE actor = $1 AND token = $2`

export const insertOnce: string = `INSERT INTO latchkey_once (actor, token, fingerprint, ids, at, seq)
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (actor, token) DO NOTHING`

/** For a call that is repeated, if it has not been repeated since. */
export const updateOnce: string = `UPDATE latchkey_once SET ids = $4, at = $5, seq = $6
    WHERE actor = $1 AND token = $2 AND fingerprint = $3 AND seq = $7`

export const forgetOnce: string = `DELETE FROM latchkey_once WHERE at < $1`

/** The last use of a secret, where it is noted. After that of its key: who makes a second secret waits for that row. */
export const moveLastUsed: string = `UPDATE latchkey_secrets AS s SET last_used_at = $2
    WHERE hash = $1 AND (last_used_at IS NULL OR (last_used_at < $2 AND ${notesUses}))`

export const noteFirstUse: string = `UPDATE latchkey_secrets SET last_used_at = $2 WHERE hash = $1 AND last_used_at IS NULL`

/** For a new key, whose secret was used elsewhere. */
export const noteKeyUse: string = `UPDATE latchkey_keys SET last_used_at = $2 WHERE id = $1`

/** The last use of the key of a secret: that of any of its secrets. */
export const moveKeyLastUsed: string = `UPDATE latchkey_keys SET last_used_at = $2
    WHERE place = (SELECT place FROM latchkey_secrets WHERE hash = $1) AND (last_used_at IS NULL OR last_used_at < $2)`

/** Answers the place of the row. */
export const insertRefusal: string = `INSERT INTO latchkey_refusals (at, request_id, instance, address, route, requirement,
    code, key_id, owner, environment, missing, exceeded, count)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING place`

export const insertRefusedRequest: string = `INSERT INTO latchkey_refused_requests (request_id, place) VALUES ($1, $2)
    ON CONFLICT (request_id, place) DO NOTHING`

/**
 * Leaves the $2 newest of a key, or of strangers; deletes $3 at most. The newest are those that were written last: by their
 * time, those of a clock that was ahead for a while would stay, and keep out all that come after.
 */
export const trimRefusalsOfKey: string = `DELETE FROM latchkey_refusals WHERE place IN (
    SELECT place FROM latchkey_refusals WHERE key_id = $1 ORDER BY place DESC LIMIT $3 OFFSET $2)`

export const countKnownRefusals: string = `SELECT COUNT(*) AS count FROM latchkey_refusals WHERE key_id <> ''`

/** Deletes the $1 oldest of known keys. */
export const trimKnownRefusals: string = `DELETE FROM latchkey_refusals WHERE place IN (
    SELECT place FROM latchkey_refusals WHERE key_id <> '' ORDER BY place LIMIT $1)`

export const cursorKey: string = `SELECT key FROM latchkey_cursor_key WHERE place = 1`

export const declared: string = `SELECT scopes, prefix, environments FROM latchkey_declared WHERE place = 1`

export const declare: string = `INSERT INTO latchkey_declared (place, scopes, prefix, environments) VALUES (1, $1, $2, $3)
    ON CONFLICT (place) DO UPDATE SET scopes = excluded.scopes, prefix = excluded.prefix, environments = excluded.environments`

/** The lists of scopes that keys have, each once: most keys have one of a few. */
export function grantsQuery(environments: readonly string[]): Query {
  const among = environments.map((_, index) => `$${index + 1}`).join(', ')
  return {
    text: `SELECT DISTINCT scopes FROM latchkey_keys WHERE revoked_at IS NULL AND environment IN (${among})`,
    values: environments,
  }
}

/**
 * The entries that a filter asks for.
 *
 * @param asText - how a column with text is read, so that it is read whole.
 */
export function journalQuery(
  { after, limit, subject, actor, from, to }: JournalFilter,
  asText: (column: string) => string,
): Query {
  const values: SqlValue[] = [after]
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const where = ['seq > $1']
  if (subject !== undefined) where.push(`subject = ${bind(subject)}`)
  if (actor !== undefined) where.push(`actor = ${bind(actor)}`)
  if (from !== undefined) where.push(`at >= ${bind(from)}`)
  if (to !== undefined) where.push(`at < ${bind(to)}`)
  const columns = `seq, at, ${entryTexts.map(asText).join(', ')}, emptied_by AS "emptiedBy"`
  const text = `SELECT ${columns} FROM latchkey_journal WHERE ${where.join(' AND ')} ORDER BY seq LIMIT ${bind(limit)}`
  return { text, values }
}

/**
 * The page of entries that a filter asks for, with the names of the keys in them.
 *
 * @param asText - how a column with text is read, so that it is read whole.
 */
export function entriesQuery(
  { order, position, limit, after, subject, owner, held, actor, action, from, to }: EntryFilter,
  asText: (column: string) => string,
): Query {
  const values: SqlValue[] = []
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const byTime = from !== undefined || to !== undefined
  // A key has few entries, so the page stands in their index, and everything else is looked up for each of them.
  const walksOwner = owner !== undefined && subject === undefined
  const [at, seq] = walksOwner ? ['w.at', 'w.seq'] : ['j.at', 'j.seq']
  const [beyond, direction] = order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC']
  const where: string[] = []
  const filing: string[] = []
  if (owner !== undefined) filing.push(`w.owner = ${bind(owner)}`)
  if (held !== undefined) filing.push(`w.moved = 0 AND w.environment IN (${['', ...held].map(bind).join(', ')})`)
  const unindexed = (column: string): string => (subject === undefined ? column : `COALESCE(${column}, '')`)
  if (walksOwner) where.push(...filing)
  else if (filing.length > 0) {
    where.push(`EXISTS (SELECT 1 FROM latchkey_journal_owners w WHERE w.seq = j.seq AND ${filing.join(' AND ')})`)
  }
  if (subject !== undefined) where.push(`j.subject = ${bind(subject)}`)
  if (actor !== undefined) where.push(`${unindexed('j.actor')} = ${bind(actor)}`)
  // Of an owner's journal, what is filed has the action; an index that begins with it is in the order of numbers only.
  const filedAction = byTime ? `COALESCE(w.filed_action, '')` : 'w.filed_action'
  if (action !== undefined) where.push(`${walksOwner ? filedAction : unindexed('j.action')} = ${bind(action)}`)
  if (after !== undefined) where.push(`${seq} > ${bind(after)}`)
  if (byTime) {
    const last = position === undefined ? undefined : ([position.at, position.seq] as const)
    where.push(...timesOf({ order, from, to, last }, [at, seq], bind))
  } else if (position !== undefined) where.push(`${seq} ${beyond} ${bind(position.seq)}`)
  const columns = entryTexts.map(asText).join(', ')
  const source = walksOwner ? 'latchkey_journal_owners w JOIN ' : ''
  const joined = walksOwner ? 'ON j.seq = w.seq' : ''
  const text = `SELECT j.seq, j.at, ${columns}, j.emptied_by AS "emptiedBy", k.name AS subject_name, k.owner AS subject_owner,
    k.environment AS subject_environment, a.name AS actor_name, a.owner AS actor_owner, a.environment AS actor_environment
    FROM ${source}latchkey_journal j ${joined}
    LEFT JOIN latchkey_keys k ON k.id = j.subject LEFT JOIN latchkey_keys a ON a.id = j.actor
    ${where.length === 0 ? '' : `WHERE ${where.join(' AND ')}`}
    ORDER BY ${byTime ? `${at} ${direction}, ` : ''}${seq} ${direction} LIMIT ${bind(limit)}`
  return { text, values }
}

/**
 * The conditions on the times of a page's rows, and on its beginning. Of two beginnings only the later is asked for: an
 * engine looks for one, and would read all rows between them.
 *
 * @param page - `last`: where the last row of the page before stands.
 * @param columns - of the time, and of the number by which rows of one time are ordered.
 */
function timesOf(
  {
    order,
    from,
    to,
    last,
  }: {
    readonly order: 'newest' | 'oldest'
    readonly from: number | undefined
    readonly to: number | undefined
    readonly last: readonly [at: number, number: number] | undefined
  },
  [at, number]: readonly [string, string],
  bind: (value: SqlValue) => string,
): readonly string[] {
  const beginsAt = order === 'newest' ? to : from
  const isBeyond = (time: number): boolean =>
    beginsAt === undefined || (order === 'newest' ? time < beginsAt : time >= beginsAt)
  const goesOn = last !== undefined && isBeyond(last[0])
  const where: string[] = []
  if (from !== undefined && !(goesOn && order === 'oldest')) where.push(`${at} >= ${bind(from)}`)
  if (to !== undefined && !(goesOn && order === 'newest')) where.push(`${at} < ${bind(to)}`)
  if (goesOn) where.push(`(${at}, ${number}) ${order === 'newest' ? '<' : '>'} (${last.map(bind).join(', ')})`)
  return where
}

/** The refusals that a filter asks for. */
export function refusalsQuery(filter: RefusalFilter): Query {
  const { requestId, key, owner, environments, code, route, from, to, order, after, limit } = filter
  const values: SqlValue[] = []
  const bind = (value: SqlValue): string => `$${values.push(value)}`
  const where: string[] = []
  if (requestId !== undefined) {
    where.push(`place IN (SELECT place FROM latchkey_refused_requests WHERE request_id = ${bind(requestId)})`)
  }
  if (key !== undefined) where.push(`key_id = ${bind(key)}`)
  if (owner !== undefined) where.push(`owner = ${bind(owner)}`)
  // A branch for each environment: the engine reads each in the order of the page, and nothing of others.
  const each = requestId === undefined && key === undefined && owner === undefined ? environments : undefined
  if (environments !== undefined && each === undefined) {
    where.push(`environment IN (${environments.map(bind).join(', ')})`)
  }
  if (code !== undefined) where.push(`${each === undefined ? 'code' : `COALESCE(code, '')`} = ${bind(code)}`)
  if (route !== undefined) where.push(`route = ${bind(route)}`)
  const last = after === undefined ? undefined : ([after.at, after.place] as const)
  where.push(...timesOf({ order, from, to, last }, ['at', 'place'], bind))
  const direction = order === 'newest' ? 'DESC' : 'ASC'
  const branches = each?.map((environment) => [...where, `environment = ${bind(environment)}`]) ?? [where]
  const text = branches.map(
    (terms) => `SELECT place, at, request_id, instance, address, route, requirement, code, key_id, owner, environment,
    missing, exceeded, count FROM latchkey_refusals ${terms.length === 0 ? '' : `WHERE ${terms.join(' AND ')}`}`,
  )
  return {
    text: `${text.join(' UNION ALL ')} ORDER BY at ${direction}, place ${direction} LIMIT ${bind(limit)}`,
    values,
  }
}

/** The values of `insertRefusal`. */
export function refusalValues(refusal: RefusalDraft): readonly SqlValue[] {
  const { requestIds, at, instance, address, route, code, key, owner, environment, count } = refusal
  const [requirement, missing, limit] = [refusal.requirement, refusal.missing, refusal.limit].map((value) => {
    return value === null ? null : JSON.stringify(value)
  })
  return [
    at,
    requestIds[0],
    instance,
    address,
    route,
    requirement ?? null,
    code,
    key,
    owner,
    environment,
    missing ?? null,
    limit ?? null,
    count,
  ]
}

/** The values of `insertSecret`. */
export function insertSecretValues(id: string, secret: StoredSecret): readonly SqlValue[] {
  const { hash, kind, start, createdAt, retiredAt, endsAt, ended, issuedBy, before, lastUsedAt } = secret
  return [id, hash, kind, start, createdAt, retiredAt, endsAt, ended ? 1 : 0, issuedBy, before, lastUsedAt]
}

/** The values of `updateSecret`: where a secret came from never changes. */
export function updateSecretValues(id: string, { hash, retiredAt, endsAt, ended }: StoredSecret): readonly SqlValue[] {
  return [id, hash, retiredAt, endsAt, ended ? 1 : 0]
}

/** The values of `insertOwner`, and with the revision seen those of `updateOwner`. */
export function ownerValues({ owner, disabledAt, limits }: StoredOwner, seq: number): readonly SqlValue[] {
  return [owner, disabledAt, JSON.stringify(limits), seq]
}

/** The values of `insertEntry`. */
export function entryValues(entry: JournalEntry): readonly SqlValue[] {
  const { seq, at, actor, action, subject, change, previous, hash } = entry
  return [seq, at, actor, action, subject, change, previous, hash]
}
