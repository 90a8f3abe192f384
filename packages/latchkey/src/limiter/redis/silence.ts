/** Milliseconds between two looks, and the most that one of them counts for. */
const pause = 5
const most = 2 * pause

/** Watches that whoever owes answers does not fall silent. */
export interface SilenceWatch {
  /** Something is owed from now on. */
  readonly owed: () => void
  /** Something has arrived. */
  readonly heard: () => void
  readonly end: () => void
}

/**
 * Tells when nothing has arrived for so many milliseconds although something was owed for as long.
 *
 * A machine that is busy, or a loop that was held, makes every answer look late. So time is counted in looks: one that
 * comes late counts no more than two that come in time, and a process that hardly gets the processor waits longer. Timers
 * come before sockets in a turn of the loop, so what lies in a socket is read before anything is told.
 *
 * @param oldest - since when the oldest answer is owed, by `performance.now()`; `undefined` if none is.
 */
export function watchSilence({
  longest,
  oldest,
  silent,
}: {
  readonly longest: number
  readonly oldest: () => number | undefined
  readonly silent: () => void
}): SilenceWatch {
  let timer: NodeJS.Timeout | undefined
  let before = 0
  let waited = 0

  function end(): void {
    clearInterval(timer)
    timer = undefined
  }

  function isSilent(): boolean {
    const since = oldest()
    return since !== undefined && waited >= longest && performance.now() - since >= longest
  }

  function look(): void {
    if (oldest() === undefined) return end()
    const now = performance.now()
    waited += Math.min(now - before, most)
    before = now
    if (!isSilent()) return
    setImmediate(() => {
      if (timer !== undefined && isSilent()) silent()
    })
  }

  return {
    owed() {
      if (timer !== undefined) return
      before = performance.now()
      waited = 0
      timer = setInterval(look, pause)
    },
    heard() {
      waited = 0
    },
    end,
  }
}
