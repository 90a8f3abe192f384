import { join } from 'node:path'
import { startChild } from './child.ts'

/** The example service, running in a process of its own. */
export interface Service {
  readonly port: number
  /** The key that it printed. */
  readonly secret: string
  readonly running: () => boolean
  /**
   * Requests that, by its log, came to the guarded route and were neither refused nor malformed: the requests that were
   * really accepted, whether or not the answer arrived. Complete once it has stopped.
   */
  readonly letThrough: () => number
  /** Lines of its log in which the key appears. */
  readonly leaks: () => number
  /** Stops it, and returns what went wrong, if anything. */
  readonly stop: () => Promise<string | undefined>
  /** Where its keys are. */
  readonly database: string
}

/** The members that are read of a log line: one line when a request comes, one when it has been answered. */
interface LogLine {
  readonly reqId?: string
  readonly req?: { readonly route?: string }
  readonly res?: { readonly statusCode: number }
}

/** Statuses with which the guard, or a step before it, ends a request. */
const refusing = new Set([400, 401, 503])

/** Milliseconds that a start may take. */
const longestStart = 60_000

/**
 * Starts the example service on a free port and a new database in `folder`.
 *
 * @param work - how many seconds its work takes; no time if left out.
 *
 * @throws Error with its error output, if it ends instead.
 */
export async function startService({ folder, work = 0 }: { folder: string; work?: number }): Promise<Service> {
  const database = join(folder, 'keys.db')
  let port: number | undefined
  let secret: string | undefined
  let running = true
  const asked = new Set<string>()
  let letThrough = 0
  let leaks = 0
  const started = Promise.withResolvers<void>()
  const child = startChild({
    file: new URL('../../examples/process-api/src/main.ts', import.meta.url),
    folder,
    env: { PORT: '0', PROCESSING_SECONDS: String(work), LATCHKEY_STORE: `sqlite:${database}`, LOG_LEVEL: 'info' },
    onLine(line) {
      // Its log is JSON; other lines are its start message.
      if (line.startsWith('{')) {
        const { reqId, req, res } = JSON.parse(line) as LogLine
        if (reqId !== undefined && req?.route === '/process') asked.add(reqId)
        if (reqId !== undefined && res !== undefined && asked.delete(reqId) && !refusing.has(res.statusCode))
          letThrough++
        if (secret !== undefined && line.includes(secret)) leaks++
        return
      }
      port ??= numberIn(/^Serving http:\/\/127\.0\.0\.1:(\d+),/, line)
      secret ??= /^ +(lk_live_[0-9A-Za-z]+)$/.exec(line)?.[1]
      if (port !== undefined && secret !== undefined) started.resolve()
    },
  })
  const ended = child.ended.then(({ code, signal }) => {
    running = false
    const failure = `The service ended with ${signal ?? code}. ${child.complaints()}`
    started.reject(new Error(failure))
    return code === 0 ? undefined : failure
  })
  const deadline = setTimeout(() => child.kill('SIGKILL'), longestStart)
  await started.promise
  clearTimeout(deadline)
  if (port === undefined || secret === undefined) throw new Error('The service has not said where it is.')
  return {
    port,
    secret,
    running: () => running,
    letThrough: () => letThrough,
    leaks: () => leaks,
    database,
    stop() {
      child.kill('SIGTERM')
      return ended
    },
  }
}

function numberIn(pattern: RegExp, line: string): number | undefined {
  const found = pattern.exec(line)?.[1]
  return found === undefined ? undefined : Number(found)
}
