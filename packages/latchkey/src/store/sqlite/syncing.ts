import { closeSync, fdatasync, openSync } from 'node:fs'
import { LatchkeyError } from '../../error.ts'
import type { Awaitable } from '../../ports.ts'

/** Makes durable what was committed to a database whose commits do not wait for the disk. */
export interface Syncing {
  /**
   * Resolves when everything that is committed now would survive a loss of power.
   *
   * @throws LatchkeyError `store_unusable`.
   */
  readonly synced: () => Promise<void>
  /**
   * The same within a second, and nobody waits for it.
   *
   * @throws LatchkeyError `store_unusable`.
   */
  readonly syncSoon: () => void
  /** @throws LatchkeyError `store_unusable` from the first sync that failed on, for good. */
  readonly mustSync: () => void
  readonly close: () => Awaitable<void>
}

/** Milliseconds between two syncs that nobody waits for. */
const interval = 1000

/**
 * Syncs the log of a database in a thread of the system's pool, so that the event loop goes on meanwhile. What has left
 * the log was synced by the checkpoint that took it into the database file.
 *
 * A sync that failed is not tried again: the system may have dropped what it could not write, and then say that the next
 * sync succeeded. Whatever is appended to such a log is lost with it.
 *
 * @param log - the path of the log, which must not be removed before `close`.
 */
export function syncingOf(log: string): Syncing {
  let descriptor: number | undefined
  let running: Promise<void> | undefined
  let next: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failure: NodeJS.ErrnoException | undefined
  let closed = false

  function mustSync(): void {
    if (failure === undefined) return
    const message = `${log} could not be synced to the disk (${failure.code}): the last changes may be lost.`
    const advice = 'Nothing more is changed. Check the disk, then restart every process that has the database open.'
    throw new LatchkeyError('store_unusable', `${message} ${advice}`, { cause: failure })
  }

  /** The log, on a descriptor of its own: SQLite does not show its own one. */
  function opened(): number {
    try {
      return (descriptor ??= openSync(log, 'r+'))
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      const message = `The change may be done all the same: ${log} could not be opened to sync it (${code}).`
      throw new LatchkeyError('store_unusable', message, { cause })
    }
  }

  async function sync(): Promise<void> {
    mustSync()
    const { promise, resolve } = Promise.withResolvers<NodeJS.ErrnoException | null>()
    fdatasync(opened(), resolve)
    failure = (await promise) ?? undefined
    mustSync()
  }

  async function start(): Promise<void> {
    running = sync().finally(() => (running = undefined))
    return running
  }

  async function synced(): Promise<void> {
    // Nothing was committed since it was closed, and the log may be gone.
    if (closed) return mustSync()
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
    mustSync,
    syncSoon() {
      mustSync()
      opened()
      timer ??= setTimeout(() => {
        timer = undefined
        // Whoever writes next is told.
        synced().catch(() => {})
      }, interval).unref()
    },
    close() {
      // Other processes may keep the database open: then closing it syncs nothing.
      const last = timer === undefined ? (next ?? running) : synced()
      clearTimeout(timer)
      closed = true
      const closeLog = (): void => {
        if (descriptor !== undefined) closeSync(descriptor)
        descriptor = undefined
      }
      return last?.then(closeLog, closeLog) ?? closeLog()
    },
  }
}
