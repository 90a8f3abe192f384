import { LatchkeyError } from '../../error.ts'

/** Milliseconds after the start of a process in which its first purge begins. */
const first = { least: 60_000, most: 600_000 }

/** Milliseconds from the end of a purge to the next one of the same process. */
const next = { least: 3_000_000, most: 4_200_000 }

/** A work that is done from time to time, until it is closed. */
export interface Repeated {
  /** Whether it was closed: the work at hand comes to its end. */
  readonly closed: () => boolean
  /** Does it no more; resolves when the work at hand is over. */
  readonly close: () => Promise<void>
}

/**
 * Purges some minutes after the start, and every hour from then on. The times are random, so that processes that start
 * together do not all purge at once. The process is not kept running for it.
 *
 * @param onError - gets the error of a purge. That somebody else purges at present is none.
 */
export function purgeAtTimes(purge: () => Promise<unknown>, onError: (error: unknown) => void): Repeated {
  let closed = false
  let running: Promise<void> = Promise.resolve()
  let timer = later(first)

  function later({ least, most }: typeof first): NodeJS.Timeout {
    return setTimeout(begin, least + Math.random() * (most - least)).unref()
  }

  function begin(): void {
    running = run()
  }

  async function run(): Promise<void> {
    try {
      await purge()
    } catch (error) {
      if (!(error instanceof LatchkeyError && error.code === 'conflict')) onError(error)
    }
    if (!closed) timer = later(next)
  }

  return {
    closed: () => closed,
    async close() {
      closed = true
      clearTimeout(timer)
      await running
    },
  }
}
