/** Milliseconds between two looks, and the most that one of them counts for. */
const pause = 5
const most = 2 * pause

/** How many times as long as the longest silence of late a new one must be, and milliseconds after which none is too short. */
const patience = { times: 4, most: 1000 }

/** Milliseconds: what is of late is of the present one of such periods and of the one before. */
const period = 5000

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
 * A machine that is busy, or a loop that was held, makes every answer look late. So time is counted in looks, of which one
 * that comes late counts for no more than two; a process that hardly gets the processor waits longer. Timers come before
 * sockets in a turn of the loop, so what lies in a socket is read before anything is told. And whoever has been slow of
 * late, because it hardly gets the processor itself, is given several times as long.
 *
 * @param least - milliseconds.
 * @param oldest - since when the oldest answer is owed, by `performance.now()`; `undefined` if none is.
 */
export function watchSilence({
  least,
  oldest,
  silent,
}: {
  readonly least: number
  readonly oldest: () => number | undefined
  readonly silent: () => void
}): SilenceWatch {
  let timer: NodeJS.Timeout | undefined
  let before = 0
  let waited = 0
  /** The longest silences in the present period and in the one before. */
  let ofLate = { from: 0, longest: 0, earlier: 0 }

  function end(): void {
    clearInterval(timer)
    timer = undefined
  }

  function isSilent(): boolean {
    const since = oldest()
    const slow = patience.times * Math.max(ofLate.longest, ofLate.earlier)
    const longest = Math.min(Math.max(least, slow), patience.most)
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
      const age = before - ofLate.from
      if (age > period) ofLate = { from: before, longest: 0, earlier: age > 2 * period ? 0 : ofLate.longest }
      if (waited > ofLate.longest) ofLate.longest = waited
      waited = 0
    },
    end,
  }
}
