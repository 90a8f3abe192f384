import { setImmediate as nextTurn } from 'node:timers/promises'

/** The longest time, in milliseconds, for which something held the event loop. */
export interface Held {
  /** By the clock: other processes of the machine and the disk are in it. */
  readonly clock: number
  /** By the CPU time of this thread alone. */
  readonly processor: number
}

/**
 * Turns the event loop as fast as it turns while some work goes on, and finds its longest turn.
 *
 * @param eachTurn - what is done in each of them.
 * @example const { clock } = await longestTurn(() => keyring.flushUsage())
 */
export async function longestTurn(work: () => Promise<unknown>, eachTurn?: () => Promise<unknown>): Promise<Held> {
  let [clock, processor] = [0, 0]
  const watch = { over: false }
  const watching = (async () => {
    let [before, spent] = [performance.now(), processorTime()]
    while (!watch.over) {
      await nextTurn()
      await eachTurn?.()
      const [now, spentNow] = [performance.now(), processorTime()]
      clock = Math.max(clock, now - before)
      processor = Math.max(processor, spentNow - spent)
      ;[before, spent] = [performance.now(), spentNow]
    }
  })()
  try {
    await work()
  } finally {
    watch.over = true
    await watching
  }
  return { clock, processor }
}

const nothing = new Int32Array(new SharedArrayBuffer(4))

/**
 * In milliseconds. The system adds up the time of a thread when it stops running or at a tick, every 4 ms on many machines:
 * without the shortest of waits, a turn of 1 ms would be one of 0 or of 4.
 */
function processorTime(): number {
  Atomics.wait(nothing, 0, 0, 0.001)
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
