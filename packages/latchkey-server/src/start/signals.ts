import { constants } from 'node:os'

/** What to do when the process gets a signal to stop. */
export interface Stopping {
  /** Takes no new requests, finishes those in flight, writes and closes everything. It is called once. */
  readonly close: () => Promise<void>
  /** Writes and closes at once all that must not be lost; then the process ends. The second signal calls it. */
  readonly hurry: () => Promise<void>
}

/** A closed terminal sends SIGHUP, a person SIGINT, a supervisor SIGTERM. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Closes in order at the first signal (SIGINT, SIGTERM, SIGHUP), and at the second without waiting for callers. In both
 * cases everything is written that must not be lost.
 *
 * @returns whether a signal has come: a start that fails after it fails only because everything is being closed.
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
