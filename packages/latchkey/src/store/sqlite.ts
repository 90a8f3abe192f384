/**
 * @module A store in an SQLite file or in memory, on `node:sqlite`. Several processes on one machine may share a file.
 */

import { closeSync, openSync, rmSync } from 'node:fs'
import { backup } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { LatchkeyError } from '../error.ts'
import { invalid, membersOf, objectOf } from '../options.ts'
import type {
  Change,
  JournalEntry,
  JournalHead,
  KeyRecord,
  ChangesSince,
  IdempotentCall,
  QuotaState,
  Store,
  Touched,
  UsageCount,
  Witness,
} from '../ports.ts'
import { foreignValue, jsonOf } from './foreign-value.ts'
import type { KeyRow } from './key-columns.ts'
import { insertKey, insertKeyValues, keyOfRow, updateKey, updateKeyValues } from './key-columns.ts'
import type { DeclaredRow, LastRow, OwnerRow, SecretRow } from './rows.ts'
import { declaredOfRow, lastOfRow, ownerOfRow, secretOfRow } from './rows.ts'
import * as sql from './sql.ts'
import type { OpenDatabase } from './sqlite-database.ts'
import { isBusy, openDatabase, openToCopy } from './sqlite-database.ts'
import { mustBeWritable } from './sqlite-file.ts'
import { statementsOf } from './sqlite-statements.ts'
import { writersOf } from './writers.ts'

/**
 * Milliseconds that a look at the journal is good for. `PRAGMA data_version` costs some 2 µs: too much for every
 * request, nothing every 5 ms.
 */
const lease = 5

/** How many changes a look names before it says `everything`. */
const namedChanges = 1000

/** How long a write waits for another process's transaction, in milliseconds, before it fails. */
const longestWait = 5000

/**
 * The same for a call that spends, which is waited for: it must fail while its caller still waits for the answer, and
 * not take from the quota afterwards.
 */
const longestSpending = 1000

/** Milliseconds between two tries. */
const pause = 10

/** How long the result for a token is kept, in milliseconds: a day. */
const remembered = 86_400_000

export { isSoundSqlite, soundSqlite } from './sqlite-database.ts'

/** The place of a store on SQLite, and the mode in which it is opened. */
export interface SqliteStoreOptions {
  /** The database file, or `:memory:`. */
  readonly file: string
  /**
   * The mode in which the file is opened; `migrate` if left out.
   *
   * - `migrate`: a file that does not exist is made, readable by its owner only; older tables are brought up to date.
   * - `create`: a file that does not exist is made; older tables are `store_unusable`. The declarations stay.
   * - `write`: the file must exist, with tables of this version. The declarations stay.
   * - `read`: the same, and nothing is changed, not even the mode of the file: every change fails, and usage is not
   *   written. While another process has the file open to write, its changes are seen. Otherwise the file is read as it
   *   stood, and every answer fails once it has changed.
   */
  readonly mode?: 'migrate' | 'create' | 'write' | 'read'
  /**
   * Called once when another process is seen to accept calls on the same file: what it writes of them is no change of a
   * key. Limits in memory are counted by each process for itself.
   */
  readonly onShared?: () => void
}

const modes: readonly string[] = ['migrate', 'create', 'write', 'read']

const sqliteStoreOptions = membersOf<SqliteStoreOptions>({ file: true, mode: true, onShared: true })

/** A store in an SQLite file. */
export interface SqliteStore extends Store {
  /** How many steps brought the tables up to date when it was opened. */
  readonly migrated: number
  /**
   * Copies the database, as it is at one point in time, into a new file, readable by its owner only. Verifying and
   * changing go on meanwhile.
   *
   * @param progress - called between steps with how many pages are left of how many.
   * @throws Error what the file system says, `EEXIST` when the file is there already.
   *
   * @example
   * const store = sqliteStore({ file: ':memory:' })
   * await store.backup('backup.db', (left, total) => console.log(`${total - left} of ${total} pages`))
   */
  backup(file: string, progress?: (left: number, total: number) => void): Promise<void>
}

/**
 * Opens a store in an SQLite file. Several processes on one machine may open the same file (not over a network file system);
 * each sees the changes of the others at once.
 *
 * @throws LatchkeyError `store_unusable` when the file cannot be opened, is not a database, has tables of another version
 *   than the mode allows, or when SQLite itself is a version that can lose data. Its `cause` is `newer schema` or
 *   `older schema` if it is that. While the store is open, every method fails with it once the file was deleted or
 *   replaced.
 *
 * @example const keyring = await openKeyring({ store: sqliteStore({ file: 'data/latchkey.db' }), scopes })
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  objectOf('The options of sqliteStore', options, sqliteStoreOptions)
  const { file, mode = 'migrate', onShared } = options
  if (!modes.includes(mode)) throw invalid('mode', `one of ${modes.join(', ')}`)
  if (onShared !== undefined && typeof onShared !== 'function') throw invalid('onShared', 'a function')
  const others = sharing(onShared)
  const { database, mustBeThere, still, migrated } = openDatabase(file, mode)
  const { rows, row, audited, run, explained } = statementsOf(database, file)

  /**
   * Reads, and checks that the file is still the one that other processes open. A verification does not need this: a
   * look has just checked it.
   */
  function asItIs<Result>(read: () => Result): Result {
    const result = read()
    mustBeThere()
    return result
  }

  // The hot statements have their own variables: no look-up by text on the way to a verdict.
  const bySecret = database.prepare(sql.bySecret)
  const dataVersion = database.prepare('PRAGMA data_version')
  const writing = writersOf({ isBusy, patience: longestWait, pause })
  let seenVersion: unknown
  let head: JournalHead | undefined
  let imported: ChangesSince['imported'] = []

  function readHead(): JournalHead | undefined {
    const found = row<JournalHead>(sql.head)
    if (found === undefined) return undefined
    // The sequence number of the entry after it could not be read.
    if (found.seq >= Number.MAX_SAFE_INTEGER)
      throw foreignValue('latchkey_journal.seq', `a number that is too large (${found.seq})`)
    return { seq: found.seq, hash: found.hash }
  }

  function readImported(): ChangesSince['imported'] {
    return rows<{ kind: ChangesSince['imported'][number] }>(sql.imported).map(({ kind }) => kind)
  }

  /** From the first statement to the last without an await: a transaction is the connection's, not the caller's. */
  function transact<Result>(work: () => Result | undefined): Result | undefined {
    // IMMEDIATE: a transaction that begins as a reader and then writes fails at once if another process wrote meanwhile.
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      database.exec(result === undefined ? 'ROLLBACK' : 'COMMIT')
      return result
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  /** A write is acknowledged only if it is in the file that the next process will open. */
  function kept<Result>(work: () => Result): Result {
    mustBeThere()
    const result = work()
    mustBeThere()
    return result
  }

  /** Reads at one point in time: no other writer's change comes between the first statement and the last. */
  function atOneMoment<Result>(read: () => Result): Result {
    database.exec('BEGIN')
    try {
      return read()
    } finally {
      if (database.isTransaction) database.exec('COMMIT')
    }
  }

  function mustBeOpenToWrite(): void {
    if (mode !== 'read') return
    const message = `The database ${file} was opened only to read it, so that nothing in it can be changed. Open it with the mode write.`
    throw new LatchkeyError('store_unusable', message)
  }

  function putQuota(id: string, quota: Extract<Change, { kind: 'update' }>['quota']): void {
    if (quota === undefined) return
    if (quota !== null && 'more' in quota) {
      run(sql.moreQuota, [id, quota.more])
      return
    }
    run(sql.dropQuotas, [id])
    if (quota !== null) run(sql.insertQuota, [id, quota.remaining, quota.period])
  }

  /** Whether the rows could be written as they were asked for. */
  function write(change: Change, seq: number): boolean {
    if (change.kind === 'owner') {
      const values = sql.ownerValues(change.owner, seq)
      const { revision } = change.owner
      return (revision === 0 ? run(sql.insertOwner, values) : run(sql.updateOwner, [...values, revision])) === 1
    }
    if (change.kind === 'snapshot') {
      return change.rows.every(({ subject, revision }) => run(sql.tell, [subject, revision]) === 1)
    }
    const { id } = change.key
    if (change.kind === 'insert') {
      run(insertKey, insertKeyValues(change.key, seq))
      if (change.quota !== null) run(sql.insertQuota, [id, change.quota.remaining, change.quota.period])
      return run(sql.insertSecret, sql.insertSecretValues(id, change.secret)) === 1
    }
    const { secrets = [], unused = [] } = change
    if (unused.some((hash) => row(sql.isUnused, [hash]) === undefined)) return false
    if (run(updateKey, updateKeyValues(change.key, seq)) === 0) return false
    putQuota(id, change.quota)
    return secrets.every(
      (secret) =>
        run(sql.updateSecret, sql.updateSecretValues(id, secret)) === 1 ||
        run(sql.insertSecret, sql.insertSecretValues(id, secret)) === 1,
    )
  }

  /** Whether the admin key on whose behalf a change is made is unchanged since its rights were read. */
  function holds({ id, revision, ownerRevision, secret, expiresAt, now }: Witness): boolean {
    if (expiresAt !== null && now() >= expiresAt) return false
    if (secret !== undefined && row(sql.works, [secret, now()]) === undefined) return false
    return row(sql.isAsItWas, [id, revision, ownerRevision]) !== undefined
  }

  /** Whether it could be noted that the call was made. */
  function note(
    { actor, idempotencyKey, fingerprint, after }: IdempotentCall,
    entries: readonly JournalEntry[],
  ): boolean {
    const [first] = entries
    if (first === undefined) return true
    run(sql.forgetOnce, [first.at - remembered])
    const ids = JSON.stringify(entries.map(({ subject }) => subject))
    const values = [actor, idempotencyKey, fingerprint, ids, first.at, first.seq]
    return (after === undefined ? run(sql.insertOnce, values) : run(sql.updateOnce, [...values, after])) === 1
  }

  function commit(
    ...[changes, chain, { idempotent, authority, left } = {}]: Parameters<Store['commit']>
  ): readonly JournalEntry[] | undefined {
    const committed = kept(() =>
      transact(() => {
        if (authority !== undefined && !holds(authority)) return undefined
        if (left !== undefined && !holds(left)) return undefined
        const entries: JournalEntry[] = []
        let last = readHead()
        for (const change of changes) {
          const entry = chain(change.draft, last)
          if (!write(change, entry.seq)) return undefined
          run(sql.insertEntry, sql.entryValues(entry))
          entries.push(entry)
          last = entry
        }
        if (idempotent !== undefined && !note(idempotent, entries)) return undefined
        return entries
      }),
    )
    // Our own commits do not change `data_version` for us.
    const last = committed?.at(-1)
    if (last !== undefined) head = { seq: last.seq, hash: last.hash }
    others.committed(committed?.length ?? 0)
    if (committed?.some(({ action }) => action === 'import') === true) seenVersion = undefined
    return committed
  }

  function spend(...[id, { cost, quota, period }]: Parameters<Store['spend']>): number | undefined {
    // All rows, though there is one at most: the statement must run to its end.
    const values = [id, cost, period, quota.amount, JSON.stringify(quota)]
    const remaining = kept(() => rows<{ remaining: number }>(sql.spend, values))[0]?.remaining
    // The first of a period: as good a time as any to forget old ones.
    if (remaining === quota.amount - cost) forgetPeriods(id, period)
    return remaining
  }

  function forgetPeriods(id: string, period: number): void {
    try {
      run(sql.dropPeriods, [id, period])
    } catch {
      // The spending has succeeded, so the error is dropped. The old periods are deleted with the next one.
    }
  }

  function foundBySecret(hash: string): (KeyRow & SecretRow & OwnerRow) | undefined {
    try {
      return bySecret.get({ 1: hash }) as never
    } catch (error) {
      throw explained(error, sql.bySecret, [hash])
    }
  }

  function byId(id: string): KeyRecord | undefined {
    const found = row<KeyRow & OwnerRow>(sql.byId, [id])
    if (found === undefined) return undefined
    return {
      key: keyOfRow(found),
      secrets: rows<SecretRow>(sql.secretsOf, [id]).map(secretOfRow),
      owner: ownerOfRow(found),
      quotas: rows<QuotaState>(sql.quotasOf, [id]).map(({ remaining, period }) => ({ remaining, period })),
    }
  }

  return {
    lease,
    migrated,

    bySecret(hash) {
      const found = foundBySecret(hash)
      if (still) mustBeThere()
      return found === undefined
        ? undefined
        : { key: keyOfRow(found), secret: secretOfRow(found), owner: ownerOfRow(found) }
    },

    byId: (id) => asItIs(() => byId(id)),

    owner(owner) {
      const found = asItIs(() => row<OwnerRow>(sql.byOwner, [owner]))
      return found === undefined ? undefined : ownerOfRow(found)
    },

    list(filter) {
      const { text, values } = sql.listQuery(filter)
      const found = asItIs(() => rows<KeyRow & OwnerRow & { place: number; last_used_at: number | null }>(text, values))
      return found.map((listed) => ({
        place: listed.place,
        key: keyOfRow(listed),
        ownerDisabled: listed.owner_disabled_at !== null,
        lastUsedAt: listed.last_used_at,
      }))
    },

    async commit(changes, chain, conditions) {
      mustBeOpenToWrite()
      return writing(() => commit(changes, chain, conditions))
    },

    idempotentResult({ actor, idempotencyKey }) {
      const found = asItIs(() =>
        row<{ fingerprint: string; ids: string; seq: number }>(sql.done, [actor, idempotencyKey]),
      )
      if (found === undefined) return undefined
      return {
        fingerprint: found.fingerprint,
        ids: jsonOf(found.ids, 'latchkey_once', 'ids') as readonly string[],
        seq: found.seq,
      }
    },

    changesSince(after): ChangesSince {
      mustBeThere()
      if (seenVersion === dataVersion.get()?.['data_version'] && isSame(head, after)) {
        return { head, changed: [], imported }
      }
      return atOneMoment(() => {
        const version = dataVersion.get()?.['data_version']
        const latest = readHead()
        if (version !== seenVersion) imported = readImported()
        others.seen(latest?.seq ?? 0, seenVersion !== undefined && version !== seenVersion)
        head = latest
        // Only now: if reading failed, the next look must not believe that it had seen this version.
        seenVersion = version
        if (after !== undefined && row<JournalHead>(sql.hashAt, [after.seq])?.hash !== after.hash) {
          return { head, changed: 'everything', imported }
        }
        const changed = rows<Touched>(sql.changedSince, [after?.seq ?? 0, namedChanges + 1])
        if (changed.length > namedChanges) return { head, changed: 'everything', imported }
        return { head, changed: changed.map(({ subject, action }) => ({ subject, action })), imported }
      })
    },

    async settled() {
      // One more than the lease: timers may fire up to a millisecond early by the clock that leases are measured with.
      await sleep(lease + 1)
    },

    journal(filter) {
      const { text, values } = sql.journalQuery(filter, intactText)
      return asItIs(() => audited<JournalEntry>(text, values)).map(entryOfRow)
    },

    auditKeys(after, limit) {
      return asItIs(() =>
        atOneMoment(() => {
          const keys = audited<KeyRow & LastRow & { place: number }>(sql.auditKeys, [after ?? null, limit])
          const upTo = keys.at(-1)?.place ?? null
          const secrets = audited<SecretRow & { place: number }>(sql.auditSecrets, [after ?? null, upTo])
          const byPlace = Map.groupBy(secrets, ({ place }) => place)
          return keys.map((found) => ({
            place: found.place,
            id: String(found['id']),
            key: unlessUnreadable(() => keyOfRow(found)),
            secrets: (byPlace.get(found.place) ?? []).map(secretOfRow),
            last: lastOfRow(found),
          }))
        }),
      )
    },

    auditOwners(after, limit) {
      const found = asItIs(() => audited<OwnerRow & LastRow>(sql.auditOwners, [after ?? null, limit]))
      return found.map((owner) => ({
        name: owner.owner,
        owner: unlessUnreadable(() => ownerOfRow(owner)),
        last: lastOfRow(owner),
      }))
    },

    auditMissing(after, limit) {
      return asItIs(() => audited<Pick<JournalEntry, 'seq' | 'subject'>>(sql.auditMissing, [after, limit])).map(
        (entry) => ({ ...entry }),
      )
    },

    withoutSnapshot(limit) {
      if (mode === 'read') return []
      return rows<{ subject: string }>(sql.unrecorded, [limit]).map(({ subject }) => subject)
    },

    newestRevision() {
      return asItIs(() => audited<{ revision: number }>(sql.newestRevision, []))[0]?.revision ?? 0
    },

    spend(id, spending) {
      mustBeOpenToWrite()
      return writing(() => spend(id, spending), longestSpending)
    },

    noteFirstUse(hash, at) {
      if (mode === 'read') return true
      try {
        kept(() => run(sql.noteFirstUse, [hash, at]))
        return true
      } catch (error) {
        if (isBusy(error)) return false
        throw error
      }
    },

    async recordUsage({ counts, lastUsed }) {
      // A store that may not write cannot keep counts: they must not wait for a next time that never comes.
      if (mode === 'read') return
      await writing(() =>
        kept(() =>
          transact(() => {
            for (const { hour, key, owner, outcome, count } of counts)
              run(sql.addUsage, [hour, key, owner, outcome, count])
            for (const [hash, at] of lastUsed) run(sql.moveLastUsed, [hash, at])
            return true
          }),
        ),
      )
    },

    usage(filter) {
      const { text, values } = sql.usageQuery(filter)
      return asItIs(() => rows<UsageCount>(text, values)).map((counted) => ({ ...counted }))
    },

    declared() {
      const found = asItIs(() => row<DeclaredRow>(sql.declared))
      return found === undefined ? undefined : declaredOfRow(found)
    },

    async declare({ scopes, prefix, environments }) {
      if (mode === 'write' || mode === 'read') return
      // A process that only creates a missing database must not overwrite the declarations of the application that made
      // it.
      if (mode === 'create' && row(sql.declared) !== undefined) return
      const values = [JSON.stringify(scopes), prefix, JSON.stringify(environments)]
      await writing(() => kept(() => run(sql.declare, values)))
    },

    grants(environments) {
      const { text, values } = sql.grantsQuery(environments)
      const lists = asItIs(() => rows<{ scopes: string }>(text, values))
      return [...new Set(lists.flatMap(({ scopes }) => jsonOf(scopes, 'latchkey_keys', 'scopes') as readonly string[]))]
    },

    ready() {
      asItIs(readHead)
      if (file !== ':memory:' && mode !== 'read') mustBeWritable(file)
    },

    async backup(copy, progress) {
      await copyTo({ database, mustBeThere }, copy, progress)
    },

    close() {
      if (database.isOpen) database.close()
    },
  }
}

/** The place of a database, and the place for its copy. */
export interface BackupOptions {
  /** The database file. */
  readonly file: string
  /** A file that is not there yet. */
  readonly copy: string
  /** Called between steps with how many pages are left of how many. */
  readonly progress?: (left: number, total: number) => void
}

const backupOptions = membersOf<BackupOptions>({ file: true, copy: true, progress: true })

/**
 * Copies a database that is not open, whatever version its tables are, and changes nothing about it: do this before a newer
 * version brings it up to date.
 *
 * @throws LatchkeyError `store_unusable`.
 * @throws Error what the file system says, `EEXIST` when the copy is there already.
 *
 * @example
 * sqliteStore({ file: 'data/latchkey.db' }).close()
 * await backupSqlite({ file: 'data/latchkey.db', copy: 'latchkey-backup.db' })
 */
export async function backupSqlite(options: BackupOptions): Promise<void> {
  objectOf('The options of backupSqlite', options, backupOptions)
  const { file, copy, progress } = options
  const original = openToCopy(file)
  try {
    await copyTo(original, copy, progress)
  } finally {
    original.database.close()
  }
}

async function copyTo(
  { database, mustBeThere }: Pick<OpenDatabase, 'database' | 'mustBeThere'>,
  copy: string,
  progress: BackupOptions['progress'],
): Promise<void> {
  // Create the file with our mode before SQLite opens it, so that other users can never read it; and never overwrite
  // another file.
  closeSync(openSync(copy, 'wx', 0o600))
  try {
    await backup(database, copy, {
      rate: 1000,
      progress: ({ remainingPages, totalPages }) => progress?.(remainingPages, totalPages),
    })
    mustBeThere()
  } catch (error) {
    // Remove half a copy: it looks like a whole one.
    for (const end of ['', '-journal', '-wal', '-shm']) rmSync(copy + end, { force: true })
    throw error
  }
}

/**
 * Some versions of `node:sqlite` end a text at its first NUL, so text after it in the journal would not be seen.
 * Latchkey writes no NUL; a text that has one is read as bytes.
 */
function intactText(column: string): string {
  return `CASE WHEN instr(${column}, char(0)) > 0 THEN CAST(${column} AS BLOB) ELSE ${column} END AS ${column}`
}

/**
 * An entry as it was read. Bytes without a NUL are not text and stay bytes: Latchkey did not write such an entry
 * either.
 */
function entryOfRow(row: JournalEntry): JournalEntry {
  const { actor, action, subject, change, previous, hash } = row
  if (![actor, action, subject, change, previous, hash].some(isBytes)) return { ...row }
  const values = Object.entries(row).map(([name, value]: [string, unknown]) => {
    const text = isBytes(value) ? new TextDecoder().decode(value) : ''
    return [name, text.includes('\0') ? text : value]
  })
  return Object.fromEntries(values) as JournalEntry
}

function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array
}

function unlessUnreadable<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

/**
 * Finds out whether other processes write data that is not in the journal (usage, quotas, first uses), as a process
 * that accepts calls does.
 */
function sharing(tell: (() => void) | undefined): {
  /** Called after a commit of this store itself. */
  readonly committed: (entries: number) => void
  /** @param written - whether another process has written since the look before. */
  readonly seen: (seq: number, written: boolean) => void
} {
  let reported = tell === undefined
  let [reached, ours] = [0, 0]
  return {
    committed(entries) {
      ours += entries
    },
    seen(seq, written) {
      const theirs = seq - reached - ours
      reached = seq
      ours = 0
      if (reported || !written || theirs !== 0) return
      reported = true
      // After the look, because the callback may do anything.
      queueMicrotask(() => tell?.())
    },
  }
}

function isSame(one: JournalHead | undefined, other: JournalHead | undefined): boolean {
  return one?.seq === other?.seq && one?.hash === other?.hash
}

export { isInUse } from './sqlite-database.ts'
