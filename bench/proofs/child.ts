import type { ChildProcessByStdio } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** Another Node process on our own sources. */
export interface Child {
  /** Writes a line to its stdin. */
  readonly tell: (line: string) => void
  /** Ends its stdin. */
  readonly close: () => void
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves when it has ended and all its output has been read. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** The end of what it wrote to stderr. */
  readonly complaints: () => string
}

/** How a child is started. */
export interface ChildOptions {
  /** The file to run. */
  readonly file: URL
  readonly args?: readonly string[]
  /** Its working directory. */
  readonly folder: string
  /** Its whole environment, except the folder for compiled sources, which does not change its behaviour. */
  readonly env?: Readonly<Record<string, string>>
  /** Called with every line of its stdout. A line that breaks off where the child was killed is not one. */
  readonly onLine: (line: string) => void
  /** The same for its stderr. */
  readonly onComplaint?: (line: string) => void
}

/** Characters of stderr that are kept. */
const kept = 2000

/**
 * Starts a Node process and reads its lines. It never outlives this one.
 *
 * @example
 * const child = startChild({ file: new URL('crash-writer.ts', import.meta.url), folder, onLine: console.log })
 * child.kill('SIGKILL')
 * await child.ended
 */
export function startChild({ file, args = [], folder, env = {}, onLine, onComplaint }: ChildOptions): Child {
  const { NODE_COMPILE_CACHE } = process.env
  const child: ChildProcessByStdio<Writable, Readable, Readable> = spawn(
    process.execPath,
    [...process.execArgv, fileURLToPath(file), ...args],
    {
      cwd: folder,
      env: { ...(NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  const killWithUs = (): void => void child.kill('SIGKILL')
  process.once('exit', killWithUs)

  // A child that has ended reads nothing; `ended` reports that.
  child.stdin.on('error', () => {})
  child.stdout.setEncoding('utf8').on('data', lines(onLine))
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-kept)
  })
  if (onComplaint !== undefined) child.stderr.on('data', lines(onComplaint))
  // Not `exit`: earlier output may still be in the pipe.
  const ended = once(child, 'close').then(([code, signal]) => {
    process.off('exit', killWithUs)
    return { code: code as number | null, signal: signal as NodeJS.Signals | null }
  })
  return {
    tell: (line) => void child.stdin.write(`${line}\n`),
    close: () => void child.stdin.end(),
    kill: (signal) => void child.kill(signal),
    ended,
    complaints: () => complaints.trim(),
  }
}

/** Takes text in chunks, and passes on whole lines. */
function lines(onLine: (line: string) => void): (text: string) => void {
  let partial = ''
  return (text) => {
    const whole = (partial + text).split('\n')
    partial = whole.pop() ?? ''
    for (const line of whole) onLine(line)
  }
}
