import { LatchkeyError } from '../../error.ts'
import type { JournalEntry, JournalHead, Store } from '../../ports.ts'
import { commitWork } from '../commit.ts'
import type { Work } from '../work.ts'
import { row } from '../work.ts'
import { isStatementError } from './errors.ts'
import { mustBeCurrent } from './schema.ts'
import type { Session, Sessions } from './sessions.ts'
import { beginToWrite, durably, end, longestWait } from './sessions.ts'
import { erasing } from './using.ts'

/** Milliseconds for the writing of one commit, however many changes it has. */
const longestCommit = 30_000

/** Milliseconds for finding out how a commit has ended whose answer was lost, and between two questions. */
const longestQuestion = 5000
const pause = 20

/** The longest text that a message may have, in bytes. */
const longestMessage = 7900

/** Begins a transaction that holds the end of the journal, in one round trip. */
const begin = `${beginToWrite};
  SELECT seq, hash, CAST(pg_current_xact_id() AS TEXT) AS transaction, ${durably},
    (SELECT MAX(version) FROM latchkey_migrations) AS version FROM latchkey_head WHERE place = 1 FOR UPDATE`

interface Held {
  readonly seq: number
  readonly hash: string
  readonly transaction: string
  readonly version: number
}

/** $3 is the channel of this database, $4 what is said there. */
const moveHead = `WITH told AS (SELECT pg_notify($3, $4))
    UPDATE latchkey_head SET seq = $1, hash = $2 FROM told WHERE place = 1`

/** The end of a transaction: `in progress`, `committed` or `aborted`; `null` for one that this server does not know. */
const statusOf = `SELECT pg_xact_status(CAST($1 AS xid8)) AS status`

/** Only while it is at work on this transaction: behind a pool, its connection may serve another one by now. */
const terminate = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE CAST(CAST(backend_xid AS TEXT) AS BIGINT) = CAST($1 AS NUMERIC) % 4294967296`

const entryAt = `SELECT 1 FROM latchkey_journal WHERE seq = $1 AND hash = $2`

/** Writes changes and their entries in one transaction, which holds the end of the journal. */
export function committingOf(sessions: Pick<Sessions, 'use' | 'perform'>, channel: string): Store['commit'] {
  async function write(session: Session, commit: Parameters<Store['commit']>): Promise<Written> {
    const [held] = (await session.send(begin)).rows as readonly [Held?]
    if (held === undefined) throw new LatchkeyError('store_unusable', 'The database has lost the end of its journal.')
    mustBeCurrent(held.version)
    const { seq, hash, transaction } = held
    if (commit[0].some(({ kind }) => kind === 'erase')) await session.perform(erasing())
    const entries = await session.perform(commitWork(commit, seq === 0 ? undefined : { seq, hash }))
    const last = entries?.at(-1)
    if (last !== undefined) await session.perform(moved(last, messageOf(entries ?? []), channel))
    return { entries, transaction }
  }

  async function once(commit: Parameters<Store['commit']>): Promise<readonly JournalEntry[] | undefined> {
    let sent: Written | undefined
    try {
      return await sessions.use(longestCommit, async (session) => {
        try {
          const written = await write(session, commit)
          if (written.entries === undefined) {
            await end(session, 'ROLLBACK')
            return undefined
          }
          const notices = session.notices.length
          sent = written
          await end(session, 'COMMIT')
          // It was committed here, and whether on the servers that repeat this one is not known.
          if (session.notices.length > notices) throw unknown()
          return written.entries
        } catch (error) {
          if (!isStatementError(error)) throw error
          // The server has answered that it has not committed.
          sent = undefined
          await session.send('ROLLBACK')
          throw error
        }
      })
    } catch (error) {
      if (sent === undefined || (error as Partial<LatchkeyError>).code === 'outcome_unknown') throw error
      return resolved(sent, error)
    }
  }

  /** Finds out how a transaction has ended whose COMMIT was sent, and not answered. */
  async function resolved({ entries, transaction }: Written, lost: unknown): Promise<readonly JournalEntry[]> {
    const [last] = entries?.slice(-1) ?? []
    const began = performance.now()
    while (performance.now() - began < longestQuestion) {
      try {
        const found = await sessions.perform(longestWait, () => outcome(transaction, last))
        if (found === 'committed') return entries ?? []
        if (found === 'aborted') throw lost
      } catch (error) {
        if (error === lost) throw error
      }
      await new Promise((resolve) => void setTimeout(resolve, pause))
    }
    throw unknown(lost)
  }

  return async (...commit) => once(commit)
}

interface Written {
  readonly entries: readonly JournalEntry[] | undefined
  readonly transaction: string
}

function* moved({ seq, hash }: JournalHead, message: string, channel: string): Work<void> {
  yield* row(moveHead, [seq, hash, channel, message])
}

/** A transaction that is over stays so, and then the journal tells how it ended: even that of a server that took over. */
function* outcome(transaction: string, last: JournalHead | undefined): Work<'committed' | 'aborted' | 'open'> {
  const found = yield* row<{ status: string | null }>(statusOf, [transaction])
  if (found?.status === 'in progress') {
    yield* row(terminate, [transaction])
    return 'open'
  }
  if (last === undefined) return found?.status === 'committed' ? 'committed' : 'aborted'
  return (yield* row(entryAt, [last.seq, last.hash])) === undefined ? 'aborted' : 'committed'
}

/** What caches need of the entries, if it is not too long. */
function messageOf(entries: readonly JournalEntry[]): string {
  const steps = entries.map(({ seq, action, subject, previous, hash }) => [seq, action, subject, previous, hash])
  const message = JSON.stringify(steps)
  return Buffer.byteLength(message) > longestMessage ? '' : message
}

function unknown(cause?: unknown): LatchkeyError {
  const message =
    'The database has not said whether the change was made. Read it, or send it again with its idempotency key.'
  return new LatchkeyError('outcome_unknown', message, { cause })
}
