import { constants } from 'node:os'

/** What is done when the process is told to stop. */
export interface Stopping {
  /** Takes no new requests, finishes those in flight, writes and closes everything. Asked for once. */
  readonly close: () => Promise<void>
  /** Writes and closes what must not be lost, at once; then the process ends. For who will not wait, and says so again. */
  readonly hurry: () => Promise<void>
}

/** A closed terminal says SIGHUP, a person SIGINT, a supervisor SIGTERM. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Stops in order at the first signal, and at the second without waiting for anybody: in either case nothing is lost
 * that was to be written.
 *
 * @example closeOnSignals({ close: () => app.close(), hurry: () => keyring.close() })
 */
export function closeOnSignals({ close, hurry }: Stopping): void {
  let asked = false
  for (const signal of signals) {
    process.on(signal, () => {
      if (!asked) {
        asked = true
        void close()
        return
      }
      const end = (): never => process.exit(128 + constants.signals[signal])
      hurry().then(end, end)
    })
  }
}
