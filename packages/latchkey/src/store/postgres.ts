/**
 * @module A store on PostgreSQL, through a pool of `pg` that the application brings. Any number of instances on any number
 * of machines may share a database.
 */

import { hostname } from 'node:os'
import { LatchkeyError } from '../error.ts'
import { invalid, membersOf, objectOf } from '../options.ts'
import type { Clock, Store } from '../ports.ts'
import { propagationOf } from '../propagation/propagation.ts'
import { systemTimer } from '../within.ts'
import type { WriteName } from './closing.ts'
import { closingOf } from './closing.ts'
import type { LookupName } from './lookups.ts'
import { lookups } from './lookups.ts'
import { committingOf } from './postgres/commit.ts'
import { engineOf, hasTextIndex } from './postgres/engine.ts'
import { listeningOf } from './postgres/listening.ts'
import { membersTable } from './postgres/members.ts'
import type { PostgresPool } from './postgres/pool.ts'
import type { MigrationStep, OpenMode } from './postgres/schema.ts'
import { migrate } from './postgres/schema.ts'
import { sessionsOf } from './postgres/sessions.ts'
import { spendingOf } from './postgres/spending.ts'
import { mustWrite, usingOf } from './postgres/using.ts'
import type { ReadName } from './reads.ts'
import { atOneMoment, readsOf } from './reads.ts'
import type { Work, Working } from './work.ts'
import { row } from './work.ts'

export type { PostgresClient, PostgresPool, PostgresQuery, PostgresResult } from './postgres/pool.ts'

/** Milliseconds for which a cached key may be accepted after a look at the journal. */
const lease = 1000

/** Milliseconds for a look-up, and for a read of many rows. */
const longestLookup = 2000
const longestRead = 20_000

/** A store on PostgreSQL, and how it is used. */
export interface PostgresStoreOptions {
  /** A pool of `pg` 8. It stays the application's: closing the store does not end it. */
  readonly pool: PostgresPool
  /**
   * The mode in which it is opened; `migrate` if left out.
   *
   * - `migrate`: the tables are made, or brought up to date. One instance does so, and the others wait.
   * - `create`: tables are made if there are none; older ones are `store_unusable`. The declarations stay.
   * - `write`: there must be tables of this version. The declarations stay.
   * - `read`: the same, and nothing is changed: every change fails, and usage is not written.
   */
  readonly mode?: 'migrate' | 'create' | 'write' | 'read'
  /** The name of this instance, for people; the host and the process if left out. */
  readonly instance?: string
  /**
   * Whether to listen to other instances on a connection of its own; `true` if left out. Not possible behind PgBouncer in
   * transaction mode: then a change takes up to a third of a second until all instances have applied it.
   */
  readonly listen?: boolean
  /** Called before each step that brings older tables up to date. */
  readonly onMigration?: (step: MigrationStep) => void
}

const modes: readonly string[] = ['migrate', 'create', 'write', 'read']

const members = membersOf<PostgresStoreOptions>({
  pool: true,
  mode: true,
  instance: true,
  listen: true,
  onMigration: true,
})

/** A store on PostgreSQL. */
export interface PostgresStore extends Store {
  /** How many steps brought the tables up to date when it was opened. */
  readonly migrated: number
}

const clock: Pick<Clock, 'monotonic'> = { monotonic: () => performance.now() }

/**
 * Opens a store on PostgreSQL 13 or newer, in the first schema of the connections' `search_path`. A change is answered when
 * all instances have applied it, or when no lease can be left of those that have not.
 *
 * @throws LatchkeyError `store_unusable` when the tables are of another version than the mode allows; its `cause` is
 *   `newer schema` or `older schema`. `unavailable` when the database does not answer.
 *
 * @example
 * const connectionString = process.env['DATABASE_URL']
 * const pool = new pg.Pool({ connectionString, connectionTimeoutMillis: 2000, keepAlive: true })
 * pool.on('error', (error) => console.warn(error.message))
 * const keyring = await openKeyring({ store: await postgresStore({ pool }), scopes })
 */
export async function postgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  objectOf('The options of postgresStore', options, members)
  const { pool, mode = 'migrate', instance = `${hostname()} ${process.pid}`, listen = true, onMigration } = options
  if (typeof pool?.connect !== 'function') throw invalid('pool', 'a pool of pg')
  if (!modes.includes(mode)) throw invalid('mode', `one of ${modes.join(', ')}`)
  if (typeof instance !== 'string' || instance === '') throw invalid('instance', 'a text that is not empty')
  if (typeof listen !== 'boolean') throw invalid('listen', 'true or false')
  if (onMigration !== undefined && typeof onMigration !== 'function') throw invalid('onMigration', 'a function')
  return opened({ pool, mode, instance, listen }, onMigration)
}

async function opened(
  {
    pool,
    mode,
    instance,
    listen,
  }: { readonly pool: PostgresPool; readonly mode: OpenMode; readonly instance: string; readonly listen: boolean },
  onMigration: ((step: MigrationStep) => void) | undefined,
): Promise<PostgresStore> {
  const sessions = sessionsOf(pool)
  const migrated = await migrate(sessions, mode, onMigration)
  const engine = engineOf((await sessions.perform(longestLookup, () => row(hasTextIndex))) !== undefined)
  const found = await sessions.perform(longestLookup, () => row<{ channel: string }>(channelOf))
  const { channel = 'latchkey' } = found ?? {}
  const reads = readsOf(engine)
  const commit = committingOf(sessions, channel)
  const spend = spendingOf(sessions)
  const table = membersTable(sessions)
  const propagating = propagationOf({ table, lease, instance, clock, after: systemTimer })
  const listening = listen ? listeningOf(pool, channel, propagating.notified) : undefined
  const writes: Pick<Store, WriteName> = {
    ...usingOf(sessions, mode),
    async commit(...args) {
      mustWrite(mode)
      return commit(...args)
    },
    async spend(...args) {
      mustWrite(mode)
      return spend(...args)
    },
  }
  const closing = closingOf(writes, 'PostgreSQL')
  const { mustBeOpen } = closing

  /** Methods of a store that do some work each, and read at one point in time if that takes more than a statement. */
  function answered<Name extends LookupName | ReadName>(works: Working<Name>, milliseconds: number): Pick<Store, Name> {
    const methods = Object.entries<(...args: readonly unknown[]) => Work<unknown>>(works).map(([name, work]) => {
      const answer = name === 'byId' || atOneMoment.has(name) ? sessions.read : sessions.perform
      const method = async (...args: readonly unknown[]): Promise<unknown> => {
        mustBeOpen()
        return answer(milliseconds, () => work(...args))
      }
      return [name, method] as const
    })
    return Object.fromEntries(methods) as unknown as Pick<Store, Name>
  }

  return {
    lease,
    migrated,
    ...closing.writes,
    ...answered(lookups, longestLookup),
    ...answered(reads, longestRead),
    ...(mode === 'read' ? { withoutSnapshot: async () => [] } : {}),

    follow(wake) {
      const follower = propagating.follow(wake)
      return {
        ...follower,
        async changesSince(seen) {
          mustBeOpen()
          return follower.changesSince(seen)
        },
      }
    },

    settled: propagating.settled,

    // What was deleted is overwritten when the server sees fit, and stays in its log: nobody here can say that it is gone.
    scrub: () => false,

    async ready() {
      mustBeOpen()
      const state = await sessions.perform(longestLookup, () => row<{ replica: boolean }>(isReplica))
      if (state?.replica !== false) {
        throw new LatchkeyError('unavailable', 'The database only repeats another one, and takes no changes.')
      }
    },

    async close() {
      listening?.close()
      propagating.close()
      await closing.close()
    },
  }
}

/** Names of channels hold for a whole database, and tables for a schema of it. */
const channelOf = `SELECT 'latchkey_' || md5(current_schema()) AS channel`

const isReplica = 'SELECT pg_is_in_recovery() AS replica'
