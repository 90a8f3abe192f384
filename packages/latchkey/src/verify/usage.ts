import type { Store, UsageCount } from '../ports.ts'
import type { Refused } from './verdict.ts'

/** What a caller's call came to: `accepted`, the code of a refusal, or that a report-only limit would have refused it. */
type Outcome = string

/** Counts of a key that are kept at hand, so that accepting a call adds one to a number and nothing else. */
export interface UsageCounter {
  readonly keyId: string
  readonly owner: string
  /** Of the secret that was used, as the store knows it; `undefined` for a key that is not from a store. */
  readonly secretHash: string | undefined
  /** A rotation has brought the secret about, and no use of it is known. */
  firstUse: boolean
  accepted: number
  lastUsedAt: number
}

/** What keys are used for, gathered in memory and written in batches: a check never waits for a write. */
export interface Usage {
  /** Tells the time, as often as the cache takes a lease: uses are dated by it, and hours end by it. */
  readonly tick: (now: number) => void
  /** Answers a promise where the first use of a rotated secret is not written yet: the call is not to be answered before. */
  readonly accept: (counter: UsageCounter) => Promise<void> | undefined
  readonly refuse: (refused: Refused) => void
  /** Counts that a report-only limit would have refused an accepted call. */
  readonly report: (counter: UsageCounter) => void
  /** Writes what was gathered. What cannot be written is kept for the next time, and the error is thrown. */
  readonly flush: () => Promise<void>
  /** Writes a last time and stops writing by itself. */
  readonly close: () => Promise<void>
}

const hourLength = 3_600_000

/** Refusals that wait to be counted. */
const mostWaiting = 1000

/** Rows in one transaction: while it runs, this process does nothing else. */
const batchSize = 500

/** Counts that may wait for a store that cannot be written to; what comes beyond is lost. */
const most = 100_000

/**
 * @param interval - milliseconds between two writings; what a crash can lose is as much.
 * @param onError - hears of writings that failed; they are tried again.
 */
export function openUsage({
  store,
  interval,
  now: start,
  onError,
}: {
  readonly store: Pick<Store, 'recordUsage' | 'noteFirstUse'>
  readonly interval: number
  readonly now: number
  readonly onError: (error: unknown) => void
}): Usage {
  let now = start
  let hour = hourOf(start)
  let dirty: UsageCounter[] = []
  let refused: Refused[] = []
  const counts = new Map<string, UsageCount>()
  const lastUsed = new Map<string, number>()
  let timer: NodeJS.Timeout | undefined
  let flushed = Promise.resolve()
  let closed = false

  function add(outcome: Outcome, key: string, owner: string, count: number): void {
    const place = JSON.stringify([hour, key, owner, outcome])
    const before = counts.get(place)
    if (before === undefined && counts.size >= most) return
    counts.set(place, { hour, key, owner, outcome, count: (before?.count ?? 0) + count })
  }

  function collect(): void {
    for (const counter of dirty) {
      add('accepted', counter.keyId, counter.owner, counter.accepted)
      counter.accepted = 0
      if (counter.secretHash !== undefined && lastUsed.size < most) lastUsed.set(counter.secretHash, counter.lastUsedAt)
    }
    dirty = []
    collectRefused()
  }

  function collectRefused(): void {
    // Put together first, which takes as long for any of them: what takes longer for a known key is then done once for
    // all that were sent with it, and not a thousand times, which could be timed from far away.
    const together = new Map<Outcome, Map<string, Map<string, number>>>()
    for (const { refusal, keyId = '', owner = '' } of refused) {
      const keys = inner(together, refusal.code)
      const owners = inner(keys, keyId)
      owners.set(owner, (owners.get(owner) ?? 0) + 1)
    }
    refused = []
    for (const [code, keys] of together) {
      for (const [keyId, owners] of keys) for (const [owner, count] of owners) add(code, keyId, owner, count)
    }
  }

  /** Due from the first use on, not before: a keyring that nobody uses does not wake up. */
  function schedule(): void {
    if (closed) return
    timer ??= setTimeout(() => {
      timer = undefined
      flush().catch(onError)
    }, interval).unref()
  }

  /**
   * A secret that a rotation has brought about may be replaced for as long as nobody uses it. So the store is told of its
   * first use before the call is answered. A store that cannot be written to does not keep anybody out.
   */
  function noteFirstUse({ secretHash }: UsageCounter): Promise<void> | undefined {
    if (secretHash === undefined) return undefined
    const late = async (): Promise<void> => flush().catch(onError)
    try {
      const noted = store.noteFirstUse(secretHash, now)
      if (typeof noted === 'boolean') return noted ? undefined : late()
      return noted.then((done) => (done ? undefined : late()), late)
    } catch {
      return late()
    }
  }

  async function write(): Promise<void> {
    collect()
    while (counts.size + lastUsed.size > 0) {
      const someCounts = [...counts].slice(0, batchSize)
      const someUses = [...lastUsed].slice(0, batchSize)
      for (const [place] of someCounts) counts.delete(place)
      for (const [hash] of someUses) lastUsed.delete(hash)
      try {
        await store.recordUsage({ counts: someCounts.map(([, count]) => count), lastUsed: new Map(someUses) })
      } catch (error) {
        for (const [, { key, owner, outcome, count, ...rest }] of someCounts)
          restore(rest.hour, key, owner, outcome, count)
        for (const [hash, at] of someUses) if (!lastUsed.has(hash)) lastUsed.set(hash, at)
        schedule()
        throw error
      }
    }
  }

  function restore(of: number, key: string, owner: string, outcome: Outcome, count: number): void {
    const place = JSON.stringify([of, key, owner, outcome])
    counts.set(place, { hour: of, key, owner, outcome, count: count + (counts.get(place)?.count ?? 0) })
  }

  /** One at a time; who asks meanwhile waits for this one and then for what came after it. */
  async function flush(): Promise<void> {
    flushed = flushed.then(write, write)
    return flushed
  }

  return {
    tick(timestamp) {
      now = timestamp
      if (hourOf(timestamp) === hour) return
      collect()
      hour = hourOf(timestamp)
    },
    accept(counter) {
      counter.lastUsedAt = now
      if (counter.accepted++ > 0) return undefined
      dirty.push(counter)
      schedule()
      if (!counter.firstUse) return undefined
      counter.firstUse = false
      return noteFirstUse(counter)
    },
    refuse(verdict) {
      // Counted later, many at once: finding the count of a known key takes longer than that of an unknown one, and
      // the caller must not be able to time it.
      if (refused.push(verdict) === mostWaiting) collectRefused()
      schedule()
    },
    report({ keyId, owner }) {
      add('over_limit_reported', keyId, owner, 1)
      schedule()
    },
    flush,
    async close() {
      closed = true
      clearTimeout(timer)
      await flush()
    },
  }
}

/** The map under a name, made where there is none. */
function inner<Inner>(outer: Map<string, Map<string, Inner>>, name: string): Map<string, Inner> {
  const found = outer.get(name)
  if (found !== undefined) return found
  const made = new Map<string, Inner>()
  outer.set(name, made)
  return made
}

function hourOf(now: number): number {
  return now - (now % hourLength)
}
