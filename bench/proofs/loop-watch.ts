import { openSync, readSync } from 'node:fs'
import { PerformanceObserver } from 'node:perf_hooks'

/** Milliseconds between two looks. */
const interval = 2

/** The longest gaps of an event loop since the last time that they were taken, in milliseconds. */
export interface Gaps {
  /** Without the time in which the thread was ready and other programs had the processor. */
  readonly gap: number
  readonly gapByClock: number
  /** The most processor time that this thread has taken between two looks. */
  readonly gapByProcessor: number
  /** The longest pause to collect garbage. It is in the gaps as well. */
  readonly collection: number
}

/**
 * Watches the event loop of this thread with a timer: a gap is the time from one look to the next, so it is never less
 * than the 2 ms between them.
 *
 * @example
 * const watch = watchLoop()
 * setInterval(() => console.log(watch.take().gap), 1000)
 */
export function watchLoop(): { readonly take: () => Gaps; readonly end: () => void } {
  const times = threadTimes()
  const none: Gaps = { gap: 0, gapByClock: 0, gapByProcessor: 0, collection: 0 }
  let longest = none
  let [before, ranBefore, waitedBefore] = [performance.now(), ...times()]
  const timer = setInterval(() => {
    const [now, ran, waited] = [performance.now(), ...times()]
    longest = {
      ...longest,
      gap: Math.max(longest.gap, now - before - (waited - waitedBefore)),
      gapByClock: Math.max(longest.gapByClock, now - before),
      gapByProcessor: Math.max(longest.gapByProcessor, ran - ranBefore),
    }
    ;[before, ranBefore, waitedBefore] = [now, ran, waited]
  }, interval)
  const collections = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries())
      longest = { ...longest, collection: Math.max(longest.collection, duration) }
  })
  collections.observe({ entryTypes: ['gc'] })
  return {
    take() {
      const taken = longest
      longest = none
      return taken
    },
    end() {
      clearInterval(timer)
      collections.disconnect()
    },
  }
}

/** How long this thread has run, and has waited for a processor, in milliseconds. Always 0 where the system does not tell. */
function threadTimes(): () => readonly [ran: number, waited: number] {
  const content = Buffer.alloc(100)
  try {
    const file = openSync('/proc/thread-self/schedstat', 'r')
    return () => {
      // Nanoseconds that it ran, nanoseconds that it waited, and how often.
      const [ran, waited] = content.toString('latin1', 0, readSync(file, content, 0, 100, 0)).split(' ')
      return [Number(ran) / 1e6, Number(waited) / 1e6]
    }
  } catch {
    return () => [0, 0]
  }
}
