import type { Touched } from '../../ports.ts'
import type { PostgresClient, PostgresPool } from './pool.ts'

/** Milliseconds between two tries to listen, and between two checks that the connection is still there. */
const pause = 1000
const check = 10_000

/** Listens to what other instances say after their commits. */
export interface Listening {
  readonly close: () => void
}

/**
 * Listens on a connection of its own. Messages only make it quicker: whoever misses one finds the entries with the next
 * look.
 *
 * @param heard - called with entries, or without any where there may be some.
 */
export function listeningOf(
  pool: PostgresPool,
  channel: string,
  heard: (entries?: readonly Touched[]) => void,
): Listening {
  let client: PostgresClient | undefined
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  function later(milliseconds: number, act: () => Promise<void>): void {
    if (isClosed) return
    clearTimeout(timer)
    timer = setTimeout(() => void act(), milliseconds)
    timer.unref()
  }

  function drop(lost: PostgresClient): void {
    if (client !== lost) return
    client = undefined
    lost.release(true)
    later(pause, listen)
  }

  async function listen(): Promise<void> {
    let connected: PostgresClient | undefined
    try {
      connected = await pool.connect()
      if (isClosed) {
        connected.release()
        return
      }
      const own = connected
      client = own
      own.on('error', () => drop(own))
      own.on('notification', ({ payload = '' }) => heard(entriesIn(payload)))
      await own.query({ text: `LISTEN "${channel}"` })
      // What was said before is not repeated.
      heard()
      later(check, async () => stillThere(own))
    } catch {
      if (connected === undefined) later(pause, listen)
      else drop(connected)
    }
  }

  /** A connection that was cut off says nothing by itself. */
  async function stillThere(own: PostgresClient): Promise<void> {
    const late = setTimeout(() => drop(own), pause)
    late.unref()
    try {
      await own.query({ text: 'SELECT 1' })
      later(check, async () => stillThere(own))
    } catch {
      drop(own)
    } finally {
      clearTimeout(late)
    }
  }

  void listen()
  return {
    close() {
      isClosed = true
      clearTimeout(timer)
      client?.release(true)
      client = undefined
    },
  }
}

/** The entries of a message; `undefined` where it only says that there are some. */
function entriesIn(payload: string): readonly Touched[] | undefined {
  try {
    const steps = JSON.parse(payload) as readonly [number, Touched['action'], string, string, string][]
    return steps.map(([seq, action, subject, previous, hash]) => ({ seq, action, subject, previous, hash }))
  } catch {
    return undefined
  }
}
