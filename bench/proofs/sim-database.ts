import type {
  Change,
  JournalDraft,
  JournalEntry,
  JournalHead,
  KeyRecord,
  SecretMatch,
  StoredKey,
  StoredSecret,
} from 'latchkey/ports'
import type {
  AwaitedChange,
  MembersTable,
  MemberView,
  NewMember,
  Progress,
} from '../../packages/latchkey/src/propagation/members.ts'

/** The statements of a table, done at once. */
type AtOnce<Port> = {
  readonly [Name in keyof Port]: Port[Name] extends (...values: infer Values) => Promise<infer Answer>
    ? (...values: Values) => Answer
    : never
}

/** What is in a database before a run begins. */
export interface Rows {
  readonly journal: readonly JournalEntry[]
  readonly keys: ReadonlyMap<string, StoredKey>
  /** Each secret by its hash, with the id of its key. */
  readonly secrets: ReadonlyMap<string, { readonly id: string; readonly secret: StoredSecret }>
}

/** A database in memory. Each method is one statement. A failover undoes the newest of them. */
export interface SimulatedDatabase extends AtOnce<MembersTable> {
  bySecret(hash: string): SecretMatch | undefined
  byId(id: string): KeyRecord | undefined
  commit(
    changes: readonly Change[],
    chain: (draft: JournalDraft, head: JournalHead | undefined) => JournalEntry,
  ): readonly JournalEntry[] | undefined
  spend(id: string, cost: number, amount: number): number | undefined
  /** Whether the journal has this entry. */
  has(entry: JournalHead): boolean
  entryAt(seq: number): JournalEntry | undefined
  rows(): Rows
  /** How much was spent from the quota of a key, what a failover has undone left out; and how much was undone. */
  spent(id: string): { readonly kept: number; readonly lost: number }
  /** The connection that a statement is sent on; a failover ends all of them. */
  connection(): number
  accepts(connection: number): boolean
  /** Another server takes over, which has not what was done in so many milliseconds before. It answers after a while. */
  failover(lag: number, downFor: number): void
  /** Calls a function with the entries of each commit, some time after it. */
  listen(listener: (entries: readonly JournalEntry[]) => void): void
}

interface Member {
  readonly instance: string
  readonly seen: number
  readonly isDoomed: boolean
}

/** The most entries that a look names. */
const most = 1000

/** Opens a database with these rows. */
export function simulatedDatabase(
  { now, at }: { readonly now: () => number; readonly at: (time: number, call: () => void) => unknown },
  before?: Rows,
): SimulatedDatabase {
  const journal = [...(before?.journal ?? [])]
  const keys = new Map(before?.keys)
  const secrets = new Map(before?.secrets)
  const members = new Map<string, Member>()
  const spendings = new Map<string, number>()
  const lost = new Map<string, number>()
  const trusted = new Map([['incarnation', '1']])
  const listeners: ((entries: readonly JournalEntry[]) => void)[] = []
  const done: { readonly time: number; readonly undo: () => void }[] = []
  let [incarnation, isUp] = [1, true]

  function undoable(undo: () => void): void {
    done.push({ time: now(), undo })
  }

  function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value | undefined): void {
    const old = map.get(key)
    const set = (one: Value | undefined): unknown => (one === undefined ? map.delete(key) : map.set(key, one))
    set(value)
    undoable(() => void set(old))
  }

  function insert(entry: JournalEntry): void {
    journal.push(entry)
    undoable(() => void journal.pop())
  }

  function head(): JournalHead | undefined {
    const last = journal.at(-1)
    return last && { seq: last.seq, hash: last.hash }
  }

  const database: SimulatedDatabase = {
    bySecret(hash) {
      const found = secrets.get(hash)
      const key = found && keys.get(found.id)
      return key && { key, secret: found?.secret, owner: undefined }
    },

    byId(id) {
      const key = keys.get(id)
      if (key === undefined) return undefined
      const own = [...secrets.values()].filter((one) => one.id === id).map(({ secret }) => secret)
      const taken = spendings.get(id) ?? 0
      const quotas = key.quota === null ? [] : [{ remaining: key.quota.amount - taken, period: 0 }]
      return { key, secrets: own, owner: undefined, quotas }
    },

    commit(changes, chain) {
      const entries: JournalEntry[] = []
      for (const change of changes) {
        if (change.kind !== 'insert' && change.kind !== 'update') throw new Error(`No ${change.kind} is simulated.`)
        const { key } = change
        if (change.kind === 'update' && keys.get(key.id)?.revision !== change.key.revision) return undefined
        const entry = chain(change.draft, head())
        put(keys, key.id, { ...key, revision: entry.seq })
        if (change.kind === 'insert') put(secrets, change.secret.hash, { id: key.id, secret: change.secret })
        insert(entry)
        entries.push(entry)
      }
      for (const listener of listeners) listener(entries)
      return entries
    },

    spend(id, cost, amount) {
      const taken = spendings.get(id) ?? 0
      if (taken + cost > amount) return undefined
      put(spendings, id, taken + cost)
      undoable(() => void lost.set(id, (lost.get(id) ?? 0) + cost))
      return amount - taken - cost
    },

    register({ id, instance, former }: NewMember) {
      if (former !== undefined) put(members, former, undefined)
      put(members, id, { instance, seen: -1, isDoomed: false })
    },

    look(id, seen): MemberView {
      const member = members.get(id)
      const since = journal.slice(seen?.seq ?? 0)
      return {
        row: member === undefined ? 'absent' : member.isDoomed ? 'doomed' : 'present',
        isReplica: false,
        hashAtSeen: seen && journal[seen.seq - 1]?.hash,
        head: head(),
        changed: since.length > most ? 'everything' : since,
        imported: [],
      }
    },

    confirm(id, { seq, hash }) {
      const member = members.get(id)
      if (member !== undefined && member.seen < seq && journal[seq - 1]?.hash === hash) {
        put(members, id, { ...member, seen: seq })
      }
    },

    progress(changes: readonly AwaitedChange[]): Progress {
      const last = Math.max(...changes.map(({ seq }) => seq))
      const behind = [...members].filter(([, { seen }]) => seen < last)
      const gone = changes.filter(({ seq, hash }) => hash !== undefined && journal[seq - 1]?.hash !== hash)
      return {
        members: members.size,
        behind: behind.map(([id, { instance, seen }]) => ({ id, instance, seen })),
        lost: gone.map(({ seq }) => seq),
        incarnation: String(incarnation),
        isFenced: trusted.get('incarnation') !== String(incarnation),
      }
    },

    doom(ids, seq) {
      for (const id of ids) {
        const member = members.get(id)
        if (member !== undefined && member.seen < seq) put(members, id, { ...member, isDoomed: true })
      }
    },

    removeDoomed(ids) {
      for (const id of ids) if (members.get(id)?.isDoomed === true) put(members, id, undefined)
    },

    leave: (id) => put(members, id, undefined),

    trust(name) {
      if (name === String(incarnation)) put(trusted, 'incarnation', name)
    },

    has: ({ seq, hash }) => journal[seq - 1]?.hash === hash,
    entryAt: (seq) => journal[seq - 1],
    rows: () => ({ journal, keys, secrets }),
    spent: (id) => ({ kept: spendings.get(id) ?? 0, lost: lost.get(id) ?? 0 }),
    connection: () => incarnation,
    accepts: (connection) => isUp && connection === incarnation,

    failover(lag, downFor) {
      const kept = now() - lag
      for (let last = done.at(-1); last !== undefined && last.time > kept; last = done.at(-1)) {
        done.pop()
        last.undo()
      }
      incarnation++
      isUp = false
      at(now() + downFor, () => {
        isUp = true
      })
    },

    listen: (listener) => void listeners.push(listener),
  }
  return database
}
