import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { skipUnless } from './machine.ts'

/** The PostgreSQL that tests work on, each in a schema of its own. */
const server = process.env['LATCHKEY_TEST_POSTGRES'] ?? 'postgres://postgres@127.0.0.1:5432/test'

/** A new schema, and a pool whose connections work in it. */
export interface TestSchema {
  readonly name: string
  /** The address of the database, for which this is the first schema. */
  readonly address: string
  readonly pool: pg.Pool
  /** Another pool, with these options. */
  readonly another: (options: pg.PoolConfig) => pg.Pool
  /** Ends the pools, and removes the schema with all that is in it. */
  readonly remove: () => Promise<void>
}

/** For the option `skip` of a test: why there is no PostgreSQL, or `false`. */
export const noPostgres: string | false = await found()

async function found(): Promise<string | false> {
  const client = new pg.Client({ connectionString: server, connectionTimeoutMillis: 3000 })
  try {
    await client.connect()
    // Its first user would otherwise own it, and take it along.
    await client.query('CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public').catch(() => undefined)
    return false
  } catch (error) {
    return skipUnless(false, `no PostgreSQL on this machine (LATCHKEY_TEST_POSTGRES): ${(error as Error).message}`)
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Makes an empty schema. Idle connections end soon: the server has a hundred for all tests. */
export async function testSchema(): Promise<TestSchema> {
  const name = `latchkey_test_${randomBytes(6).toString('hex')}`
  const url = new URL(server)
  url.searchParams.set('options', `-c search_path=${name}`)
  const address = url.href.replaceAll('+', '%20')
  const pools: pg.Pool[] = []
  const another = (options: pg.PoolConfig): pg.Pool => {
    const defaults = { connectionString: address, max: 6, idleTimeoutMillis: 200 }
    const made = new pg.Pool({ ...defaults, ...options })
    made.on('error', () => {})
    pools.push(made)
    return made
  }
  const pool = another({})
  await pool.query(`CREATE SCHEMA ${name}`)
  return {
    name,
    address,
    pool,
    another,
    async remove() {
      await pool.query(`DROP SCHEMA ${name} CASCADE`)
      await Promise.all(pools.map(async (one) => one.end()))
    },
  }
}
