/** Shows the progress of long work, on stderr. */
export interface Progress {
  /** In a terminal the line is overwritten; elsewhere a new line comes every few seconds. */
  readonly at: (line: string) => void
  /** Removes the line, so that the next one stands alone. */
  readonly end: () => void
}

/** Milliseconds between two lines, in a terminal and elsewhere. */
const pause = { terminal: 100, elsewhere: 5000 }

export function startProgress(stream: NodeJS.WriteStream = process.stderr): Progress {
  const live = stream.isTTY
  let next = live ? 0 : performance.now() + pause.elsewhere
  let shown = false
  return {
    at(line) {
      if (performance.now() < next) return
      next = performance.now() + (live ? pause.terminal : pause.elsewhere)
      stream.write(live ? `\r\u001b[2K${line.slice(0, stream.columns - 1)}` : `${line}\n`)
      shown = true
    },
    end() {
      if (live && shown) stream.write('\r\u001b[2K')
    },
  }
}

/** Awaits some work, and shows that it is still running if it takes long. */
export async function patiently<Value>(what: string, work: Promise<Value>): Promise<Value> {
  const progress = startProgress()
  const began = performance.now()
  const ticks = setInterval(() => progress.at(`${what} … ${Math.round((performance.now() - began) / 1000)} s`), 500)
  try {
    return await work
  } finally {
    clearInterval(ticks)
    progress.end()
  }
}

/** A number with commas between thousands. */
export function grouped(number: number): string {
  return number.toLocaleString('en-US')
}

/** A number with its noun, in singular or plural. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${grouped(number)} ${number === 1 ? one : many}`
}
