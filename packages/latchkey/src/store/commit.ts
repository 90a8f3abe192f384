import type {
  Change,
  Emptied,
  ErasedOwner,
  IdempotentCall,
  JournalEntry,
  JournalHead,
  RowsBefore,
  Store,
  Witness,
} from '../ports.ts'
import type { Filing, Holder } from './filing.ts'
import { filingOfKey, filingOfOwner, filingValues } from './filing.ts'
import { insertKey, insertKeyValues, updateKey, updateKeyValues } from './key-columns.ts'
import { oldRows } from './purge-sql.ts'
import * as sql from './sql.ts'
import type { KeyCounter } from './counting.ts'
import { keyCounter } from './counting.ts'
import { dropUsageRows } from './usage-rows.ts'
import type { Work } from './work.ts'
import { pause, row, run } from './work.ts'

/** How long the result for a token is kept, in milliseconds: a day. */
const remembered = 86_400_000

/** How many entries one call may make. */
const mostInOneCall = 1000

function* putQuota(id: string, quota: Extract<Change, { kind: 'update' }>['quota']): Work<void> {
  if (quota === undefined) return
  if (quota !== null && 'more' in quota) {
    yield* run(sql.moreQuota, [id, quota.more])
    return
  }
  if (quota !== null && 'added' in quota) {
    const { added, amount, period } = quota
    yield* run(sql.addToQuota, [id, period, Math.max(0, amount + added), added])
    yield* run(sql.dropPeriods, [id, period])
    return
  }
  yield* run(sql.dropQuotas, [id])
  if (quota !== null) yield* run(sql.insertQuota, [id, quota.remaining, quota.period])
}

/** Where the entry of a change is filed. Asked before its rows are written: a key may change hands with it. */
function* filingsOf(change: Change): Work<readonly Filing[]> {
  if (change.kind === 'snapshot' || change.kind === 'purge rows') return []
  if (change.kind === 'owner') return filingOfOwner(change.owner.owner)
  if (change.kind === 'purge') {
    const { id } = change.key
    const holder = yield* row<Holder>(sql.holderOfKey, [id])
    return holder === undefined ? [] : filingOfKey(holder, holder.owner)
  }
  if (change.kind === 'erase') {
    // Not in the journal of an owner that goes itself.
    const erased =
      change.key === undefined || change.owner !== undefined
        ? undefined
        : yield* row<Holder>(sql.holderOfKey, [change.key.id])
    return erased === undefined ? [] : filingOfKey(erased, erased.owner)
  }
  const { id, owner } = change.key
  const before = change.kind === 'insert' ? undefined : yield* row<{ owner: string }>(sql.ownerOfKey, [id])
  return filingOfKey(change.key, before?.owner ?? owner)
}

/** Empties an entry, and forgets the calls that made it. */
function* empty({ before, after }: Emptied, by: number): Work<boolean> {
  const { seq, actor, subject, change } = before
  yield* run(sql.forgetCalls, [seq, JSON.stringify(subject), mostInOneCall])
  const values = [seq, after.actor, after.subject, after.change, by, actor, subject, change]
  return (yield* run(sql.emptyEntry, values)) === 1
}

function* eraseKey(key: Extract<Change, { kind: 'erase' }>['key'], counter: KeyCounter): Work<boolean> {
  if (key === undefined) return true
  yield* dropUsageRows('key', key.id)
  return yield* drop(key, { counter, first: sql.eraseWithKey })
}

function* drop(
  { id, revision }: { readonly id: string; readonly revision: number },
  { counter, first }: { readonly counter: KeyCounter; readonly first: readonly string[] },
): Work<boolean> {
  counter.moved(yield* counter.before(id), undefined)
  for (const text of first) yield* run(text, [id])
  return (yield* run(sql.eraseKey, [id, revision])) === 1
}

/** Takes a secret from a key, and remembers it, so that it stays refused. */
function* dropSecret(id: string, hash: string): Work<boolean> {
  yield* run(sql.rememberSecret, [hash])
  return (yield* run(sql.dropSecret, [id, hash])) === 1
}

function* eraseOwner(of: ErasedOwner | undefined): Work<boolean> {
  if (of === undefined) return true
  const { owner, revision, unfiled, searched } = of
  if ((yield* row(sql.isOwnerAt, [owner, revision])) === undefined) return false
  for (const seq of unfiled) yield* run(sql.unfileEntry, [owner, seq])
  if (searched === undefined) return true
  if ((yield* row(sql.isNamedStill, [owner, searched, ...sql.namedIn(owner)])) !== undefined) return false
  yield* dropUsageRows('owner', owner)
  for (const text of sql.eraseWithOwner) yield* run(text, [owner])
  return (yield* run(sql.eraseOwner, [owner, revision])) === 1
}

/** Does something for each, as long as that succeeds. */
function* each<Item>(items: readonly Item[], act: (item: Item) => Work<boolean>): Work<boolean> {
  for (const item of items) if (!(yield* act(item))) return false
  return true
}

/** Whether the rows could be written as they were asked for. */
function* write(change: Change, seq: number, counter: KeyCounter): Work<boolean> {
  if (change.kind === 'owner') {
    const values = sql.ownerValues(change.owner, seq)
    const { revision } = change.owner
    const written = revision === 0 ? run(sql.insertOwner, values) : run(sql.updateOwner, [...values, revision])
    return (yield* written) === 1
  }
  if (change.kind === 'snapshot') {
    return yield* each(change.rows, function* ({ subject, revision }) {
      return (yield* run(sql.tell, [subject, revision])) === 1
    })
  }
  if (change.kind === 'erase') {
    if (!(yield* each(change.emptied, (emptied) => empty(emptied, seq)))) return false
    return (yield* eraseKey(change.key, counter)) && (yield* eraseOwner(change.owner))
  }
  if (change.kind === 'purge rows') return yield* anyIsOld(change.before)
  if (change.kind === 'purge') return yield* drop(change.key, { counter, first: sql.purgeWithKey })
  const { id } = change.key
  if (change.kind === 'insert') {
    yield* run(insertKey, insertKeyValues(change.key, seq))
    counter.moved(undefined, change.key)
    if (change.quota !== null) yield* run(sql.insertQuota, [id, change.quota.remaining, change.quota.period])
    const { lastUsedAt } = change.secret
    if (lastUsedAt !== null) yield* run(sql.noteKeyUse, [id, lastUsedAt])
    return (yield* run(sql.insertSecret, sql.insertSecretValues(id, change.secret))) === 1
  }
  const { secrets = [], dropped = [], unused = [] } = change
  for (const hash of unused) if ((yield* row(sql.isUnused, [hash])) === undefined) return false
  const before = yield* counter.before(id)
  if ((yield* run(updateKey, updateKeyValues(change.key, seq))) === 0) return false
  counter.moved(before, change.key)
  yield* putQuota(id, change.quota)
  if (secrets.length > 0) yield* run(sql.noteUsesOfOnly, [id])
  if (!(yield* each(dropped, (hash) => dropSecret(id, hash)))) return false
  if (dropped.length > 0) yield* run(sql.keepUseOfLeft, [id])
  return yield* each(secrets, function* (secret) {
    if ((yield* run(sql.updateSecret, sql.updateSecretValues(id, secret))) === 1) return true
    return (yield* run(sql.insertSecret, sql.insertSecretValues(id, secret))) === 1
  })
}

/** Whether there is a row that is older than it may be. */
function* anyIsOld(before: RowsBefore): Work<boolean> {
  for (const [kind, text] of oldRows) {
    if (before[kind] !== undefined && (yield* row(text, [before[kind]])) !== undefined) return true
  }
  return false
}

/** Whether the admin key on whose behalf a change is made is unchanged since its rights were read. */
function* holds({ id, revision, ownerRevision, secret, expiresAt, now }: Witness): Work<boolean> {
  if (expiresAt !== null && now() >= expiresAt) return false
  if (secret !== undefined && (yield* row(sql.works, [secret, now()])) === undefined) return false
  return (yield* row(sql.isAsItWas, [id, revision, ownerRevision])) !== undefined
}

/** Whether it could be noted that the call was made. */
function* note(
  { actor, idempotencyKey, fingerprint, at, after }: IdempotentCall,
  entries: readonly JournalEntry[],
  head: JournalHead | undefined,
): Work<boolean> {
  yield* run(sql.forgetOnce, [at - remembered])
  const ids = JSON.stringify(entries.map(({ subject }) => subject))
  const { seq = 0 } = entries[0] ?? head ?? {}
  const values = [actor, idempotencyKey, fingerprint, ids, at, seq]
  return (yield* after === undefined ? run(sql.insertOnce, values) : run(sql.updateOnce, [...values, after])) === 1
}

/**
 * Writes changes and their journal entries, within a transaction that is to be undone if it ends with `undefined`.
 *
 * @param head - the end of the journal.
 */
export function* commitWork(
  [changes, chain, { idempotent, authority, left } = {}]: Parameters<Store['commit']>,
  head: JournalHead | undefined,
): Work<readonly JournalEntry[] | undefined> {
  if (authority !== undefined && !(yield* holds(authority))) return undefined
  if (left !== undefined && !(yield* holds(left))) return undefined
  const entries: JournalEntry[] = []
  const counter = keyCounter()
  let last = head
  for (const change of changes) {
    const entry = chain(change.draft, last)
    const filings = yield* filingsOf(change)
    if (!(yield* write(change, entry.seq, counter))) return undefined
    yield* run(sql.insertEntry, sql.entryValues(entry))
    for (const filing of filings) yield* run(sql.fileEntry, filingValues(filing, entry))
    entries.push(entry)
    last = entry
    yield* pause()
  }
  yield* counter.write()
  // A call that had nothing to do is noted too: its key must not be used for another.
  if (idempotent !== undefined && !(yield* note(idempotent, entries, head))) return undefined
  return entries
}
