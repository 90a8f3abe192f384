import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Store, Timer, UsageBatch, UsagePlace } from '../ports.ts'
import { lateAnswerOf } from '../within.ts'
import { inOrder } from './in-order.ts'
import type { Refused } from './verdict.ts'
import { waitingUsage } from './waiting-usage.ts'

/** The counts of one key, kept with its verdict: to accept a call only adds to two numbers. */
export interface UsageCounter {
  readonly key: { readonly id: string; readonly owner: string; readonly environment: string }
  /** The hash of the secret, by which the store knows it; `undefined` for a key from a source. */
  readonly secretHash: string | undefined
  /** When the secret was created, before which it was not used. */
  readonly secretCreatedAt: number
  /** Whether a rotation has made the secret, and no use of it is known. */
  firstUse: boolean
  /** Calls that are not gathered yet, all in the hour of the last use. */
  accepted: number
  /** What these calls cost. */
  cost: number
  lastUsedAt: number
}

/** Counts of calls, gathered in memory and written in batches. A check never waits for a write. */
export interface Usage {
  /** Milliseconds between two writes. */
  readonly interval: number
  /** Sets the time, whenever the cache takes a lease. Uses get this time, and an hour ends by it. */
  readonly tick: (now: number) => void
  /** Notes the first use of a secret that a rotation has made. Returns a promise if the call is answered once it is written. */
  readonly noteFirstUse: (counter: UsageCounter) => Promise<void> | undefined
  /** Counts an accepted call and its cost. */
  readonly accept: (counter: UsageCounter, cost: number) => void
  readonly refuse: (refused: Refused) => void
  /** Counts an accepted call that a report-only limit of this name would have refused. */
  readonly report: (counter: UsageCounter, limitName: string) => void
  /** Writes what was gathered. Keeps what cannot be written for the next time, and throws the error. */
  readonly flush: () => Promise<void>
  /** Writes a last time and stops writing by itself. */
  readonly close: () => Promise<void>
}

const hourLength = 3_600_000

/** Last uses are kept to this many milliseconds: those of one second stand in the order of owners, in which they are written. */
const second = 1000

/** The most refusals that wait to be counted. */
const mostWaiting = 1000

/** Counts, and last uses, that are given to the store at once. It may take some of them and leave the rest. */
const batchSize = 50

/** The most counts that wait while the store cannot be written; further ones are lost. */
const most = 100_000

/**
 * @param interval - milliseconds between two writes; a crash can lose as much.
 * @param onError - is called with the error of a write that failed; its counts are written with the next one.
 */
export function openUsage({
  store,
  interval,
  now: start,
  after,
  onError,
}: {
  readonly store: Pick<Store, 'recordUsage' | 'noteFirstUse'>
  readonly interval: number
  readonly now: number
  readonly after: Timer
  readonly onError: (error: unknown) => void
}): Usage {
  let now = start
  let hour = hourOf(start)
  let dirty: UsageCounter[] = []
  let refused: Refused[] = []
  const waiting = waitingUsage(most)
  let stop: (() => void) | undefined
  let flushed = Promise.resolve()
  let closed = false

  function gather(counter: UsageCounter): void {
    const { accepted: count, cost, lastUsedAt, secretHash } = counter
    counter.accepted = 0
    counter.cost = 0
    const place = { hour: hourOf(lastUsedAt), ...placeOf(counter), outcome: 'accepted', limitName: '' }
    if (count > 0) waiting.count({ ...place, count, cost })
    if (secretHash !== undefined) waiting.use(secretHash, keptUse(counter))
  }

  function collectRefused(): void {
    // Add up by code, limit, key, owner and environment first, which takes equally long for all refusals. The work that
    // takes longer for a known key then happens once for all its refusals; done a thousand times, the difference could
    // be measured from far away.
    const together = new Map<string, Map<string, Map<string, Map<string, Map<string, number>>>>>()
    for (const { refusal, limit, keyId = '', owner = '', environment = '' } of refused) {
      const keys = inner(inner(together, refusal.code), limit === undefined ? '' : nameOf(limit))
      const environments = inner(inner(keys, keyId), owner)
      environments.set(environment, (environments.get(environment) ?? 0) + 1)
    }
    refused = []
    for (const [outcome, names] of together) {
      for (const [limitName, keys] of names) {
        for (const [key, owners] of keys) {
          for (const [owner, environments] of owners) {
            for (const [environment, count] of environments) {
              waiting.count({ hour, key, owner, environment, outcome, limitName, count, cost: 0 })
            }
          }
        }
      }
    }
  }

  /** Starts the time to the next write, at the first count after a write: a keyring without calls does not wake up. */
  function schedule(): void {
    if (closed) return
    stop ??= after(
      interval,
      () => {
        stop = undefined
        flush().catch(onError)
      },
      'background',
    )
  }

  /**
   * Writes the first use of a secret that a rotation has made, before the call is answered: such a secret may be replaced
   * until its first use. If the store cannot be written, the call is accepted all the same.
   */
  function noteFirstUse(counter: UsageCounter): Promise<void> | undefined {
    counter.firstUse = false
    const { secretHash } = counter
    if (secretHash === undefined) return undefined
    const late = async (): Promise<void> => {
      waiting.use(secretHash, now)
      await flush().catch(onError)
    }
    try {
      const noted = store.noteFirstUse(secretHash, now)
      if (typeof noted === 'boolean') return noted ? undefined : late()
      return noted.then((done) => (done ? undefined : late()), late)
    } catch {
      return late()
    }
  }

  /** In batches, and between two of them everything else that this process has to do gets its turn. */
  async function write(): Promise<void> {
    collectRefused()
    const used = dirty
    dirty = []
    // In the order of the store: then those of a batch are in few of its pages.
    const gathering = (await inOrder(used, byOwnerAndKey)).toReversed()
    // What is counted meanwhile waits for the next time: under steady traffic this would never end.
    let due = gathering.length + waiting.size()
    try {
      while (due > 0) {
        for (const counter of gathering.splice(-batchSize).toReversed()) gather(counter)
        await writeBatch()
        due -= batchSize
      }
    } finally {
      // Once the store has failed, the rest is gathered and waits: only there is its number limited.
      while (gathering.length > 0) {
        for (const counter of gathering.splice(-batchSize)) gather(counter)
        await nextTurn()
      }
      if (waiting.size() > 0) schedule()
    }
  }

  async function writeBatch(): Promise<void> {
    let batch = waiting.take(batchSize)
    try {
      while (batch.counts.length > 0 || batch.lastUsed.size > 0) {
        batch = await store.recordUsage(batch)
        await nextTurn()
      }
    } catch (error) {
      putBack(batch, lateAnswerOf<UsageBatch>(error))
      throw error
    }
  }

  /**
   * Keeps what was not written for the next time. A store that has not answered yet may still write it, and what was written
   * must not be written again: its answer is waited for, and without one those counts are lost.
   */
  function putBack(batch: UsageBatch, answer: Promise<UsageBatch> | undefined): void {
    if (answer === undefined) {
      waiting.putBack(batch)
      return
    }
    const keep = (left: UsageBatch): void => {
      waiting.putBack(left)
      if (waiting.size() > 0) schedule()
    }
    answer.then(keep, () => keep(batch))
  }

  /** Writes once at a time: a second call waits for the first, and then writes what came after it. */
  async function flush(): Promise<void> {
    flushed = flushed.then(write, write)
    return flushed
  }

  return {
    interval,
    tick(timestamp) {
      now = timestamp
      if (hourOf(timestamp) === hour) return
      collectRefused()
      hour = hourOf(timestamp)
    },
    accept(counter, cost) {
      const { accepted, lastUsedAt } = counter
      if (accepted > 0 && (lastUsedAt < hour || lastUsedAt >= hour + hourLength)) gather(counter)
      counter.lastUsedAt = now
      counter.cost += cost
      if (counter.accepted++ > 0) return
      dirty.push(counter)
      schedule()
    },
    refuse(verdict) {
      // Counted later, many at once: to find the count of a known key takes longer than that of an unknown one, and the
      // caller must not be able to measure it.
      if (refused.push(verdict) === mostWaiting) collectRefused()
      schedule()
    },
    report(counter, limitName) {
      waiting.count({ hour, ...placeOf(counter), outcome: 'over_limit_reported', limitName, count: 1, cost: 0 })
      schedule()
    },
    noteFirstUse,
    flush,
    async close() {
      closed = true
      stop?.()
      await flush()
    },
  }
}

function placeOf({ key }: UsageCounter): Pick<UsagePlace, 'key' | 'owner' | 'environment'> {
  return { key: key.id, owner: key.owner, environment: key.environment }
}

function byOwnerAndKey({ key: one }: UsageCounter, { key: other }: UsageCounter): number {
  if (one.owner !== other.owner) return one.owner < other.owner ? -1 : 1
  return one.id < other.id ? -1 : 1
}

/** The name of the limit that has refused a call. The quota has none in usage: the outcome says that it was the quota. */
function nameOf({ name, window }: NonNullable<Refused['limit']>): string {
  return window === null ? '' : name
}

/** The map under a name, made if it does not exist. */
function inner<Inner>(outer: Map<string, Map<string, Inner>>, name: string): Map<string, Inner> {
  const found = outer.get(name)
  if (found !== undefined) return found
  const made = new Map<string, Inner>()
  outer.set(name, made)
  return made
}

/** The last use as it is kept: the second in which it was, but not a time before the secret was there. */
function keptUse({ lastUsedAt, secretCreatedAt }: UsageCounter): number {
  return Math.max(lastUsedAt - (lastUsedAt % second), Math.min(secretCreatedAt, lastUsedAt))
}

function hourOf(now: number): number {
  return now - (now % hourLength)
}
