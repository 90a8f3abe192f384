import type { UsageBatch, UsageCount } from '../ports.ts'

/** Counts and last uses that wait to be written. */
export interface WaitingUsage {
  /** How many counts wait, or how many last uses, whichever are more. */
  readonly size: () => number
  /** Adds a count, and its cost, to the one of the same place. */
  readonly count: (added: UsageCount) => void
  /** Moves the last use of a secret, known by its hash, forward. */
  readonly use: (hash: string, at: number) => void
  /** Takes out those that have waited longest: so many counts and so many last uses at most. */
  readonly take: (most: number) => UsageBatch
  /** Puts back what could not be written, beside what has come since. */
  readonly putBack: (batch: UsageBatch) => void
}

/** @param most - how many counts, and how many last uses, wait at most; further ones are lost. */
export function waitingUsage(most: number): WaitingUsage {
  const counts = new Map<string, UsageCount>()
  const lastUsed = new Map<string, number>()

  function count(added: UsageCount): void {
    const place = placeOf(added)
    const before = counts.get(place)
    if (before === undefined && counts.size >= most) return
    counts.set(place, before === undefined ? added : sumOf(before, added))
  }

  function use(hash: string, at: number): void {
    const before = lastUsed.get(hash)
    if (before === undefined ? lastUsed.size < most : before < at) lastUsed.set(hash, at)
  }

  return {
    size: () => Math.max(counts.size, lastUsed.size),
    count,
    use,
    take(some) {
      return { counts: takeFrom(counts, some).map(([, one]) => one), lastUsed: new Map(takeFrom(lastUsed, some)) }
    },
    putBack(batch) {
      for (const unwritten of batch.counts) count(unwritten)
      for (const [hash, at] of batch.lastUsed) use(hash, at)
    },
  }
}

/** Only the entries that are taken are touched: a copy of all for each batch would make the whole quadratic. */
function takeFrom<Value>(map: Map<string, Value>, most: number): readonly (readonly [string, Value])[] {
  const taken: (readonly [string, Value])[] = []
  for (const entry of map) {
    if (taken.length === most) break
    taken.push(entry)
    map.delete(entry[0])
  }
  return taken
}

function sumOf(before: UsageCount, added: UsageCount): UsageCount {
  return { ...before, count: before.count + added.count, cost: before.cost + added.cost }
}

/** The name of a place: what is counted there is added up. */
function placeOf({ hour, key, owner, environment, outcome, limitName }: UsageCount): string {
  return JSON.stringify([hour, key, owner, environment, outcome, limitName])
}
