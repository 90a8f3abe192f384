import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Awaitable } from '../ports.ts'

/**
 * Does a piece of writing: now, or when all earlier writings are done and no other process is writing. If that takes
 * longer than its patience, in milliseconds, it fails with the error that says so, and is never done.
 */
export type Writers = <Result>(work: () => Result, patience?: number) => Awaitable<Result>

interface Waiting {
  /** Throws an error that `isBusy` recognises while another process is writing. */
  readonly attempt: () => void
  readonly fail: (error: unknown) => void
  /** In the time of `performance.now`. */
  readonly deadline: number
}

/**
 * One queue for all that is written to a store. Another process's lock is tried for by the first in it alone, without
 * waiting in SQLite: however many wait, this process does everything else meanwhile.
 *
 * @param isBusy - whether an error says that another process is writing.
 * @param patience - for how many milliseconds a piece of writing is tried unless it says so itself.
 * @param pause - milliseconds between two tries.
 */
export function writersOf({
  isBusy,
  patience: usual,
  pause,
}: {
  readonly isBusy: (error: unknown) => boolean
  readonly patience: number
  readonly pause: number
}): Writers {
  let queue: Waiting[] = []
  let serving = false

  async function serve(): Promise<void> {
    serving = true
    await sleep(pause)
    for (let [first] = queue; first !== undefined; [first] = queue) {
      try {
        first.attempt()
        queue.shift()
        // One at a time: each waits for the disk.
        await nextTurn()
      } catch (error) {
        const now = performance.now()
        const late = queue.filter(({ deadline }) => now > deadline)
        queue = queue.filter(({ deadline }) => now <= deadline)
        for (const { fail } of late) fail(error)
        if (queue.length > 0) await sleep(pause)
      }
    }
    serving = false
  }

  return (work, patience = usual) => {
    if (queue.length === 0) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error)) throw error
      }
    }
    return new Promise((resolve, reject) => {
      const attempt = (): void => {
        try {
          resolve(work())
        } catch (error) {
          if (isBusy(error)) throw error
          reject(error)
        }
      }
      queue.push({ attempt, fail: reject, deadline: performance.now() + patience })
      if (!serving) void serve()
    })
  }
}
