import { LatchkeyError } from '../error.ts'
import type { Clock, Propagation, Timer } from '../ports.ts'
import type { AwaitedChange, MembersTable, Progress } from './members.ts'

/** A change whose call waits for its answer. */
interface Waiting extends AwaitedChange {
  /** When it was known to be committed, by the clock of this process. */
  readonly began: number
  readonly resolve: (propagation: Propagation) => void
  readonly reject: (error: unknown) => void
}

/** Milliseconds between two reads: more from one to the next, and after one that failed. */
const pauses = { least: 1, most: 10, failed: 100 }

/** Milliseconds after which a change is given up of which nothing can be read. */
const patience = 20_000

/** Waits until changes are settled. */
export interface Settling {
  readonly settled: (seq: number, hash?: string) => Promise<Propagation>
  /** Gives up what is still waited for. */
  readonly close: () => void
}

/**
 * Waits until every member has confirmed a change, or until no lease can be left that a look before the change has given.
 * One loop reads for all changes that wait. No two clocks are compared: a lease is measured by the clock of the process
 * that has it and this wait by our own, which may differ in speed by 2 %.
 */
export function settlingOf({
  table,
  lease,
  clock,
  after,
}: {
  readonly table: Pick<MembersTable, 'progress' | 'doom' | 'removeDoomed' | 'trust'>
  readonly lease: number
  readonly clock: Pick<Clock, 'monotonic'>
  readonly after: Timer
}): Settling {
  // Timers may fire up to a millisecond early.
  const longest = lease * 1.02 + 1
  const waiting = new Set<Waiting>()
  const dooming = new Set<string>()
  let incarnation: { readonly name: string; readonly since: number } | undefined
  let isRunning = false
  let isClosed = false

  async function sleep(milliseconds: number, kind?: 'background'): Promise<void> {
    return new Promise((resolve) => void after(milliseconds, resolve, kind))
  }

  async function run(): Promise<void> {
    isRunning = true
    let pause = pauses.least
    while (waiting.size > 0) {
      // Members are read after the commit: one that registers later looks later, and sees the change.
      const asked = [...waiting]
      try {
        judge(asked, await table.progress(asked))
        pause = Math.min(pause * 1.5, pauses.most)
      } catch (error) {
        giveUp(asked, error)
        pause = pauses.failed
      }
      if (waiting.size > 0) await sleep(pause)
      if ([...waiting].some((one) => !asked.includes(one))) pause = pauses.least
    }
    isRunning = false
  }

  function judge(asked: readonly Waiting[], progress: Progress): void {
    const now = clock.monotonic()
    const isFenced = progress.isFenced && !trusted(progress, now)
    for (const change of asked) {
      const { seq, began } = change
      if (progress.lost.includes(seq)) {
        settle(change, () => change.reject(lost()))
        continue
      }
      const isOver = now > began + longest
      // Members that only the server before this incarnation knew may still have a lease.
      if (isFenced && !isOver) continue
      const missing = progress.behind.filter(({ seen }) => seen < seq)
      if (missing.length > 0 && !isOver) continue
      settle(change, () =>
        change.resolve({
          instances: progress.members,
          confirmed: progress.members - missing.length,
          lapsed: missing.length,
          lapsedInstances: [...new Set(missing.map(({ instance }) => instance))],
          waitedMs: now - began,
        }),
      )
      const ids = missing.map(({ id }) => id).filter((id) => !dooming.has(id))
      if (ids.length > 0) void doom(ids, seq)
    }
  }

  function settle(change: Waiting, answer: () => void): void {
    waiting.delete(change)
    answer()
  }

  /**
   * Whether we have seen this incarnation for longer than any lease lasts: then none is left from before it, and nobody
   * need wait for that any more.
   */
  function trusted({ incarnation: name }: Progress, now: number): boolean {
    if (incarnation?.name !== name) incarnation = { name, since: now }
    if (now <= incarnation.since + longest) return false
    // If this gets lost, others wait once more than they need to.
    table.trust(name).catch(() => {})
    return true
  }

  /**
   * Members that have been waited for once are removed, so that the next change need not wait for them. They count until a
   * whole lease after they were marked: before that a look may have found the row without its mark.
   */
  async function doom(ids: readonly string[], seq: number): Promise<void> {
    for (const id of ids) dooming.add(id)
    try {
      await table.doom(ids, seq)
      await sleep(longest, 'background')
      await table.removeDoomed(ids)
    } catch {
      // The next change that waits for them tries again.
    } finally {
      for (const id of ids) dooming.delete(id)
    }
  }

  function giveUp(asked: readonly Waiting[], error: unknown): void {
    const now = clock.monotonic()
    for (const change of asked) {
      if (now > change.began + longest + patience) settle(change, () => change.reject(error))
    }
  }

  return {
    async settled(seq, hash) {
      if (isClosed) throw closed()
      return new Promise((resolve, reject) => {
        waiting.add({ seq, hash, began: clock.monotonic(), resolve, reject })
        if (!isRunning) void run()
      })
    },
    close() {
      isClosed = true
      for (const change of waiting) settle(change, () => change.reject(closed()))
    },
  }
}

function lost(): LatchkeyError {
  return new LatchkeyError(
    'unavailable',
    'The change was made and is lost: a database that did not have it yet has taken over. Make it again.',
  )
}

function closed(): LatchkeyError {
  return new LatchkeyError(
    'unavailable',
    'The change is done, but the store was closed before all instances knew of it.',
  )
}
