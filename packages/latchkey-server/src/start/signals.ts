import { constants } from 'node:os'

/** What to do when the process is told to stop. */
export interface Stopping {
  /** Takes no new requests, finishes those in flight, writes and closes everything. Asked for once. */
  readonly close: () => Promise<void>
  /** Writes and closes at once what must not be lost; then the process ends. It is called at the second signal. */
  readonly hurry: () => Promise<void>
}

/** A closed terminal says SIGHUP, a person SIGINT, a supervisor SIGTERM. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Closes in order at the first signal (SIGINT, SIGTERM, SIGHUP), and at the second without waiting for callers. In both
 * cases what must be written is written.
 *
 * @returns whether it has been told to stop: what fails in a start after that fails because everything is being closed.
 *
 * @example const isStopping = closeOnSignals({ close: () => app.close(), hurry: () => keyring.close() })
 */
export function closeOnSignals({ close, hurry }: Stopping): () => boolean {
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
  return () => asked
}
