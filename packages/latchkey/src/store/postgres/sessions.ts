import { LatchkeyError } from '../../error.ts'
import { foreignValue } from '../foreign-value.ts'
import type { Statement, Work } from '../work.ts'
import { explained, isConflict, isStatementError } from './errors.ts'
import type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from './pool.ts'

/** A connection that is ours for a while. */
export interface Session {
  /** Does work, statement by statement. */
  readonly perform: <Result>(work: Work<Result>) => Promise<Result>
  /** Sends statements without values in one round trip, and answers the result of the last. */
  readonly send: (text: string) => Promise<PostgresResult>
  /** The notices since the session began. */
  readonly notices: readonly Error[]
}

/** Sessions on the connections of a pool. */
export interface Sessions {
  /**
   * Uses a connection for so many milliseconds at most. Then, and after an error that is not one of a statement, the
   * connection is destroyed: nobody knows what else would come out of it.
   */
  readonly use: <Result>(milliseconds: number, act: (session: Session) => Promise<Result>) => Promise<Result>
  /** Does work, each statement for itself, again where another transaction was in the way. */
  readonly perform: <Result>(milliseconds: number, work: () => Work<Result>) => Promise<Result>
  /** Reads at one point in time. */
  readonly read: <Result>(milliseconds: number, work: () => Work<Result>) => Promise<Result>
  /**
   * Writes all of a work in one transaction, or nothing if it answers `undefined` or throws. Again where another
   * transaction was in the way.
   */
  readonly write: <Result>(milliseconds: number, work: () => Work<Result | undefined>) => Promise<Result | undefined>
}

/** How often something is tried where other transactions are in the way. */
const attempts = 10

/** Milliseconds for which a transaction waits for a lock, and for which it may do nothing: then others go on. */
export const longestWait = 2000

/** Begins a transaction that writes. One that is frozen or cut off half-way ends soon, and so do its locks. */
export const beginToWrite: string = `BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
  SET LOCAL lock_timeout = ${longestWait}; SET LOCAL idle_in_transaction_session_timeout = ${longestWait}`

/** Waits for the disk in this transaction, even if the database says that none is to do so. */
export const durably = `set_config('synchronous_commit',
    CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true)`

const beginToRead = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'

/** Whole numbers arrive as texts. The parsers go with each statement: those of the application stay as they are. */
const integers = new Set([20, 21, 23, 1700])
const boolean = 16

function typesOf(integer: (text: string) => number): NonNullable<PostgresQuery['types']> {
  return {
    getTypeParser(oid) {
      if (integers.has(oid)) return integer
      return oid === boolean ? (text) => text === 't' : (text) => text
    },
  }
}

const types = typesOf((text) => {
  const number = Number(text)
  if (Number.isSafeInteger(number)) return number
  throw foreignValue('a column of whole numbers', `a number that is too large (${text})`)
})

const auditedTypes = typesOf(Number)

function sessionOn(client: PostgresClient, notices: readonly Error[]): Session {
  async function perform<Result>(work: Work<Result>): Promise<Result> {
    let step = work.next()
    while (step.done !== true) {
      const { value: asked } = step
      // Nobody else waits for this process meanwhile.
      step = work.next(asked === undefined ? false : await answer(asked))
    }
    return step.value
  }

  async function answer({ text, values, asks }: Statement): Promise<unknown> {
    const query = { text, values: [...values], types: asks === 'audited' ? auditedTypes : types }
    const { rows, rowCount } = (await client.query(query)) as PostgresResult
    if (asks === 'run') return rowCount ?? 0
    return asks === 'row' ? rows[0] : rows
  }

  return {
    perform,
    notices,
    async send(text) {
      const results = [await client.query({ text, types })].flat() as readonly PostgresResult[]
      const last = results.at(-1)
      if (last === undefined) throw new Error('The database has answered nothing.')
      return last
    },
  }
}

/** Ends a connection at once. `pg` says good-bye first, and would wait for a server that is not there any more. */
function destroy(client: PostgresClient): void {
  const { connection } = client as { readonly connection?: { readonly stream?: { destroy?(): void } } }
  connection?.stream?.destroy?.()
}

export function sessionsOf(pool: PostgresPool): Sessions {
  async function within<Result>(milliseconds: number, act: (session: Session) => Promise<Result>): Promise<Result> {
    const late = Promise.withResolvers<never>()
    late.promise.catch(() => {})
    const timer = setTimeout(() => {
      const message = `The database has not answered for ${milliseconds / 1000} s. Try again.`
      late.reject(new LatchkeyError('unavailable', message))
    }, milliseconds)
    try {
      return await using(await connected(late.promise), late.promise, act)
    } finally {
      clearTimeout(timer)
    }
  }

  async function connected(late: Promise<never>): Promise<PostgresClient> {
    const connecting = pool.connect()
    try {
      return await Promise.race([connecting, late])
    } catch (error) {
      // One that comes later goes back.
      connecting.then((client) => client.release()).catch(() => {})
      throw error
    }
  }

  async function using<Result>(
    client: PostgresClient,
    late: Promise<never>,
    act: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    const notices: Error[] = []
    const noted = (notice: Error): number => notices.push(notice)
    // Without a listener, the end of a connection would end the process.
    const lost = (): void => {}
    client.on('notice', noted)
    client.on('error', lost)
    let isSound = false
    try {
      const result = await Promise.race([act(sessionOn(client, notices)), late])
      isSound = true
      return result
    } catch (error) {
      isSound = isStatementError(error)
      throw error
    } finally {
      client.removeListener('notice', noted)
      if (isSound) client.removeListener('error', lost)
      else destroy(client)
      client.release(!isSound)
    }
  }

  async function again<Result>(act: () => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await act()
      } catch (error) {
        if (attempt >= attempts || !isConflict(error)) throw explained(error)
      }
    }
  }

  async function inTransaction<Result>(
    milliseconds: number,
    begin: string,
    act: (session: Session) => Promise<Result>,
  ): Promise<Result> {
    const transaction = async (session: Session): Promise<Result> => {
      try {
        await session.send(begin)
        return await act(session)
      } catch (error) {
        if (isStatementError(error)) await session.send('ROLLBACK')
        throw error
      }
    }
    return again(async () => within(milliseconds, transaction))
  }

  return {
    use: async (milliseconds, act) => again(async () => within(milliseconds, act)),
    perform: async (milliseconds, work) =>
      again(async () => within(milliseconds, async (session) => session.perform(work()))),
    read: async (milliseconds, work) =>
      inTransaction(milliseconds, beginToRead, async (session) => {
        const result = await session.perform(work())
        await session.send('COMMIT')
        return result
      }),
    write: async (milliseconds, work) =>
      inTransaction(milliseconds, beginToWrite, async (session) => {
        const result = await session.perform(work())
        await end(session, result === undefined ? 'ROLLBACK' : 'COMMIT')
        return result
      }),
  }
}

/** Ends a transaction. A server answers a COMMIT with ROLLBACK, and no error, if a statement has failed before. */
export async function end(session: Pick<Session, 'send'>, how: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const { command } = await session.send(how)
  if (command === how) return
  throw new LatchkeyError('unavailable', `Nothing was changed: the database has answered ${how} with ${command}.`)
}
