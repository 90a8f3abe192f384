import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { LatchkeyError } from '../../error.ts'
import type { ReadName } from '../reads.ts'
import { closedError } from '../closing.ts'
import type { ErrorData } from './error-data.ts'
import { errorOf } from './error-data.ts'

/** A question to the thread, and its answer: that of the method with this name. */
export interface Asked {
  readonly id: number
  readonly name: ReadName | 'checkpoint' | 'scrub' | 'close'
  readonly args: readonly unknown[]
}
export type Answered = { readonly id: number } & ({ readonly value: unknown } | { readonly error: ErrorData })

/** The database that the thread opens for itself. */
export interface Read {
  readonly file: string
  /** Whether it is read as it stood when it was opened. */
  readonly still: boolean
}

/** What may take long, in threads with connections of their own. */
export interface Reader {
  /** Answers what the method with this name answers. */
  readonly read: (name: ReadName, args: readonly unknown[]) => Promise<unknown>
  /** Moves what is in the log into the file, as far as nobody reads it from there. */
  readonly checkpoint: () => Promise<unknown>
  /**
   * Writes all pages anew if the file has so many bytes at most, moves all of the log into the file and empties it. Answers
   * `false` if the file has more, or if somebody reads from the log at present.
   */
  readonly scrub: (most: number) => Promise<unknown>
  /** Resolves when the threads, if there are any, have ended. */
  readonly close: () => Promise<void> | undefined
}

const program = programBeside(import.meta.url)

/** Whether there can be a reader: its program is there, and Node.js may start threads (it may not under `--permission`). */
export const hasReader: boolean = program !== undefined && mayStartThreads()

/**
 * The program of the thread lies beside this file, in the sources and in what is published. It does not where a bundler has
 * put everything into one file, which may not even know where it is.
 */
function programBeside(here: string | undefined): URL | undefined {
  if (here?.startsWith('file:') !== true) return undefined
  const beside = new URL(`reader-thread${extname(here)}`, here)
  return existsSync(beside) ? beside : undefined
}

function mayStartThreads(): boolean {
  const { permission }: Partial<NodeJS.Process> = process
  return permission === undefined || permission.has('worker')
}

/**
 * Two threads: what a change waits for, and the moving of the log, do not wait for searches and long sums. Each is started
 * with its first question. If it ends, those who wait are told, and the next question starts another.
 */
export function readerOf(database: Read): Reader {
  const threads = { urgent: threadOf(database), other: threadOf(database) }
  let closed = false

  async function ask(thread: keyof typeof threads, ...question: Parameters<Thread['ask']>): Promise<unknown> {
    if (closed) throw closedError(`the database ${database.file}`)
    return threads[thread].ask(...question)
  }

  return {
    read: async (name, args) => ask(isUrgent(args) ? 'urgent' : 'other', name, args),
    checkpoint: async () => ask('urgent', 'checkpoint', []),
    scrub: async (most) => ask('urgent', 'scrub', [most]),
    close() {
      closed = true
      const ends = [threads.urgent.close(), threads.other.close()].filter((end) => end !== undefined)
      return ends.length === 0 ? undefined : Promise.all(ends).then(() => undefined)
    },
  }
}

function isUrgent([filter]: readonly unknown[]): boolean {
  return typeof filter === 'object' && filter !== null && 'urgent' in filter && filter.urgent === true
}

/** A thread that is started whenever it is needed and does not run. */
function threadOf(database: Read): Pick<Thread, 'ask' | 'close'> {
  let thread: Thread | undefined
  return {
    async ask(name, args) {
      if (thread === undefined || thread.isOver()) thread = startThread(database)
      return thread.ask(name, args)
    },
    close: () => thread?.close(),
  }
}

/** How many questions may wait for one thread: more would not be answered while somebody still waits for them. */
const mostWaiting = 64

interface Thread {
  readonly ask: (name: Asked['name'], args: readonly unknown[]) => Promise<unknown>
  readonly isOver: () => boolean
  readonly close: () => Promise<void> | undefined
}

/** @throws LatchkeyError `store_unusable` where the system starts no thread. */
function startThread(database: Read): Thread {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const ended = Promise.withResolvers<void>()
  const worker = start(database)
  let over = false
  let last = 0
  let failure: unknown

  // It keeps the process running while somebody waits for it, and not otherwise.
  worker.unref()
  worker.on('message', (answer: Answered) => {
    const asked = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (waiting.size === 0) worker.unref()
    if ('error' in answer) asked?.reject(errorOf(answer.error))
    else asked?.resolve(answer.value)
  })
  worker.on('error', (error) => (failure = error))
  worker.on('exit', () => {
    over = true
    for (const { reject } of waiting.values()) reject(unusable(database.file, failure))
    ended.resolve()
  })

  async function ask(name: Asked['name'], args: readonly unknown[]): Promise<unknown> {
    if (waiting.size >= mostWaiting && name !== 'close') {
      const message = `${mostWaiting} reads of the database ${database.file} are waiting already. Try again later.`
      throw new LatchkeyError('unavailable', message)
    }
    const asked = Promise.withResolvers<unknown>()
    const id = ++last
    // First: a question that cannot be copied is waited for by nobody.
    worker.postMessage({ id, name, args } satisfies Asked, [])
    waiting.set(id, asked)
    worker.ref()
    return asked.promise
  }

  return {
    ask,
    isOver: () => over,
    close() {
      if (over) return undefined
      ask('close', []).catch(() => undefined)
      return ended.promise
    },
  }
}

function start(database: Read): Worker {
  try {
    if (program === undefined) throw new Error('its program is not there')
    return new Worker(program, { name: 'latchkey', workerData: database, execArgv: [], env: environment() })
  } catch (error) {
    throw unusable(database.file, error)
  }
}

/**
 * A thread needs neither the flags nor the environment of this process, in which there may be secrets. But without the
 * cache of compiled modules it takes twice as long to start.
 */
function environment(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE } = process.env
  return NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }
}

function unusable(file: string, cause: unknown): LatchkeyError {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return new LatchkeyError('store_unusable', `The thread that reads the database ${file} has ended${why}.`, { cause })
}
