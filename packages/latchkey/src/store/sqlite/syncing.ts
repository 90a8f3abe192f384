import { closeSync, fdatasync, openSync } from 'node:fs'
import { LatchkeyError } from '../../error.ts'
import type { Awaitable } from '../../ports.ts'

/** Makes durable what was committed to a database whose commits do not wait for the disk. */
export interface Syncing {
  /** Resolves when everything that is committed now would survive a loss of power. */
  readonly synced: () => Promise<void>
  /**
   * The same within a second, and nobody waits for it.
   *
   * @throws LatchkeyError `store_unusable` once, if the last time it failed.
   */
  readonly syncSoon: () => void
  readonly close: () => Awaitable<void>
}

/** Milliseconds between two syncs that nobody waits for. */
const interval = 1000

/**
 * Syncs the log of a database in a thread of the system's pool, so that the event loop goes on meanwhile. What has left
 * the log was synced by the checkpoint that took it into the database file.
 *
 * @param log - the path of the log, which must not be removed before `close`.
 */
export function syncingOf(log: string): Syncing {
  let descriptor: number | undefined
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failure: unknown

  async function sync(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    try {
      // A descriptor of its own: SQLite does not show its own one.
      descriptor ??= openSync(log, 'r+')
      fdatasync(descriptor, (error) => (error === null ? resolve() : reject(error)))
      await promise
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      const message = `The change may be done all the same: ${log} could not be synced to the disk (${code}).`
      throw new LatchkeyError('store_unusable', message, { cause })
    }
  }

  async function start(): Promise<void> {
    running = sync().finally(() => (running = undefined))
    return running
  }

  async function synced(): Promise<void> {
    if (running === undefined) return start()
    const begin = async (): Promise<void> => {
      next = undefined
      return start()
    }
    // The one that runs may have begun before the commit. All who wait meanwhile share the one after it.
    next ??= running.then(begin, begin)
    return next
  }

  return {
    synced,
    syncSoon() {
      timer ??= setTimeout(() => {
        timer = undefined
        synced().catch((error: unknown) => (failure = error))
      }, interval).unref()
      if (failure === undefined) return
      const failed = failure
      failure = undefined
      throw failed
    },
    close() {
      // Other processes may keep the database open: then closing it syncs nothing.
      const last = timer === undefined ? (next ?? running) : synced()
      clearTimeout(timer)
      const closeLog = (): void => {
        if (descriptor !== undefined) closeSync(descriptor)
        descriptor = undefined
      }
      return last?.then(closeLog, closeLog) ?? closeLog()
    },
  }
}
