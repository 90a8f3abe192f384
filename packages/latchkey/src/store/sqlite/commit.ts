import type {
  Change,
  Emptied,
  ErasedOwner,
  IdempotentCall,
  JournalEntry,
  JournalHead,
  Store,
  Witness,
} from '../../ports.ts'
import type { Filing, Holder } from '../filing.ts'
import { filingOfKey, filingOfOwner, filingValues } from '../filing.ts'
import { insertKey, insertKeyValues, updateKey, updateKeyValues } from '../key-columns.ts'
import { like } from '../like.ts'
import { oldRows } from '../purge-sql.ts'
import * as sql from '../sql.ts'
import type { KeyCounter } from './counting.ts'
import { keyCounter } from './counting.ts'
import type { Statements } from './statements.ts'
import { usageRowsOf } from './usage-rows.ts'

/** How long the result for a token is kept, in milliseconds: a day. */
const remembered = 86_400_000

/** How many entries one call may make. */
const mostInOneCall = 1000

/** Milliseconds after which the writing of many changes pauses. */
const pieceTime = 2

/** Writes changes piece by piece. Its transaction is to be undone if it ends with `undefined`. */
export type Commit = (
  ...commit: Parameters<Store['commit']>
) => Generator<undefined, readonly JournalEntry[] | undefined>

/**
 * Writes changes and their journal entries, within a transaction.
 *
 * @param readHead - reads the end of the journal.
 */
export function commitOf({
  statements,
  readHead,
}: {
  readonly statements: Pick<Statements, 'row' | 'rows' | 'run'>
  readonly readHead: () => JournalHead | undefined
}): Commit {
  const { row, run } = statements
  const usage = usageRowsOf(statements)

  function putQuota(id: string, quota: Extract<Change, { kind: 'update' }>['quota']): void {
    if (quota === undefined) return
    if (quota !== null && 'more' in quota) {
      run(sql.moreQuota, [id, quota.more])
      return
    }
    if (quota !== null && 'added' in quota) {
      const { added, amount, period } = quota
      run(sql.addToQuota, [id, period, Math.max(0, amount + added), added])
      run(sql.dropPeriods, [id, period])
      return
    }
    run(sql.dropQuotas, [id])
    if (quota !== null) run(sql.insertQuota, [id, quota.remaining, quota.period])
  }

  /** Where the entry of a change is filed. Asked before its rows are written: a key may change hands with it. */
  function filingsOf(change: Change): readonly Filing[] {
    if (change.kind === 'snapshot' || change.kind === 'purge rows') return []
    if (change.kind === 'owner') return filingOfOwner(change.owner.owner)
    if (change.kind === 'purge') {
      const { id } = change.key
      const holder = row<Holder>(sql.holderOfKey, [id])
      return holder === undefined ? [] : filingOfKey(holder, holder.owner)
    }
    if (change.kind === 'erase') {
      // Not in the journal of an owner that goes itself.
      const erased =
        change.key === undefined || change.owner !== undefined
          ? undefined
          : row<Holder>(sql.holderOfKey, [change.key.id])
      return erased === undefined ? [] : filingOfKey(erased, erased.owner)
    }
    const { id, owner } = change.key
    const before = change.kind === 'insert' ? undefined : row<{ owner: string }>(sql.ownerOfKey, [id])
    return filingOfKey(change.key, before?.owner ?? owner)
  }

  /** Empties an entry, and forgets the calls that made it. */
  function empty(by: number): (entry: Emptied) => boolean {
    return ({ before, after }) => {
      const { seq, actor, subject, change } = before
      run(sql.forgetCalls, [seq, like(JSON.stringify(subject)), mostInOneCall])
      return run(sql.emptyEntry, [seq, after.actor, after.subject, after.change, by, actor, subject, change]) === 1
    }
  }

  function erase(key: Extract<Change, { kind: 'erase' }>['key'], counter: KeyCounter): boolean {
    if (key === undefined) return true
    usage.drop('key', key.id)
    return drop(key, { counter, first: sql.eraseWithKey })
  }

  function drop(
    { id, revision }: { readonly id: string; readonly revision: number },
    { counter, first }: { readonly counter: KeyCounter; readonly first: readonly string[] },
  ): boolean {
    counter.moved(counter.before(id), undefined)
    for (const text of first) run(text, [id])
    return run(sql.eraseKey, [id, revision]) === 1
  }

  /** Takes a secret from a key, and remembers it, so that it stays refused. */
  function dropSecret(id: string, hash: string): boolean {
    run(sql.rememberSecret, [hash])
    return run(sql.dropSecret, [id, hash]) === 1
  }

  function eraseOwner(of: ErasedOwner | undefined): boolean {
    if (of === undefined) return true
    const { owner, revision, unfiled, searched } = of
    if (row(sql.isOwnerAt, [owner, revision]) === undefined) return false
    for (const seq of unfiled) run(sql.unfileEntry, [owner, seq])
    if (searched === undefined) return true
    if (row(sql.isNamedStill, [owner, searched, ...sql.namedIn(owner)]) !== undefined) return false
    usage.drop('owner', owner)
    for (const text of sql.eraseWithOwner) run(text, [owner])
    run(sql.forgetCallsOn, [like(JSON.stringify(`owner:${owner}`))])
    return run(sql.eraseOwner, [owner, revision]) === 1
  }

  /** Whether the rows could be written as they were asked for. */
  function write(change: Change, seq: number, counter: KeyCounter): boolean {
    if (change.kind === 'owner') {
      const values = sql.ownerValues(change.owner, seq)
      const { revision } = change.owner
      return (revision === 0 ? run(sql.insertOwner, values) : run(sql.updateOwner, [...values, revision])) === 1
    }
    if (change.kind === 'snapshot') {
      return change.rows.every(({ subject, revision }) => run(sql.tell, [subject, revision]) === 1)
    }
    if (change.kind === 'erase') {
      return change.emptied.every(empty(seq)) && erase(change.key, counter) && eraseOwner(change.owner)
    }
    if (change.kind === 'purge rows') {
      const { before } = change
      return oldRows.some(([kind, text]) => before[kind] !== undefined && row(text, [before[kind]]) !== undefined)
    }
    if (change.kind === 'purge') return drop(change.key, { counter, first: sql.purgeWithKey })
    const { id } = change.key
    if (change.kind === 'insert') {
      run(insertKey, insertKeyValues(change.key, seq))
      counter.moved(undefined, change.key)
      if (change.quota !== null) run(sql.insertQuota, [id, change.quota.remaining, change.quota.period])
      const { lastUsedAt } = change.secret
      if (lastUsedAt !== null) run(sql.noteKeyUse, [id, lastUsedAt])
      return run(sql.insertSecret, sql.insertSecretValues(id, change.secret)) === 1
    }
    const { secrets = [], dropped = [], unused = [] } = change
    if (unused.some((hash) => row(sql.isUnused, [hash]) === undefined)) return false
    const before = counter.before(id)
    if (run(updateKey, updateKeyValues(change.key, seq)) === 0) return false
    counter.moved(before, change.key)
    putQuota(id, change.quota)
    if (!dropped.every((hash) => dropSecret(id, hash))) return false
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
    { actor, idempotencyKey, fingerprint, at, after }: IdempotentCall,
    entries: readonly JournalEntry[],
  ): boolean {
    run(sql.forgetOnce, [at - remembered])
    const ids = JSON.stringify(entries.map(({ subject }) => subject))
    // A call that had nothing to do is noted too: its key must not be used for another.
    const { seq = 0 } = entries[0] ?? readHead() ?? {}
    const values = [actor, idempotencyKey, fingerprint, ids, at, seq]
    return (after === undefined ? run(sql.insertOnce, values) : run(sql.updateOnce, [...values, after])) === 1
  }

  return function* (changes, chain, { idempotent, authority, left } = {}) {
    if (authority !== undefined && !holds(authority)) return undefined
    if (left !== undefined && !holds(left)) return undefined
    const entries: JournalEntry[] = []
    const counter = keyCounter({ row, run })
    let last = readHead()
    let began = performance.now()
    for (const change of changes) {
      const entry = chain(change.draft, last)
      const filings = filingsOf(change)
      if (!write(change, entry.seq, counter)) return undefined
      run(sql.insertEntry, sql.entryValues(entry))
      for (const filing of filings) run(sql.fileEntry, filingValues(filing, entry))
      entries.push(entry)
      last = entry
      if (performance.now() - began < pieceTime) continue
      counter.write()
      yield
      began = performance.now()
    }
    counter.write()
    if (idempotent !== undefined && !note(idempotent, entries)) return undefined
    return entries
  }
}
